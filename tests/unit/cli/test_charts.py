"""The label curve as text: it rises when accuracy does, names its rivals and fits its width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metier.card import CurvePoint, LabelCurve
from metier.cli.charts import curve_chart
from metier.cli.terminal import ASCII, UNICODE


def curve(*means: float, spread: float = 0.02) -> LabelCurve:
    points = tuple(
        CurvePoint(
            per_class=2**index,
            labels=2**index * 3,
            mean=mean,
            low=max(0.0, mean - spread),
            high=min(1.0, mean + spread),
            draws=3,
        )
        for index, mean in enumerate(means)
    )
    return LabelCurve(rung="linear", points=points, seed=0)


def test_a_rising_curve_rises() -> None:
    lines = [line.plain for line in curve_chart(curve(0.2, 0.5, 0.8), {}, UNICODE, width=40)]
    columns = [(line.index("●"), row) for row, line in enumerate(lines) if "●" in line]
    rows = [row for _, row in sorted(columns)]
    assert rows == sorted(rows, reverse=True)
    assert len(rows) == 3
    assert lines[-1].split() == ["1", "2", "4"]


def test_a_rival_is_a_named_level() -> None:
    lines = [line.plain for line in curve_chart(curve(0.2, 0.8), {"base": 0.5}, UNICODE, width=40)]
    (level,) = [line for line in lines if line.endswith(" base")]
    assert "┄┄┄" in level


def test_rivals_on_one_row_are_both_named() -> None:
    rivals = {"base": 0.5, "general": 0.501}
    lines = [line.plain for line in curve_chart(curve(0.2, 0.8), rivals, UNICODE, width=50)]
    assert any(line.endswith(" base, general") for line in lines)


def test_no_points_no_chart() -> None:
    assert curve_chart(LabelCurve(rung="linear", points=(), seed=0), {}, UNICODE, width=40) == []


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=9),
    st.dictionaries(st.sampled_from(["base", "general"]), st.floats(0, 1)),
    st.integers(30, 60),
    st.sampled_from([UNICODE, ASCII]),
)
def test_any_curve_fits(means, rivals, width, signs) -> None:
    lines = curve_chart(curve(*means), rivals, signs, width=width, height=5)
    assert len(lines) == 7
    assert all(line.cell_len <= width for line in lines)
