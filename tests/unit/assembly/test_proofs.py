"""Proofs of this home: which rows of the ledger count for what is installed, and with what."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from catalog_entries import SYSTEM, evidence
from metier.assembly.proofs import Proofs, Subject, proofs_of, state
from metier.card import Evidence, Verdict
from metier.catalog.standing import LOST
from metier.ledger import Ledger
from metier.reference import Digest

TOOLS = {"numpy": "2.4"}
SUBJECT = Subject(7, SYSTEM, "minilm", "sha256:base", TOOLS)
RESULT = "sha256:" + "a" * 64


def judged(home: Path, *written: tuple[str, Evidence], **more: object) -> Proofs:
    ledger = Ledger.open(home / "ledger.sqlite")
    for digest, one in written:
        ledger.append("evidence", "x", Digest.parse(digest), one.model_dump(mode="json"))
    told = {
        "results": home / "results",
        "base_of": lambda name: "sha256:base" if name == "minilm" else None,
        "toolchain": TOOLS,
        "today": date(2026, 11, 23),
        **more,
    }
    return proofs_of([SUBJECT], ledger.rows("evidence"), **told)  # type: ignore[arg-type]


def test_what_was_written_when_it_was_made_is_proof(tmp_path: Path) -> None:
    found = judged(tmp_path, (SYSTEM, evidence()))
    assert found.proofs[7].measured == "here"
    assert found.judged[7][0].failed is None


def test_nothing_in_the_ledger_is_no_proof(tmp_path: Path) -> None:
    assert judged(tmp_path) == Proofs()
    other = evidence(system="sha256:" + "9" * 64)
    assert judged(tmp_path, (SYSTEM, other)) == Proofs()


def test_a_later_measurement_needs_its_result(tmp_path: Path) -> None:
    one = evidence(results=(RESULT, RESULT))
    assert judged(tmp_path, (RESULT, one)).judged[7][0].failed == "toolchain"
    (tmp_path / "results").mkdir()
    path = tmp_path / "results" / f"{'a' * 64}.jsonl"
    path.write_text(json.dumps({"toolchain": TOOLS}) + "\n")
    assert judged(tmp_path, (RESULT, one)).judged[7][0].failed is None
    path.write_text(json.dumps({"toolchain": {"numpy": "1"}}) + "\n")
    assert judged(tmp_path, (RESULT, one)).judged[7][0].failed == "toolchain"
    path.write_text("[]\n")
    assert judged(tmp_path, (RESULT, one)).judged[7][0].failed == "toolchain"


def test_the_last_word_counts(tmp_path: Path) -> None:
    found = judged(tmp_path, (SYSTEM, evidence(day="2026-10-01")), (SYSTEM, evidence(Verdict.LOSS)))
    assert found.proofs == {}
    assert found.levels[7] == LOST


def test_base_and_toolchain_of_today(tmp_path: Path) -> None:
    row = (SYSTEM, evidence())
    assert judged(tmp_path, row, base_of=lambda _: "sha256:newer").judged[7][0].failed == "base"
    assert judged(tmp_path, base_of=lambda _: None).judged[7][0].failed == "base"
    assert judged(tmp_path, toolchain={"numpy": "3"}).judged[7][0].failed == "toolchain"
    assert judged(tmp_path, today=date(2027, 6, 1)).judged[7][0].failed == "expired"


def test_a_row_of_another_version_says_nothing(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    body = {**evidence().model_dump(mode="json"), "unheard": 1}
    ledger.append("evidence", "x", Digest.parse(SYSTEM), body)
    found = judged(tmp_path)
    assert found.proofs == {}
    assert found.judged[7] == []


def test_state_changes_with_every_part() -> None:
    assert state("a", 1) == state("a", 1)
    assert state("a", 1) != state("a", 2)
