"""Has it become worse? Evidence that may start at any time, looked at for ever.

It knows differences in the looks that they came in; it knows no system, no date and no clock.

A long good past outweighs a bad present: the capital of ``sequential`` falls while things go well
and must be won back before it shows that they no longer do. So a second player against "it was
never worse" keeps part of the stake for later: a part is put in before each pair, and bets from
there on. A weighted sum of capitals that start at fixed times is an e-process like each of them,
since the weights sum to 1: *ever* reaching 20 has a chance of at most half of 5 % if at no time
the expected difference was below the mean that is doubted. (Change detectors as in Shin, Ramdas
and Rinaldo 2024, "E-detectors", New England Journal of Statistics in Data Science 2(2), sum
capitals without such weights and control the mean time to a false alarm instead; a watch that
takes routes away should seldom err *ever*.)

What is kept back after n pairs is 1 / (1 + n / 1,000) of the stake: half of it is put in over the
first thousand pairs, and some is always left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metier.stats.clusters import finite
from metier.stats.sequential import (
    CEILING,
    LOG_WEIGHTS,
    MOST,
    STAKES,
    factor_blocks,
    log_factors,
)

Floats = NDArray[np.float64]

_SPREAD = 1_000.0


@dataclass(frozen=True, slots=True)
class Turning:
    """The running state against "the expected difference was never below ``mean``".

    Attributes:
        mean: What is doubted.
        pairs: Pairs so far.
        logs: Logarithm of the capital of each share, weights and stake left out; empty before the
            first pair.
    """

    mean: float = 0.0
    pairs: int = 0
    logs: tuple[float, ...] = ()

    def after(self, differences: ArrayLike) -> Turning:
        """The state after one more look; the order of its differences does not matter.

        Args:
            differences: One a cluster, own minus other, -1 to 1, shape (n,); n may be 0.
        """
        array = np.asarray(differences, dtype=np.float64)
        if array.size == 0:
            return self
        put_in = _kept_back(self.pairs) - _kept_back(self.pairs + array.size)
        before = np.asarray(self.logs) if self.logs else np.full(STAKES.size, -np.inf)
        gained = log_factors(-finite(array), -self.mean).sum(axis=0)
        logs = np.logaddexp(before, math.log(put_in)) + gained
        return Turning(self.mean, self.pairs + array.size, tuple(logs.tolist()))

    @property
    def e_value(self) -> float:
        """20 or more shows that at some time it was worse than ``mean``."""
        if not self.logs:
            return 0.5
        return float(_capital(np.asarray([self.logs]), np.asarray([self.pairs]))[0])


def turning_path(differences: ArrayLike, mean: float = 0.0) -> Floats:
    """``Turning``'s e-value after each pair, if each is a look of its own, shape (n,)."""
    array = finite(differences)
    found = np.full(array.size, 0.5)
    moving = (array != mean).nonzero()[0]
    if moving.size == 0:
        return found
    # Before the first of these pairs, and between two, capital that is put in lies idle.
    kept = _kept_back(np.append(0, moving + 1))
    put_in = -np.diff(kept)[:, None]
    weights = 2.0 * np.exp(LOG_WEIGHTS)
    capital = np.empty(moving.size)
    carried = np.zeros(STAKES.size)
    for start, factors in factor_blocks(-array[moving], -mean):
        rows = slice(start, start + factors.shape[0])
        grown = factors.cumprod(axis=0)
        # What is put in before a row has not been through the rows before it.
        entered = (put_in[rows] * factors / grown).cumsum(axis=0)
        carried_on = grown * (carried + entered)
        capital[rows] = carried_on @ weights
        carried = np.minimum(carried_on[-1], CEILING)
    capital = np.minimum(0.5 * (capital + kept[1:]), MOST)
    count = (array != mean).cumsum()
    return np.asarray(np.append(0.5, capital)[count], dtype=np.float64)


def turned_at(looks: Sequence[ArrayLike], mean: float = 0.0) -> int:
    """Number of the look since which the differences speak most for "worse", from 0."""
    gains = [log_factors(-np.asarray(look, float), -mean).sum(axis=0) for look in looks]
    since = np.asarray(gains)[::-1].cumsum(axis=0)[::-1] + LOG_WEIGHTS
    highest = since.max(axis=1)
    totals = highest + np.log(np.exp(since - highest[:, None]).sum(axis=1))
    return int(totals.argmax())


def _kept_back(pairs: float | Floats | NDArray[np.intp]) -> Floats:
    return np.asarray(1.0 / (1.0 + np.asarray(pairs) / _SPREAD), dtype=np.float64)


def _capital(logs: Floats, pairs: NDArray[np.intp]) -> Floats:
    weighed = logs + LOG_WEIGHTS
    highest = weighed.max(axis=1)
    totals = highest + np.log(np.exp(weighed - highest[:, None]).sum(axis=1))
    capital = np.exp(np.minimum(totals, math.log(MOST))) + 0.5 * _kept_back(pairs)
    return np.asarray(np.minimum(capital, MOST), dtype=np.float64)
