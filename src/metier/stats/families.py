"""Many comparisons at once: p-values that allow for their number, and groups of the like.

It knows p-values and an order; it does not know what was compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, in the order given.

    Holm 1979, "A simple sequentially rejective multiple test procedure": below .05 where a
    difference holds though so many were looked at.

    Args:
        p_values: One for each comparison, 0 to 1.
    """
    if any(not 0.0 <= p <= 1.0 for p in p_values):
        raise ValueError("p-values lie between 0 and 1")
    count = len(p_values)
    adjusted = [1.0] * count
    highest = 0.0
    for place, number in enumerate(sorted(range(count), key=lambda number: p_values[number])):
        highest = max(highest, min(1.0, (count - place) * p_values[number]))
        adjusted[number] = highest
    return adjusted


def groups(count: int, apart: Callable[[int, int], bool]) -> list[int]:
    """The group of each of ``count`` entries that stand best first, from 1.

    The best entry without a group opens one; all others without a group that cannot be told
    apart from it join. Not being told apart is no equivalence (a may be told apart from c, and
    b from neither): so a group is what cannot be told apart from its first entry.

    Args:
        count: How many entries.
        apart: Whether two of them, the first the better, are told apart.
    """
    found = [0] * count
    group = 0
    for leader in range(count):
        if found[leader]:
            continue
        group += 1
        for other in range(leader, count):
            if not found[other] and (other == leader or not apart(leader, other)):
                found[other] = group
    return found
