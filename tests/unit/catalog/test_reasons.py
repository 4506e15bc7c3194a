"""Reasons: sentences with numbers, the weightiest first, and claims told as claims."""

from __future__ import annotations

from datetime import date

import pytest

from catalog_entries import SYSTEM, entry, evidence
from metier.card import Verdict
from metier.catalog.proving import Measured, Now, judge
from metier.catalog.ranking import Candidate, Match
from metier.catalog.reasons import claim_sentence, day_said, evidence_sentence, reasons, size_said
from metier.catalog.records import Row
from metier.catalog.words import Meant, Word
from metier.finding import Claim, Entry, Proof, Query, Source

ROW = Row(1, "a", "chat", "code", "", "", 0, 0, 0, 0, 2, "", "", "", "")


def said(one: Candidate, what: Entry, query: Query | None = None, **more: object) -> list[str]:
    told = {"judged": (), "installed": "", **more}
    found = reasons(one, what, query or Query(), **told)  # type: ignore[arg-type]
    return [f"{reason.kind}: {reason.said}" for reason in found]


def test_a_proof_comes_first_with_its_numbers() -> None:
    proof = Proof(evidence(day="2026-11-12"), "here", "2027-02-10")
    word = Match(Meant(Word("sql", "sql"), ("sql",)), "name", "sql")
    found = said(Candidate(ROW, (word,), 1.0, 0.5, proof), entry("a"), Query(words="sql"))
    assert found[0] == (
        "proof: Better than its base by 23.1 points (21.4 to 24.8, 3,000 questions, 12 Nov 2026),"
        " measured here, valid until 10 Feb 2027."
    )
    assert found[1:] == [
        "word: Has “sql” in its name.",
        "meaning: Alike in meaning: similarity 0.50 of 1.",
    ]


def test_evidence_of_a_card_is_a_claim_with_the_command_that_measures() -> None:
    card = entry("spam", task="classify", evidence=(evidence(),))
    (claim, _) = said(Candidate(ROW), card, installed="spam")
    assert claim.startswith("claim: Its publisher's claim: better than its base by 23.1 points")
    assert "Not measured here." in claim
    assert claim.endswith(" metier eval spam --on spam --against base measures it here.")


def test_an_expired_proof_is_told_as_expired() -> None:
    old = evidence(day="2026-01-01")
    measured = Measured(old, "here", {}, "", SYSTEM)
    judged = judge(measured, Now(SYSTEM, "", {}, date(2026, 11, 23)))
    card = entry("spam", task="classify", evidence=(old,))
    found = said(Candidate(ROW), card, judged=[judged], installed="spam")
    assert len([one for one in found if one.startswith("lapsed")]) == 1, "told once"
    assert not [one for one in found if one.startswith("claim")]
    assert "The proof expired: it is of 2026-01-01" in found[0]
    assert "To measure again: metier eval spam" in found[0]


def test_a_correction_is_owned_up_to() -> None:
    word = Match(Meant(Word("slq", "slq"), ("sql",), instead="sql"), "text", "sql")
    found = said(Candidate(ROW, (word,), 0.6), entry("a"), Query(words="slq"))
    assert found == [
        "word: Has “sql” in its description.",
        "typo: Nobody has “slq”: searched for “sql”.",
    ]


def test_reported_numbers() -> None:
    source = Source(address="https://example.org/x", read="2026-11-20")
    claim = Claim(
        metric="pass@1", value=61.6, unit="%", on="HumanEval", by="X", n=164, source=source
    )
    assert claim_sentence(claim) == (
        "Reported, not measured by us: pass@1 61.6 % on HumanEval (n = 164), by X."
    )
    found = said(Candidate(ROW), entry("a", claims=(claim.model_dump(),) * 5))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("verdict", "start"),
    [
        (Verdict.WIN, "Better than its base by 23.1"),
        (Verdict.LOSS, "Worse than its base by -23.1"),
        (Verdict.NOT_WORSE, "Not worse than its base: +23.1"),
        (Verdict.TIE, "Level with its base: +23.1"),
        (Verdict.UNDERPOWERED, "Not decided against its base: +23.1"),
    ],
)
def test_every_verdict_has_its_sentence(verdict: Verdict, start: str) -> None:
    assert evidence_sentence(evidence(verdict)).startswith(start)


def test_filters_and_orders() -> None:
    what = entry("a", size_bytes=1_100_000_000, released="2026-01-02", licence="MIT", context=4096)
    query = Query(
        licence="mit", most_bytes=1 << 40, least_context=10, since="2026", order="smallest"
    )
    found = said(Candidate(ROW), what, query, installed="a")
    assert found == [
        "size: 1.1 GB.",
        "filter: Licence MIT, 1.1 GB, 4,096 tokens of context, of 2 Jan 2026, installed here.",
    ]
    assert said(Candidate(ROW), what, Query(order="newest")) == ["fresh: Released 2 Jan 2026."]
    assert len(said(Candidate(ROW), entry("a"))) == 1


def test_days_and_sizes() -> None:
    assert day_said("2026-11-12") == "12 Nov 2026"
    assert day_said("soon") == "soon"
    assert [size_said(size) for size in (5, 5000, 5_000_000)] == ["5 bytes", "5.0 kB", "5.0 MB"]
