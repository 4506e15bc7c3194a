"""The day's facts beside the pairs: proofs that hold or ended, costs, and other bases at hand."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from metier.assembly.circumstances import Circumstances, costs
from metier.assembly.outcomes import Meeting, Outcomes
from metier.errors import CorruptError
from metier.finding import Proof
from metier.ledger import Ledger
from metier.reference import Digest
from stand_in.cards import banking
from stand_in.watching import SYSTEM

TODAY = date.today()


class Item(SimpleNamespace):
    """What is installed, as far as it is asked for."""


def item(**told: Any) -> Any:
    card = banking()
    facts = {
        "name": card.name,
        "card": card,
        "classifier": card,
        "system": SYSTEM,
        "kind": "specialist",
    }
    return Item(**{**facts, **told})


class Here:
    """A façade that knows one proof, or whose catalogue is broken."""

    def __init__(self, proof: Proof | None, bases: tuple[str, ...] = (), broken: bool = False):
        self._proof, self._broken = proof, broken
        found = [Item(name=name, kind="base", model=None) for name in bases]
        self.fleet: Any = SimpleNamespace(list=lambda: found)

    def entry(self, origin: str, name: str) -> Any:
        if self._broken:
            raise CorruptError("It is damaged.")
        return SimpleNamespace(proof=self._proof)


def day(here: Any, ledger: Ledger) -> Circumstances:
    return Circumstances(here, lambda: ledger, lambda _name: "minilm")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger.sqlite")


def test_a_proof_that_holds_is_handed_on(ledger: Ledger) -> None:
    evidence = banking().evidence[0]
    here = Here(Proof(evidence, "here", "2999-01-01"), ("minilm", "another"))
    found = day(here, ledger).of(item(), ())
    assert (found.proved, found.until) == (evidence.date, "2999-01-01")
    assert found.holds
    assert found.bases == ("another",)


@pytest.mark.parametrize(("age", "lapsed"), [(200, True), (3, False)])
def test_only_what_ended_by_its_age_has_lapsed(ledger: Ledger, age: int, lapsed: bool) -> None:
    """Evidence that counts no more for another reason (a new toolchain) is no lapsed proof."""
    then = (TODAY - timedelta(days=age)).isoformat()
    evidence = banking().evidence[0].model_copy(update={"system": SYSTEM, "date": then})
    ledger.append("evidence", "banking-intents", Digest.of(b""), evidence.model_dump(mode="json"))
    ledger.append("evidence", "banking-intents", Digest.of(b""), {"system": SYSTEM, "odd": 1})
    found = day(Here(None, broken=True), ledger).of(item(), ())
    assert found.lapsed is lapsed
    assert not found.holds


def test_costs_are_those_that_were_measured_side_by_side(ledger: Ledger) -> None:
    local = Meeting(SYSTEM, "base", SYSTEM, "a base", 2.0, 9.0)
    remote = Meeting(SYSTEM, "general", SYSTEM, "x", 3.0, 800.0, rival_cost="remote, about 3")
    own, rivals = costs(item(), [local, remote])
    assert own.ms_per_text == 3.0
    assert rivals["base"].ms_per_text == 9.0
    assert rivals["general"].cost_class == "remote, about 3"
    untimed = Meeting(SYSTEM, "base", SYSTEM, "a base")
    assert costs(item(), [untimed])[0] == item().card.cost
    outcomes = Outcomes(local, (), "2026-11-12", "ab" * 32)
    found = day(Here(None), ledger).of(item(), [outcomes])
    assert found.head == "ab" * 32
