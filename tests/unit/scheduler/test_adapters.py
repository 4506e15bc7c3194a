"""Which adapters a worker is started with."""

from __future__ import annotations

from metier.scheduler.adapters import MOST_ADAPTERS, chosen
from scripted_worker import residence

NAMES = tuple(f"x{number}" for number in range(100))
KNOWN = residence("a", *NAMES).adapters
SIZES = dict.fromkeys(NAMES, 10)


def names(required: set[str], recent: list[str], room: int) -> list[str]:
    return [adapter.digest for adapter in chosen(KNOWN, required, recent, SIZES, room)]


def test_a_few_are_all_taken() -> None:
    few = chosen(KNOWN[:3], set(), [], SIZES, 10**6)
    assert few == KNOWN[:3]


def test_many_are_cut_but_what_is_asked_and_what_was_asked_lately_stays() -> None:
    found = names({"x99"}, ["x98", "gone"], 10**6)
    assert len(found) == MOST_ADAPTERS
    assert found[:2] == ["x0", "x1"]
    assert found[-2:] == ["x98", "x99"]


def test_memory_for_others_is_bounded_for_the_request_it_is_not() -> None:
    assert names({"x5", "x6"}, ["x9"], 40) == ["x5", "x6", "x9"]
    assert names({"x5"}, ["x9"], 0) == ["x5"]
