"""The best so far, the spread by month, and the day of overtaking with what it rests on."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metier.history.timelines import LEAST_PAIRS, best_so_far, months, timeline
from metier.overtaking import Point, Role, Timeline

TASKS = tuple("abcdefgh")


def point(name: str, date: str, score: float, role: Role = "general", **more: Any) -> Point:
    ends = {"low": max(0.0, score - 0.1), "high": min(1.0, score + 0.1), **more}
    return Point(name, role, date, score, n=80, clusters=8, **ends)


def by_task(*values: float) -> dict[str, Any]:
    return {"by_cluster": tuple(zip(TASKS, values, strict=False))}


def drawn(*points: Point) -> Timeline:
    return timeline(
        points,
        subject="it",
        eval_name="e",
        title="E",
        metric="passed",
        source=None,
        command="c",
        measure="m",
    )


def test_the_best_so_far_only_rises_and_of_one_day_is_the_highest() -> None:
    found = best_so_far(
        [
            point("late", "2026-03-01", 0.5),
            point("first", "2026-01-01", 0.3),
            point("higher", "2026-01-01", 0.6),
            point("same", "2026-02-01", 0.6),
            point("top", "2026-04-01", 0.9),
        ]
    )
    assert [one.name for one in found] == ["higher", "top"]


def test_months_give_quartiles_between_ranks() -> None:
    scores = (0.1, 0.2, 0.3, 0.4, 0.5)
    (month, later) = months(
        [*(point(str(s), "2026-01-09", s) for s in scores), point("x", "2026-02-01", 0.7)]
    )
    assert (month.month, month.systems) == ("2026-01", 5)
    assert (month.lowest, month.lower, month.median, month.upper, month.highest) == scores
    assert (later.lowest, later.median, later.highest) == (0.7, 0.7, 0.7)


def test_documents_in_the_prompt_are_another_system() -> None:
    found = drawn(
        point("plain", "2026-01-01", 0.3),
        point("read", "2026-01-01", 0.9, "documents"),
        point("it", "2026-02-01", 0.5, "specialist"),
    )
    assert [one.name for one in found.best] == ["plain"]
    assert found.passed is found.overtaken is None
    assert found.months[0].systems == 1


def test_a_higher_score_passes_and_only_a_paired_interval_overtakes() -> None:
    own = point("it", "2026-01-15", 0.5, "specialist", **by_task(*[0.5] * 8))
    close = point("close", "2026-02-01", 0.55, **by_task(1, 0, 1, 0, 1, 0, 1, 0.4))
    far = point("far", "2026-03-01", 0.95, **by_task(1, 1, 1, 1, 0.9, 0.9, 0.9, 0.9))
    found = drawn(own, close, far)
    assert found.passed is not None
    assert (found.passed.name, found.passed.how) == ("close", "point")
    assert found.overtaken is not None
    assert (found.overtaken.name, found.overtaken.how) == ("far", "paired")
    assert found.overtaken.pairs == 8
    assert found.overtaken.low is not None
    assert found.overtaken.low > 0.0
    assert not found.overtaken.before


def test_without_pairs_intervals_are_held_against_each_other() -> None:
    own = point("it", "2026-01-15", 0.5, "specialist", **by_task(*[0.5] * 8))
    few = point("few", "2026-02-01", 0.65, **by_task(*[0.65] * (LEAST_PAIRS - 1)))
    assert drawn(own, few).overtaken is None
    apart = point("apart", "2026-02-01", 0.75)
    found = drawn(own, apart).overtaken
    assert found is not None
    assert (found.how, found.pairs, found.low) == ("intervals", 0, None)


def test_a_comparison_that_was_made_already_decides() -> None:
    own = point("it", "2026-01-15", 0.9, "specialist")
    lost = point("general", "2026-02-01", 0.95, ahead=(0.01, 0.05, 0.09))
    found = drawn(own, lost).overtaken
    assert found is not None
    assert (found.how, found.difference) == ("paired", 0.05)
    open_yet = point("general", "2026-02-01", 0.95, ahead=(-0.01, 0.05, 0.09))
    both = drawn(own, open_yet)
    assert both.overtaken is None
    assert both.passed is not None


def test_what_was_better_before_says_so() -> None:
    own = point("it", "2026-06-01", 0.3, "specialist")
    found = drawn(point("old", "2026-01-01", 0.9), own).overtaken
    assert found is not None
    assert found.before


def test_the_last_specialist_is_it_and_of_one_day_the_surer() -> None:
    found = drawn(
        point("first", "2026-01-01", 0.9, "specialist"),
        point("weak", "2026-02-01", 0.4, "specialist"),
        point("strong", "2026-02-01", 0.5, "specialist"),
    )
    assert found.champion is not None
    assert found.champion.name == "strong"
    assert found.measure == ""
    assert drawn(point("x", "2026-01-01", 0.5)).measure == "m"


@given(st.lists(st.tuples(st.dates(), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_best_so_far_is_never_below_a_point_of_its_past(items: list[tuple[Any, float]]) -> None:
    points = [point(str(n), day.isoformat(), score) for n, (day, score) in enumerate(items)]
    best = best_so_far(points)
    for one in points:
        so_far = [step.score for step in best if step.date <= one.date]
        assert max(so_far) >= one.score
    assert [step.score for step in best] == sorted({step.score for step in best})
