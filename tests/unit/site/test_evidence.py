"""What a card claims, laid out: rows that are always there, and words for every part."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.card import Card, Difference, Verdict
from metier.site import charts, evidence
from stand_in.cards import assistant, banking, bare, hostile, leaks, spam, underpowered
from stand_in.metier import Entry, StandIn


def entry(tmp_path: Path, card: Card) -> Entry:
    return StandIn(tmp_path, [card]).list()[0]


def rows(tmp_path: Path, card: Card, results: tuple[str, ...] = ()) -> list[evidence.EvidenceRow]:
    domain = charts.difference_domain(evidence.shown_differences(card))
    return evidence.evidence_rows(entry(tmp_path, card), card, domain, results)


@pytest.mark.parametrize("card", [banking(), assistant(), spam(), underpowered(), bare()])
def test_base_and_general_are_always_rows(tmp_path: Path, card: Card) -> None:
    found = rows(tmp_path, card)
    assert [row.against for row in found[:2]] == [
        "against its base",
        "against the general model",
    ]
    for row in found:
        assert (row.bar is None) == (row.rival == "not measured")
        assert row.bar is not None or row.command.strip()


def test_what_was_not_measured_has_the_cards_own_command(tmp_path: Path) -> None:
    row = rows(tmp_path, assistant())[1]
    assert row.note == "No general model is configured."
    assert row.command.startswith("METIER_GENERAL_URL=")
    assert rows(tmp_path, bare())[1].command == "metier eval bare --on EVAL --against general"


def test_a_number_links_only_to_a_result_that_is_there(tmp_path: Path) -> None:
    with_results = rows(tmp_path, banking(), ("base",))
    assert with_results[0].result == "/metier/v1/specialists/banking-intents/results/base"
    assert with_results[1].result is None


def test_the_score_without_leaked_items_stands_beside(tmp_path: Path) -> None:
    card = banking()
    rest = Difference.model_validate(
        {**card.evidence[0].difference.model_dump(), "difference": 0.2, "verdict": Verdict.TIE}
    )
    changed = card.evidence[0].model_copy(update={"without_leaks": rest})
    row = rows(tmp_path, card.model_copy(update={"evidence": (changed,)}))[0]
    assert row.note.startswith("Without the leaked items: +20.0 points")
    assert row.note.endswith("TIE.")


def test_majority_stands_in_when_there_is_nothing_better(tmp_path: Path) -> None:
    only = spam().model_copy(update={"evidence": spam().evidence[:1]})
    assert [row.against for row in rows(tmp_path, only)][2:] == [
        "against always saying the commonest label"
    ]
    assert len(rows(tmp_path, spam())) == 2


def test_the_four_score_rows_are_always_there(tmp_path: Path) -> None:
    for card in (banking(), bare()):
        found = evidence.score_rows(entry(tmp_path, card), card, ("base",))
        assert [row["role"] for row in found] == [
            "this specialist",
            "majority",
            "base",
            "general",
        ]
        assert found[0]["measured"]
        assert found[2]["result"].endswith("/results/base")
    assert not found[1]["measured"]


def test_trust_in_words() -> None:
    sentences = evidence.trust_sentences(assistant())
    assert sentences[0].startswith("Its probabilities are off by 1.2 points")
    assert "answers 93.4" in sentences[1]
    assert "it finds 88.0" in sentences[2]
    assert "was not measured" in evidence.trust_sentences(banking())[2]
    assert evidence.trust_sentences(bare()) == []
    part = banking().abstention
    assert part is not None
    always = banking().model_copy(update={"abstention": part.model_copy(update={"coverage": 1.0})})
    assert evidence.trust_sentences(always)[1].startswith("It never abstains")


def test_leaks_in_words() -> None:
    assert evidence.leak_sentence(banking()) == (
        "None of the 3,080 eval items is in the training rows."
    )
    leaked = banking().model_copy(
        update={
            "leaks": leaks(100, 7).model_copy(update={"by_kind": {"exact": 4, "folded": 3, "x": 0}})
        }
    )
    assert evidence.leak_sentence(leaked) == (
        "7 of 100 eval items (7.0\u202f%) are in the training rows as well: 4 exact and 3 folded. "
        "More than 1\u202f% leaked, so no WIN can be given."
    )


def test_ids_are_unique_and_safe(tmp_path: Path) -> None:
    metier = StandIn(
        tmp_path, [banking(), spam(), banking().model_copy(update={"name": "a/b.c:1"})]
    )
    keys = [evidence.key_of(item, "base") for item in metier.list()]
    assert len(set(keys)) == 3
    assert all(key.replace("-", "").isalnum() for key in keys)


def test_ladder_and_curve_rows_hold_the_charts_numbers() -> None:
    card = banking()
    shown = evidence.ladder_rows(card.ladder)
    assert [row["number"] for row in shown] == [1, 2, 3, 4, 5]
    assert shown[4]["state"] == "chosen"
    assert evidence.curve_rows(card)[0]["per_class"] == "1"
    assert evidence.curve_rows(bare()) == []
    assert len(evidence.curve_rows(hostile())) == 8
