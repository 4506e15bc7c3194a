"""Ranking: relevance first, then proof, then cost and date; groups by what can be told apart."""

from __future__ import annotations

from typing import Any

import pytest

from catalog_entries import evidence
from metier.catalog.ranking import Candidate, Match, likeness, ordered, sought, weights
from metier.catalog.ranking import covered as covered_by
from metier.catalog.records import Row
from metier.catalog.standing import CLAIMED, LOST, OPEN, PROVED
from metier.catalog.words import Meant, Word
from metier.finding import Proof


def row(number: int, **more: Any) -> Row:
    told: dict[str, Any] = {
        "name": f"m{number}", "task": "chat", "domain": "code", "licence": "", "base": "",
        "size": 1000, "context": 0, "released": 20260101, "verdicts": 0, "level": OPEN,
        "name_terms": " ", "key_terms": " ", "more_terms": " ", "text_terms": " ",
    }  # fmt: skip
    return Row(number, **{**told, **more})


def candidate(number: int, coverage: float, *, level: int = OPEN, **more: Any) -> Candidate:
    proof = None
    if level == PROVED:
        proof = Proof(evidence(score=more.pop("score", 0.9)), "here", "2026-12-01")
    return Candidate(row(number, **more), coverage=coverage, level=level, proof=proof)


def order(*candidates: Candidate) -> list[tuple[int, int]]:
    return [(one.row.id, group) for one, group in ordered(candidates)]


def test_a_proof_never_lifts_what_is_less_relevant() -> None:
    found = order(candidate(1, 0.3, level=PROVED), candidate(2, 1.0, level=LOST))
    assert found == [(2, 1), (1, 2)]


def test_among_the_comparable_the_proved_then_claims_then_cost_then_date() -> None:
    found = order(
        candidate(1, 1.0, level=LOST),
        candidate(2, 1.0, size=9 << 30),
        candidate(3, 1.0, released=20250101),
        candidate(4, 1.0),
        candidate(5, 0.9, level=CLAIMED, size=40 << 30),
        candidate(6, 0.9, level=PROVED, size=40 << 30),
    )
    assert [one for one, _ in found] == [6, 5, 4, 3, 2, 1]
    groups = dict(found)
    assert groups[6] == 1
    assert groups[5] == groups[4] == groups[3] == 2, "claims cannot be told apart by proof"


def test_relevance_decides_before_cost() -> None:
    found = order(candidate(1, 0.92), candidate(2, 1.0, size=9 << 30), candidate(3, 0.99))
    assert [one for one, _ in found] == [3, 2, 1]
    assert {group for _, group in found} == {1}


def test_proofs_on_one_eval_are_told_apart_by_their_intervals() -> None:
    found = order(
        candidate(1, 1.0, level=PROVED, score=0.80),
        candidate(2, 1.0, level=PROVED, score=0.95),
        candidate(3, 1.0, level=PROVED, score=0.945),
    )
    assert sorted(found) == [(1, 2), (2, 1), (3, 1)]
    assert found[-1] == (1, 2)


def test_meaning_fills_what_words_leave_open() -> None:
    none, alike = Candidate(row(1)), Candidate(row(2), cosine=0.65)
    assert (none.relevance, alike.relevance) == (0.0, 0.5)
    assert Candidate(row(3), coverage=1.0, cosine=0.9).relevance == 1.0
    assert Candidate(row(4), exact=True).band == 0
    assert [likeness(cosine) for cosine in (None, 0.1, 0.425, 0.9)] == pytest.approx(
        [0.0, 0.0, 0.5, 1.0]
    )


def covered(row: Row, meant: list[Meant], weight: list[float]) -> tuple[float, tuple[Match, ...]]:
    return covered_by(row, sought(meant, weight))


def meant(term: str, *more: str, instead: str = "") -> Meant:
    return Meant(Word(term, term), (term, *more), instead=instead)


def test_where_a_word_stands_counts() -> None:
    fields = ["name_terms", "key_terms", "more_terms", "text_terms"]
    shares = [covered(row(1, **{field: " sql "}), [meant("sql")], [1.0])[0] for field in fields]
    assert shares == pytest.approx([1.0, 1.0, 0.85, 0.7])
    assert covered(row(1, name_terms=" mysql "), [meant("sql")], [1.0]) == (0.0, ())
    stem = covered(row(1, name_terms=" ~detect "), [meant("detects", "~detect")], [1.0])[0]
    typo = covered(
        row(1, name_terms=" sql "), [Meant(Word("slq", "slq"), ("sql",), instead="sql")], [1.0]
    )[0]
    assert (stem, typo) == pytest.approx((0.9, 0.9))


def test_pieces_together() -> None:
    pair = Meant(Word("text-to-sql", "texttosql"), (), ("text", "sql"))
    share, (match,) = covered(row(1, name_terms=" sql ", text_terms=" text "), [pair], [1.0])
    assert share == pytest.approx(0.7)
    assert match.where == "text"
    assert covered(row(1, name_terms=" sql "), [pair], [1.0])[1] == ()


def test_rare_words_tell_more() -> None:
    counts = {"sql": 5, "code": 500}
    rare, common, unheard = weights(
        [meant("sql"), meant("code"), Meant(Word("x", "x"), ())], lambda term: counts[term], 1000
    )
    assert rare > unheard > common
    assert rare + common + unheard == pytest.approx(1.0)
    assert weights([], lambda term: 0, 10) == []
