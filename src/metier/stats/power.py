"""What an eval of a given size can show: power, needed items, smallest detectable difference.

It knows a paired comparison's share of discordant items; it knows no data. Normal approximation
for paired differences of two-valued outcomes, whose variance per item is d - δ² (Miller 2024,
arXiv 2411.00640, §5; Connor 1987, "Sample size for testing differences in proportions for the
paired-sample design"). Two-sided 5 %, 80 % power unless said.
"""

from __future__ import annotations

import math

from metier.stats.tails import normal_quantile, normal_tail

LEVEL = 0.95
POWER = 0.8
LEAST_DISCORDANT = 6
"""Discordant items below which no exact test can say WIN or LOSS at 95 %."""


def power(n: float, difference: float, discordant: float, *, design: float = 1.0) -> float:
    """Chance that a true difference comes out as WIN or LOSS, with the right sign.

    Args:
        n: Items.
        difference: True paired difference, -1 to 1.
        discordant: Share of items on which the outcomes differ, 0 to 1; at least |difference|.
        design: Design effect of the clusters; the items count as n / design.
    """
    variance = _variance(abs(difference), discordant)
    if n <= 0 or design <= 0:
        raise ValueError("items and design effect must be positive")
    if variance == 0.0:
        return 0.0 if difference == 0.0 else 1.0
    shift = abs(difference) * math.sqrt(n / design / variance)
    return normal_tail(shift - _critical())


def needed_items(
    difference: float, discordant: float, *, design: float = 1.0, chance: float = POWER
) -> int:
    """Items for which a true difference comes out as WIN or LOSS with the given chance.

    At least as many as give six discordant items. Raises ValueError if the difference is 0 or
    larger than the discordant share, which cannot be.
    """
    size = abs(difference)
    if size == 0.0:
        raise ValueError("no number of items shows a difference of 0")
    items = (_critical() + normal_quantile(chance)) ** 2 * _variance(size, discordant) / size**2
    return math.ceil(max(items, LEAST_DISCORDANT / discordant) * design - 1e-9)


def detectable_difference(
    n: float, discordant: float, *, design: float = 1.0, chance: float = POWER
) -> float:
    """The smallest true difference that comes out as WIN or LOSS with the given chance.

    ``1.0`` if not even a difference as large as the discordant share itself would: every
    discordant item one way, or fewer than six of them to be expected.
    """
    _variance(0.0, discordant)
    effective = n / design
    if effective * discordant < LEAST_DISCORDANT:
        return 1.0
    square = (_critical() + normal_quantile(chance)) ** 2
    found = math.sqrt(discordant * square / (effective + square))
    return found if found <= discordant else 1.0


def widening(chance: float = POWER) -> float:
    """Detectable difference over the half-width of a 95 % interval: 1.43 at 80 % power."""
    return (_critical() + normal_quantile(chance)) / _critical()


def _critical() -> float:
    return normal_quantile(0.5 + LEVEL / 2.0)


def _variance(difference: float, discordant: float) -> float:
    if not 0.0 <= difference <= discordant <= 1.0:
        raise ValueError("a difference cannot be larger than the share of discordant items")
    return discordant - difference**2
