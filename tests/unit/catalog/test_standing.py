"""Standing: levels by the newest evidence, cost classes by size."""

from __future__ import annotations

import pytest

from catalog_entries import evidence
from metier.card import Verdict
from metier.catalog.standing import (
    CLAIMED,
    LOST,
    OPEN,
    level_of,
    size_class,
    telling,
    verdict_bit,
    verdicts_of,
)


def test_levels() -> None:
    assert level_of(()) == OPEN
    assert level_of([evidence()]) == CLAIMED
    assert level_of([evidence(Verdict.TIE)]) == OPEN
    assert level_of([evidence(Verdict.LOSS), evidence(against="general")]) == LOST
    assert level_of([evidence(against="majority")]) == OPEN, "the majority label is no rival"


def test_the_newest_word_counts() -> None:
    old, new = evidence(day="2026-01-01"), evidence(Verdict.LOSS, day="2026-02-01")
    assert telling([new, old])["base"] is new
    assert level_of([old, new]) == LOST


@pytest.mark.parametrize(
    ("size", "found"), [(0, 6), (1, 0), (1 << 30, 0), ((1 << 30) + 1, 1), (40 << 30, 5)]
)
def test_cost_classes(size: int, found: int) -> None:
    assert size_class(size) == found


def test_verdicts_as_bits() -> None:
    bits = verdicts_of([evidence(Verdict.NOT_WORSE)])
    assert bits == verdict_bit("not worse")
    assert verdict_bit("splendid") == 0
