"""The label-efficiency curve: nested samples, honest points, crossings that last."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from known_vectors import KnownVectors, blind, telling
from metier.card import CurvePoint, LabelCurve, Row, Score
from metier.engines.parts import Member
from metier.errors import InputError
from metier.making import curve
from metier.making.clock import Clock
from metier.making.learners import vectors
from metier.making.material import RememberingEncoder

CLASSES = np.repeat(np.arange(2), [30, 12]).astype(np.int64)
TEXTS = [f"c{kind} {row}" for row, kind in enumerate(CLASSES.tolist())]
HELD = [f"c{row % 2} {1000 + row}" for row in range(20)]
TRUTH = np.array([row % 2 for row in range(20)], np.int64)


def learner(vector):
    encoder = RememberingEncoder(KnownVectors("known", vector), lambda done, number: None)
    member = Member(kind="encoder", file="head.safetensors", precision="fp32", encoder="known")
    made = vectors("encoder", "the encoder", encoder, member, 2)
    return made, made.view(TEXTS), made.view(HELD)


def drawn(vector=telling, truth=TRUTH, clock=None, report=lambda _: None) -> LabelCurve:
    return curve.draw(
        [learner(vector)],
        (1.0,),
        CLASSES,
        truth,
        rung="encoder",
        seed=0,
        report=report,
        clock=clock or Clock(),
    )


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=60),
    st.integers(1, 12),
    st.integers(0, 2**31),
)
def test_samples_are_nested_and_have_so_many_rows_of_each_class(kinds, step, seed) -> None:
    classes = np.array(kinds, np.int64)
    one = curve._sample(classes, step, np.random.default_rng([seed, 0]))
    more = curve._sample(classes, step + 3, np.random.default_rng([seed, 0]))
    assert set(one.tolist()) <= set(more.tolist())
    assert np.unique(one).size == one.size
    for kind in np.unique(classes):
        assert (classes[one] == kind).sum() == min(step, (classes == kind).sum())


def test_draws_differ_from_each_other() -> None:
    rows = [curve._sample(CLASSES, 3, np.random.default_rng([0, number])) for number in range(5)]
    assert len({tuple(row.tolist()) for row in rows}) > 1


def test_points_count_their_labels_and_stop_before_the_median_class() -> None:
    points = drawn().points
    assert [point.per_class for point in points] == [1, 2, 3, 5, 10, 20]
    assert [point.labels for point in points] == [2, 4, 6, 10, 20, 32]
    assert all(point.low <= point.mean <= point.high for point in points)
    assert {point.draws for point in points} == {curve.DRAWS}
    assert all(point.mean == 1.0 for point in points)


def test_a_rung_that_learns_nothing_has_a_flat_curve() -> None:
    assert all(point.mean == pytest.approx(0.5) for point in drawn(blind).points)


def test_items_of_no_ordinary_label_are_left_out_of_the_score() -> None:
    truth = TRUTH.copy()
    truth[::2] = -1
    assert all(point.mean == 1.0 for point in drawn(truth=truth).points)


def test_many_rows_are_drawn_less_often(monkeypatch) -> None:
    monkeypatch.setattr(curve, "MANY", 9)
    draws = [point.draws for point in drawn().points]
    assert draws == [5, 5, 5, 3, 3, 3]


def test_progress_says_each_point() -> None:
    heard = []
    drawn(report=heard.append)
    assert [item.data["per_class"] for item in heard] == [1, 2, 3, 5, 10, 20]
    assert heard[-1].fraction == 1.0
    assert heard[0].message.startswith("1 label")


def test_a_spent_budget_ends_the_curve_with_the_points_there_are() -> None:
    clock = Clock(1e-6)
    time.sleep(0.001)
    assert drawn(clock=clock).points == ()
    clock = Clock(1.0)

    def spend(progress) -> None:
        if progress.data["per_class"] == 3:
            time.sleep(max(0.0, clock.left) + 0.001)

    assert [point.per_class for point in drawn(clock=clock, report=spend).points] == [1, 2, 3]


def test_a_stop_is_a_stop() -> None:
    with pytest.raises(InputError):
        drawn(clock=Clock(cancelled=lambda: True))


def point(per_class: int, mean: float) -> CurvePoint:
    return CurvePoint(
        per_class=per_class, labels=2 * per_class, mean=mean, low=mean, high=mean, draws=1
    )


def row(role: str, value: float | None, n: int = 100) -> Row:
    score = None if value is None else Score(metric="accuracy", value=value, n=n, clusters=n)
    return Row.model_validate({"role": role, "name": f"the {role}", "score": score})


def finished(means: dict[int, float], *rivals: Row) -> LabelCurve:
    *points, whole = [point(per_class, mean) for per_class, mean in means.items()]
    begun = LabelCurve(rung="linear", points=tuple(points), seed=0)
    return curve.finish(begun, whole, rivals)


def test_a_crossing_counts_only_from_where_it_lasts() -> None:
    found = finished({1: 0.3, 2: 0.7, 3: 0.5, 5: 0.8, 9: 0.9}, row("base", 0.6))
    (crossing,) = found.crossovers
    assert crossing.per_class == 5
    assert crossing.sentence == "Passes the base (60.0 %) from 5 labels a class on."


def test_one_label_can_be_enough() -> None:
    (crossing,) = finished({1: 0.7, 2: 0.8}, row("general", 0.6)).crossovers
    assert crossing.per_class == 1
    assert "from 1 label a class on" in crossing.sentence


def test_a_rival_that_is_equalled_is_not_passed() -> None:
    (crossing,) = finished({1: 0.5, 2: 0.6}, row("general", 0.6)).crossovers
    assert crossing.per_class is None
    assert "Does not pass the general (60.0 %)" in crossing.sentence


def test_a_curve_that_falls_back_at_the_end_has_not_passed() -> None:
    (crossing,) = finished({1: 0.7, 2: 0.8, 3: 0.5}, row("base", 0.6)).crossovers
    assert crossing.per_class is None


def test_only_measured_rivals_are_crossed() -> None:
    rows = (row("specialist", 0.9), row("majority", 0.1), row("base", None), row("general", 0.0, 0))
    assert finished({1: 0.7, 2: 0.8}, *rows).crossovers == ()


def test_the_last_point_is_all_rows_and_the_steps_rise() -> None:
    begun = LabelCurve(rung="linear", points=(point(1, 0.1), point(5, 0.2)), seed=0)
    found = curve.finish(begun, point(5, 0.9), ())
    assert [item.per_class for item in found.points] == [1, 5]
    assert found.points[-1].mean == 0.9
