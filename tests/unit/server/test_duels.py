"""Side by side on one prompt: who can be asked, blind until the vote, nothing kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.errors import InputError, NotFoundError
from metier.server.duels import MOST_KEPT, Duels
from stand_in.cards import banking, hostile, spam
from stand_in.metier import StandIn


@pytest.fixture
def duels(tmp_path: Path) -> Duels:
    return Duels(StandIn(tmp_path, [banking(), spam(), hostile()]))


def names(duels: Duels) -> list[str]:
    return [one["name"] for one in duels.able()]


def test_classifiers_and_writers_can_be_asked(duels: Duels) -> None:
    tasks = {one["task"] for one in duels.able()}
    assert {"classify", "generate"} <= tasks
    writer = next(one["name"] for one in duels.able() if one["task"] == "generate")
    duel = duels.start("hello", [names(duels)[0], writer], blind=False)
    for slot in duel.slots:
        duels.ask(duel, slot)
    assert duel.over
    assert [slot.state for slot in duel.slots] == ["done", "done"]
    assert all(slot.text for slot in duel.slots)
    assert " %)" in duel.slots[0].text
    assert duel.slots[0].took > 0
    before = duel.slots[0].text
    duels.ask(duel, duel.slots[0])  # once is enough
    assert duel.slots[0].text == before


def test_blind_hides_names_and_times_until_the_vote(duels: Duels) -> None:
    chosen = names(duels)[:2]
    duel = duels.start("hello", chosen, blind=True)
    for slot in duel.slots:
        duels.ask(duel, slot)
    told = json.dumps(duel.to_dict())
    assert not any(name in told.replace("hello", "") for name in chosen)
    assert all(one["ms"] is None for one in duel.to_dict()["answers"])
    voted = duels.vote(duel.token, "A").to_dict()
    assert {one["name"] for one in voted["answers"]} == set(chosen)
    assert voted["vote"] == "A"
    assert voted["vote_kept"] is False
    assert duels.vote(duel.token, "B").vote == "A"  # the first counts


def test_the_order_is_shuffled(duels: Duels) -> None:
    chosen = names(duels)[:3]
    orders = {
        tuple(slot.name for slot in duels.start("x", chosen, blind=True).slots) for _ in range(60)
    }
    assert len(orders) > 1
    assert [slot.name for slot in duels.start("x", chosen, blind=False).slots] == chosen


@pytest.mark.parametrize(
    ("prompt", "chosen"),
    [(" ", 2), ("x" * 20_001, 2), ("x", 1), ("x", 0)],
)
def test_what_cannot_be_asked_is_refused(duels: Duels, prompt: str, chosen: int) -> None:
    with pytest.raises(InputError):
        duels.start(prompt, names(duels)[:chosen], blind=False)


def test_strangers_and_wrong_votes_are_refused(duels: Duels) -> None:
    with pytest.raises(InputError):
        duels.start("x", [names(duels)[0], "/etc/passwd"], blind=False)
    duel = duels.start("x", names(duels)[:2], blind=True)
    with pytest.raises(InputError):
        duels.vote(duel.token, "Z")
    with pytest.raises(NotFoundError):
        duels.of("nothing")


def test_a_failure_is_told_with_the_names(duels: Duels) -> None:
    duel = duels.start("x", names(duels)[:2], blind=True)
    duel.slots[0].name = "gone"
    duels.ask(duel, duel.slots[0])
    assert duel.slots[0].state == "failed"
    assert "gone" not in json.dumps(duel.to_dict()["answers"][0])
    duels.vote(duel.token, "none")
    assert "gone" in duel.to_dict()["answers"][0]["problem"]


def test_only_the_last_ones_are_kept(duels: Duels) -> None:
    first = duels.start("x", names(duels)[:2], blind=False)
    for _ in range(MOST_KEPT):
        duels.start("x", names(duels)[:2], blind=False)
    with pytest.raises(NotFoundError):
        duels.of(first.token)
