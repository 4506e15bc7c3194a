"""Who makes room, decided over residents as they stand."""

from __future__ import annotations

from typing import Any

from metier.scheduler.holding import Held
from metier.scheduler.room import claim, together, victims_for
from metier.scheduler.sizing import Needs
from scripted_worker import residence


def held(base: str, **facts: Any) -> Held:
    needs = facts.pop("needs", Needs(10, 5))
    stage = facts.pop("stage", "ready")
    return Held(residence(base), needs, 0, 1, stage=stage, **facts)


def test_mapped_files_of_one_base_count_once() -> None:
    assert together([held("a"), held("b")]) == 30
    assert together([held("a"), held("a")]) == 20


def test_nobody_leaves_where_there_is_room() -> None:
    assert victims_for(held("b"), [held("a")], 30, None) == []


def test_the_least_recently_used_idle_one_leaves_first() -> None:
    old, new, busy = held("a", used=1.0), held("b", used=2.0), held("c", users=1)
    assert victims_for(held("d"), [new, old, busy], 45, None) == [old]
    assert victims_for(held("d"), [new, old, busy], 30, None) == [old, new]
    assert victims_for(held("d"), [new, old, busy], 29, None) is None
    assert victims_for(held("d"), [new, old, busy], 1000, 3) == [old]


def test_one_that_retires_leaves_even_where_there_is_room() -> None:
    retiring = held("a", retiring=True)
    assert victims_for(held("b"), [retiring], 1000, None) == [retiring]


def test_one_that_is_leaving_still_holds_its_memory() -> None:
    assert victims_for(held("b"), [held("a", stage="leaving")], 20, None) is None


def test_a_busy_one_is_asked_to_finish_when_it_had_its_time() -> None:
    first, second = held("a", users=1, ready=10.0), held("b", users=1, ready=12.0)
    assert claim([second, first], 11.0, 5.0) == 4.0
    assert not first.retiring
    assert claim([second, first], 16.0, 5.0) is None
    assert first.retiring
    assert claim([second, first], 60.0, 5.0) is None
    assert not second.retiring
