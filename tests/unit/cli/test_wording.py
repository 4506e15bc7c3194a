"""Words for numbers: durations, sizes, dates, intervals and verdicts are said one way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.card import Interval, Verdict
from metier.cli import wording


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2m", 120), ("90s", 90), ("1h", 3600), ("1m30s", 90), ("45", 45), ("1.5m", 90),
        ("250ms", 0.25), ("1 h 30 m", 5400), ("1D", 86400), (" 2M ", 120),
    ],
)  # fmt: skip
def test_durations_are_read(text: str, seconds: float) -> None:
    assert wording.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "m", "2x", "-3s", "0", "0s", "1m30", "two", "1e3", "nan", "1:30"]
)
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|without a unit|not above zero"):
        wording.parse_duration(text)


@given(st.integers(1, 500_000))
def test_whole_seconds_survive_being_said_and_read(seconds: int) -> None:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    told = "".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if n)
    assert wording.parse_duration(told) == seconds


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (4.21, "4.2 s"), (9.97, "10 s"), (41.3, "41 s"), (59.6, "1 min"),
     (72, "1 min 12 s"), (3600, "1 h"), (7380, "2 h 3 min"), (None, "not measured")],
)  # fmt: skip
def test_durations_are_said(seconds: float | None, told: str) -> None:
    assert wording.duration(seconds) == told


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (412_345, "412 kB"), (999_600, "1.00 MB"),
     (46_100_000, "46.1 MB"), (1_204_000_000, "1.20 GB"), (5e12, "5.00 TB"),
     (None, "not measured")],
)  # fmt: skip
def test_sizes_are_said(number: float | None, told: str) -> None:
    assert wording.size(number) == told


@given(st.integers(0, 10**15))
def test_sizes_are_short(number: int) -> None:
    assert len(wording.size(number)) <= 7


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.231, "+23.1"), (-0.004, "-0.4"), (0.0, "0.0"), (-0.0001, "0.0"), (1.0, "+100.0")],
)
def test_points(value: float, told: str) -> None:
    assert wording.points(value) == told


@pytest.mark.parametrize(
    "moment",
    ["2026-11-12", "2026-11-12T10:20:30Z", "2026-11-12T10:20:30.5+00:00",
     datetime(2026, 11, 12, tzinfo=UTC), datetime(2026, 11, 12, tzinfo=UTC).timestamp()],
)  # fmt: skip
def test_dates(moment: object) -> None:
    assert wording.date(moment) == "12 Nov 2026"


def test_a_date_that_is_none_is_shown_as_it_is() -> None:
    assert wording.date("yesterday") == "yesterday"


def test_counts() -> None:
    assert wording.counted(1, "question") == "1 question"
    assert wording.counted(3080, "question") == "3,080 questions"
    assert wording.counted(2, "entry") == "2 entries"
    assert wording.span(Interval(low=0.927, high=0.9441)) == "92.7 to 94.4"


def test_verdict_sentences(make) -> None:
    def told(verdict: Verdict, value: float, against: str = "base", **more: object) -> str:
        found = make.difference(value, 0.017, verdict, **more)
        return wording.verdict_sentence(make.evidence(against, found))

    facts = "(+21.4 to +24.8, 3,080 questions, 12 Nov 2026)"
    assert told(Verdict.WIN, 0.231) == f"Better than its base by 23.1 points {facts}."
    assert told(Verdict.WIN, 0.231, small=True).endswith("less than the margin of 1 point.")
    assert told(Verdict.LOSS, -0.231, "general").startswith("Worse than the general model by 23.1")
    assert told(Verdict.TIE, 0.0).startswith("Equal to its base within 1 point (-1.7 to +1.7,")
    assert told(Verdict.NOT_WORSE, 0.01).startswith("Not worse than its base by more than 1 point")
    weak = told(Verdict.UNDERPOWERED, 0.02, n=50, detectable=0.08, needed_n=1200)
    assert weak.startswith("Not proved: 50 questions cannot show less than 8 points. It would")
    assert "about 1,200." in weak
    assert told(Verdict.UNDERPOWERED, 0.02, n=50).startswith(
        "Not proved: 50 questions are too few."
    )
