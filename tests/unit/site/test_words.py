"""Numbers and texts as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.card import Verdict
from metier.site import words
from stand_in.cards import banking, bare, difference, hostile, spam, underpowered

THIN = "\u202f"


def test_the_headline_of_the_contract() -> None:
    sentence, verdict = words.headline(banking())
    assert sentence == (
        "Better than its base by 23.1 points (21.4 to 24.8, 3,080 questions, 12 Nov 2026)."
    )
    assert verdict is not None
    assert verdict.sign == "▲"


def test_what_is_not_proved_says_why() -> None:
    sentence, _ = words.headline(underpowered())
    assert sentence == (
        "Not proved: 50 questions cannot show less than 8.0 points. It would take about 1,900."
    )
    assert words.headline(bare())[0] == f"Not proved: 50.0{THIN}% right, compared with nothing."
    assert words.headline(hostile())[0].startswith("Not proved: 60.0")


def said(verdict: Verdict, value: float, half: float, **more: object) -> str:
    item = banking().evidence[0]
    changed = difference(value, half, verdict, 400, **more)
    return words.sentence(item.model_copy(update={"difference": changed}))


def test_every_verdict_has_its_sentence() -> None:
    assert said(Verdict.LOSS, -0.08, 0.02).startswith("Worse than its base by 8.0 points (−10.0")
    assert said(Verdict.TIE, 0.001, 0.005).startswith("As good as its base, to within 1 point (")
    assert said(Verdict.NOT_WORSE, 0.01, 0.015, margin=0.02).startswith(
        "Not worse than its base by more than 2 points ("
    )
    assert said(Verdict.UNDERPOWERED, 0.0, 0.5) == "Not proved: 400 questions are too few to tell."
    assert said(Verdict.WIN, 0.004, 0.003, small=True).endswith(
        "It is less than the margin of 1 point."
    )
    assert set(words.VERDICTS) == set(Verdict) == set(words.VERDICT_MEANINGS)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0\u202fB"),
        (999, "999\u202fB"),
        (1000, "1.0\u202fkB"),
        (740_000, "740\u202fkB"),
        (999_600, "1.0\u202fMB"),
        (22_900_000, "23\u202fMB"),
        (5_000_000_000_000_000, "5,000\u202fTB"),
        (None, "not measured"),
    ],
)
def test_sizes(number: int | None, text: str) -> None:
    assert words.size(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.02, "3.0\u202fms"),
        (0.21, "0.21\u202fms"),
        (0.0004, "under 0.01\u202fms"),
        (1250.0, "1,250\u202fms"),
    ],
)
def test_milliseconds(value: float, text: str) -> None:
    assert words.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0\u202fs"),
        (4.1, "4.1\u202fs"),
        (72, "1\u202fmin 12\u202fs"),
        (7260, "2\u202fh 1\u202fmin"),
    ],
)
def test_durations(value: float, text: str) -> None:
    assert words.duration(value) == text


def test_points_have_a_minus_and_no_negative_zero() -> None:
    assert words.points(-0.014) == "−1.4"
    assert words.points(-0.0001, signed=True) == "0.0"
    assert words.points(0.231, signed=True) == "+23.1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2026-11-12", "12 Nov 2026"), ("2026-01-02T03:04:05+00:00", "2 Jan 2026"), ("soon", "soon")],
)
def test_dates(text: str, shown: str) -> None:
    assert words.date(text) == shown


def test_days_in_a_sentence_are_told_as_all_days_are() -> None:
    told = words.dated("8 tasks, 2026-02-26; version 2026-1, not 2026-13-40")
    assert told == "8 tasks, 26 Feb 2026; version 2026-1, not 2026-13-40"


@given(
    st.text(alphabet="ab\u202e\u2066\u200b\x00\x1b\n\tä\U0001f388", max_size=50), st.integers(1, 20)
)
def test_a_cut_text_is_short_and_reorders_nothing(text: str, length: int) -> None:
    shown = words.clip(text, length)
    assert len(shown) <= length
    assert not set(shown) & set("\u202e\u2066\u200b\x00\x1b")
    if len(text) <= length and not set(text) & set("\u202e\u2066\u200b\x00\x1b"):
        assert shown == text


def test_facts_of_a_row() -> None:
    assert words.cost_line(banking()) == [
        "classify",
        "77 labels",
        f"740{THIN}kB + 23{THIN}MB shared",
        f"3.0{THIN}ms a text",
    ]
    assert words.cost_line(bare()) == ["classify", "2 labels"]
    assert "shared" not in words.cost_line(spam())[2]


def test_reasons_and_lists() -> None:
    assert words.reason("not measured: no base") == "no base"
    assert words.reason(None) == ""
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed([]) == ""
    assert words.plural(1, "text has", "texts have") == "1 text has"
