"""Pairs and standings in the ledger: what goes in comes out, and nothing else is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from metier.assembly import outcomes
from metier.assembly.outcomes import (
    Meeting,
    outcomes_of,
    record,
    record_standing,
    standings_of,
)
from metier.ledger import Ledger
from metier.reference import Digest
from metier.watching import Pair
from stand_in.watching import SYSTEM, standing

MEETING = Meeting(SYSTEM, "base", "sha256:" + "cd" * 32, "a base", 1.5, 3.0)
PAIRS = (
    Pair("base", "1", "1", 1.0, 0.0, "2026-11-12", fresh=True),
    Pair("base", "2", "group:x", 0.25, 1.0, source="feedback"),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger.sqlite")


def test_pairs_come_back_as_they_went_in(ledger: Ledger) -> None:
    record(ledger, "a", MEETING, PAIRS)
    (found,) = outcomes_of(ledger, "a", SYSTEM)
    assert found.meeting == MEETING
    assert [replace(pair, look="") for pair in found.pairs] == list(PAIRS)
    assert {pair.look for pair in found.pairs} == {found.date}
    assert found.hash == ledger.head()


def test_another_system_name_or_format_is_not_read(ledger: Ledger) -> None:
    record(ledger, "a", MEETING, PAIRS)
    assert outcomes_of(ledger, "b", SYSTEM) == []
    assert outcomes_of(ledger, "a", "sha256:" + "ef" * 32) == []
    body = {"format": "metier.outcomes/9", "system": SYSTEM}
    ledger.append("outcomes", "a", Digest.of(b""), body)
    ledger.append("state", "a", Digest.of(b""), {"format": "metier.state/9"})
    assert len(outcomes_of(ledger, "a", SYSTEM)) == 1
    assert list(standings_of(ledger)) == []


def test_many_pairs_take_several_rows(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MOST_PAIRS", 1)
    record(ledger, "a", MEETING, PAIRS)
    assert [len(one.pairs) for one in outcomes_of(ledger, "a", SYSTEM)] == [1, 1]


def test_a_standing_comes_back_whole(ledger: Ledger) -> None:
    first, second = standing("a"), standing("a", state="PROMOTED", suspect=True, tracks=())
    record_standing(ledger, first, date="2026-11-12T10:00:00Z")
    record_standing(ledger, second)
    found = list(standings_of(ledger, "a"))
    assert [one for _, one in found] == [first, second]
    assert found[0][0].date == "2026-11-12T10:00:00Z"
