"""The evidence bar: zero, interval, estimate and margin stand where their numbers are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.card import Difference, Interval, Verdict
from metier.cli.terminal import ASCII, UNICODE
from metier.cli.verdicts import Comparison, evidence_bars, verdict_text


def found(low: float, value: float, high: float, margin: float = 0.01) -> Difference:
    verdict = Verdict.WIN if low > 0 else Verdict.LOSS if high < 0 else Verdict.UNDERPOWERED
    return Difference(
        verdict=verdict,
        difference=value,
        interval=Interval(low=low, high=high),
        margin=margin,
        n=100,
        clusters=100,
        discordant=10,
        method="paired",
    )


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("signs", [UNICODE, ASCII])
def test_a_verdict_has_its_own_sign_and_its_word(verdict: Verdict, signs: object) -> None:
    sign, word = verdict_text(verdict, signs).plain.split(" ", 1)
    assert word == verdict.value
    others = {verdict_text(v, signs).plain[0] for v in Verdict if v is not verdict}
    assert sign not in others


def test_signs_are_those_of_the_house() -> None:
    signs = {v.value: verdict_text(v, UNICODE).plain[0] for v in Verdict}
    assert signs == {"WIN": "▲", "LOSS": "▼", "TIE": "＝", "NOT WORSE": "▷", "UNDERPOWERED": "◌"}


def test_a_win_lies_right_of_zero_and_a_loss_left() -> None:
    win = evidence_bars([Comparison("base", found(0.05, 0.07, 0.09))], 80, UNICODE)[1].plain
    loss = evidence_bars([Comparison("base", found(-0.09, -0.07, -0.05))], 80, UNICODE)[1].plain
    assert win.index("│") < win.index("▓") < win.index("█")
    assert loss.index("▓") < loss.index("█") < loss.index("│")
    assert win.endswith("▲ WIN +7.0 (+5.0 to +9.0)")


def test_zero_is_seen_inside_an_interval() -> None:
    bar = evidence_bars([Comparison("base", found(-0.05, 0.02, 0.09))], 80, UNICODE)[1].plain
    assert bar.index("▓") < bar.index("│") < bar.index("█")


def test_zero_stands_under_its_label() -> None:
    axis, bar = evidence_bars([Comparison("base", found(0.05, 0.07, 0.09))], 80, UNICODE)
    assert axis.plain.rstrip().endswith("points")
    assert axis.plain.index("0") == bar.plain.index("│")


def test_what_was_not_measured_is_a_row_with_its_command() -> None:
    rows = [
        Comparison("base", found(0.05, 0.07, 0.09)),
        Comparison("general", None, "not measured. Measure it:\n  metier eval x"),
    ]
    lines = [line.plain for line in evidence_bars(rows, 80, UNICODE)]
    assert lines[2] == "general  not measured. Measure it:"
    assert lines[3] == "           metier eval x"


def test_nothing_measured_has_no_axis() -> None:
    assert [line.plain for line in evidence_bars([Comparison("base", None)], 80, UNICODE)] == [
        "base  not measured"
    ]


@given(
    st.lists(
        st.tuples(*[st.floats(-1, 1, allow_nan=False)] * 3).map(sorted), min_size=1, max_size=4
    ),
    st.integers(80, 120),
    st.sampled_from([UNICODE, ASCII]),
)
def test_bars_fit_and_hold_their_estimate(ends, width, signs) -> None:
    rows = [Comparison(f"rival{i}", found(*three)) for i, three in enumerate(ends)]
    lines = evidence_bars(rows, width, signs)
    assert len(lines) == 1 + len(rows)
    for line in lines[1:]:
        assert line.cell_len <= width
        assert line.plain.count(signs.tick) == 1
