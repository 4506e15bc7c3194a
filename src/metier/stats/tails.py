"""Tails and quantiles of three distributions, and a root: all that the statistics take from scipy.

scipy is loaded when the first of them is asked for, not before: it takes tens of megabytes, and a
server at rest counts nothing.
"""

from __future__ import annotations

from collections.abc import Callable


def normal_tail(deviate: float) -> float:
    """The share of a standard normal below ``deviate``."""
    from scipy.special import ndtr

    return float(ndtr(deviate))


def normal_quantile(share: float) -> float:
    """The deviate below which ``share`` of a standard normal lies."""
    from scipy.special import ndtri

    return float(ndtri(share))


def student_quantile(freedom: float, share: float) -> float:
    """The deviate below which ``share`` of a t distribution of ``freedom`` degrees lies."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def binomial_tail(most: int, trials: int, chance: float) -> float:
    """The chance of at most ``most`` successes in ``trials``."""
    from scipy.special import bdtr

    return float(bdtr(most, trials, chance))


def root(function: Callable[[float], float], low: float, high: float, *, within: float) -> float:
    """Where ``function`` is 0 between two ends of unlike signs, by Brent's method."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=within))
