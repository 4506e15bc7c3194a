"""The card on one screen: everything that it has is said, within the columns there are."""

from __future__ import annotations

from typing import Any

import pytest

from metier.card import LeakReport, Row, Verdict
from metier.cli.sheet import card_lines, evidence_lines, with_ladder
from metier.cli.terminal import ASCII, UNICODE


def lines_of(card: Any, width: int = 80, signs: Any = UNICODE) -> list[str]:
    return [line.plain for line in card_lines(card, width, signs, name=card.name)]


def test_the_card_fits_a_terminal_of_80_by_24_with_the_prompt(make: Any) -> None:
    lines = lines_of(make.card())
    assert len(lines) <= 23
    assert all(len(line) <= 80 for line in lines)
    assert not any(line.endswith(" ") for line in lines)


def test_the_card_says_everything_that_it_has(make: Any) -> None:
    text = "\n".join(lines_of(make.card()))
    for told in (
        "banking-intents  classify, 77 labels, 10,003 examples, made 12 Nov 2026 in 41 s",
        "Chosen: frozen encoder (int8) + linear.",
        "on 3,080 sealed questions",
        "this        93.6 %  92.7 to 94.5",
        "majority     1.3 %",
        "base        62.3 %",
        "▲ WIN +31.3 (+29.6 to +33.0)",
        "general  not measured: no general model is configured.",
        "metier eval banking-intents --on banking-intents --against general",
        "118 kB + 23.0 MB shared",
        "2.9 ms a text",
        "1.2 points off (ECE)",
        "below 62.0 % sure",
        "answers 96.2 %, 95.1 % right",
        "none found",
        "accuracy by labels per class",
        "Passes its base (62.3 %) at about 3 labels per class.",
    ):
        assert told in text, told


def test_the_last_line_is_the_next_command(make: Any) -> None:
    assert lines_of(make.card())[-1] == 'Run it:  metier run banking-intents "your text"'


@pytest.mark.parametrize("width", [40, 60, 100, 120])
def test_other_widths_only_cut_what_may_be_cut(make: Any, width: int) -> None:
    lines = lines_of(make.card(), width)
    assert lines[-1].startswith("Run it:")
    text = " ".join(" ".join(lines).replace("\\", " ").split())
    assert "metier eval banking-intents --on banking-intents --against general" in text


def test_ascii_all_through(make: Any) -> None:
    card = make.card()
    lines = with_ladder(card, 80, ASCII, name=card.name)
    assert all(line.plain.isascii() for line in lines)


def test_a_measured_general_model_has_a_row_a_bar_and_a_price(make: Any) -> None:
    card = make.card()
    row = Row(
        role="general",
        name="big-1",
        score=make.score(0.71),
        cost={"price_per_million_tokens": 2.5, "ms_per_text": 800.0},
    )
    found = make.difference(0.226)
    card = make.card(
        rows=(*card.rows[:3], row), evidence=(*card.evidence, make.evidence("general", found))
    )
    text = "\n".join(lines_of(card, 100))
    assert "general     71.0 %" in text
    assert "big-1, 2.5 per million tokens" in text
    assert "not measured" not in text
    assert text.count("▲ WIN") == 2


def test_a_long_command_is_continued_as_a_shell_reads_it(make: Any) -> None:
    command = (
        "METIER_GENERAL_URL=https://HOST/v1 METIER_GENERAL_MODEL=NAME metier make tickets.toml"
    )
    row = Row(role="general", name="general", note="not measured: none is set", command=command)
    lines = lines_of(make.card(rows=(row,)))
    start = lines.index("general  not measured: none is set. Measure it:")
    first, second = lines[start + 1 : start + 3]
    assert first.endswith(" \\")
    assert f"{first.strip()[:-1]}{second.strip()}" == command
    assert len(first) <= 80


def test_too_few_questions_are_said(make: Any) -> None:
    weak = make.difference(0.02, 0.08, Verdict.UNDERPOWERED, n=50, detectable=0.08, needed_n=1200)
    text = "\n".join(lines_of(make.card(evidence=(make.evidence("base", weak),))))
    assert "◌ UNDERPOWERED +2.0 (-6.0 to +10.0)" in text
    assert "base: Not proved: 50 questions cannot show less than 8 points. It would" in text
    assert "about 1,200" in text


def test_leaks_are_said_and_block(make: Any) -> None:
    leaks = LeakReport(
        eval_items=3080, leaked=40, share=0.013, by_kind={"exact": 40}, duplicate_train_rows=0,
        conflicting_labels=0, blocks_win=True, method="exact",
    )  # fmt: skip
    clean = make.difference(0.309)
    card = make.card(
        leaks=leaks,
        evidence=(make.evidence("base", make.difference(0.313), without_leaks=clean),),
    )
    text = "\n".join(lines_of(card))
    assert "40 questions, 1.3 %" in text
    assert "Without leaked questions against base: +30.9 (+29.2 to +32.6), WIN." in text
    assert "No WIN can be given" in text
    assert "--drop-leaks" in text


def test_a_bare_card_is_shown_too(make: Any) -> None:
    card = make.card(
        curve=None, calibration=None, abstention=None, out_of_scope=None, evidence=(),
        rows=(), ladder=(), scores=(), decided=False,
    )  # fmt: skip
    text = "\n".join(lines_of(card))
    assert "base     not measured" in text
    assert "Not decided: the data are too few to rank the rungs." in text


def test_names_are_quoted_for_the_shell(make: Any) -> None:
    card = make.card()
    last = card_lines(card, 80, UNICODE, name="team/triage:2")[-1].plain
    assert last == 'Run it:  metier run team/triage:2 "your text"'


def test_rivals_without_a_role_are_called_by_their_name(make: Any) -> None:
    found = make.evidence("other", make.difference(0.02), rival_name="sms-spam")
    assert evidence_lines([found], 80, UNICODE)[1].plain.startswith("sms-spam")
