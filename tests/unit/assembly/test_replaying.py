"""Decisions made again from the log: the same bytes, without a text and without the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from metier.assembly import Metier
from metier.assembly.candidates import as_documents
from metier.assembly.replaying import Heard, remade, replay
from metier.errors import CorruptError
from metier.router import Router, Rules
from metier.router.learning import fit_domains
from metier.routing import Candidate, Request
from routed_fleet import OF_PYTHON, Fleet, question

QUESTIONS = {"cards": [f"My bank card number {n} is lost, what now?" for n in range(40)]}
CANDIDATES = (
    Candidate("general", "1", "generate", general=True),
    Candidate("teller", "2", "chat", "cards", proof="2027-01-01", gain=0.2),
)


@pytest.fixture
def copy(routed: Fleet, tmp_path: Path) -> Iterator[Metier]:
    metier = routed.copied(tmp_path)
    yield metier
    metier.close()


def row(text: str, **more: Any) -> dict[str, Any]:
    """A decision as the log has it."""
    heard = Heard(fit_domains(QUESTIONS))
    asked = Request(text)
    decision = heard.router(Rules()).decide(asked, CANDIDATES)
    facts = asdict(asked)
    del facts["text"]
    return {
        "kind": "decided", "id": "1", "request": facts, "characters": len(text),
        "likeness": asdict(heard.likeness) if heard.likeness else None, "model": heard.digest,
        "rules": asdict(Rules()), "override": False, "decision": asdict(decision),
        "candidates": "c", **more,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["I have lost my bank card", "Why is the sky blue?", ""])
def test_a_decision_is_made_again_without_its_text(text: str) -> None:
    again, logged = remade(row(text), CANDIDATES)
    assert again == logged


def test_what_was_heard_is_asked_once_and_decides_as_the_model_does() -> None:
    model = fit_domains(QUESTIONS)
    heard, asked = Heard(model), Request("I have lost my bank card")
    decision = heard.router(Rules()).decide(asked, CANDIDATES)
    assert decision == Router(model, Rules()).decide(asked, CANDIDATES)
    first = heard.likeness
    assert heard.asked("something else") is first
    assert dict(heard.scores(asked.text))["cards"] == decision.score
    assert Heard(None).router(Rules()).model is None


def test_what_is_less_like_a_domain_than_like_none_is_not_acted_on() -> None:
    heard = Heard(fit_domains({"cards": QUESTIONS["cards"], "few": ["a word", "two words"]}))
    found = heard.asked("Why do the tides follow the moon, and what did Galileo say of it?")
    assert not found.sure


def test_other_rules_are_told_apart_from_another_outcome() -> None:
    told = row("I have lost my bank card")
    again, _ = remade({**told, "rules": {**told["rules"], "cascades": False}}, CANDIDATES)
    assert again is None
    changed = {**told["decision"], "why": "because"}
    candidates = {"kind": "candidates", "digest": "c", "candidates": as_documents(CANDIDATES)}
    found = replay([candidates, {**told, "decision": changed}])
    assert (found.decisions, found.same, found.differing) == (1, 0, ("1",))


@pytest.mark.parametrize("missing", ["decision", "request", "characters", "likeness", "rules"])
def test_a_row_that_lacks_something_is_corrupt(missing: str) -> None:
    told = row("I have lost my bank card")
    del told[missing]
    with pytest.raises(CorruptError) as caught:
        remade(told, CANDIDATES)
    assert caught.value.code == "bad_route_log"


def test_a_decision_that_heard_nothing_cannot_be_made_again_from_a_text() -> None:
    told = row("I have lost my bank card", likeness=None)
    with pytest.raises(CorruptError):
        remade(told, CANDIDATES)


def test_the_log_of_a_home_replays(copy: Metier, tmp_path: Path) -> None:
    copy.routing.decide(question(OF_PYTHON))
    log = copy.settings.home / "routes" / "decisions.jsonl"
    assert copy.routing.replay().same == 1
    changed = tmp_path / "changed.jsonl"
    changed.write_text(log.read_text("utf-8").replace('"chosen":"helper"', '"chosen":"nobody"'))
    found = copy.routing.replay(changed)
    assert (found.decisions, found.same, len(found.differing), len(found.broken)) == (1, 0, 1, 1)


def test_half_a_row_is_told_and_the_others_replay(copy: Metier) -> None:
    copy.routing.decide(question(OF_PYTHON))
    with (copy.settings.home / "routes" / "decisions.jsonl").open("ab") as file:
        file.write(b'{"kind":"decided","id":"hal')
    copy.routing.decide(question(OF_PYTHON))
    found = copy.routing.replay()
    assert (found.decisions, found.same, len(found.broken)) == (2, 2, 1)
