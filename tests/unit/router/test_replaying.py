from __future__ import annotations

import json
from dataclasses import replace

import pytest

from metier.card import Cost
from metier.errors import CorruptError
from metier.router import DomainModel, Router, Rules, decision_bytes, logged, replay
from metier.routing import Candidate, Request

FLEET = (
    Candidate("all", "sha256:0", "generate", general=True, cost=Cost(size_bytes=4 * 10**9)),
    Candidate("teller", "sha256:1", "chat", domain="bank", proof="2027-01-01", gain=0.05),
    Candidate("tiny", "sha256:2", "chat", general=True, context=10, languages=("en", "de")),
)
REQUESTS = (
    Request("why is my card pending in the app", tokens=40, language="en"),
    Request("half a pair \ud83d and 你好", tokens=40),
    Request("", pictures=2),
    Request("hello", last="teller", in_tool_loop=True, conversation="ab"),
)


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_log_replays_byte_for_byte(model: DomainModel, request_: Request) -> None:
    router = Router(model)
    decision = router.decide(request_, FLEET)
    line = json.dumps(logged(request_, FLEET, decision))
    other = Router(DomainModel.from_bytes(model.to_bytes()))
    assert decision_bytes(replay(json.loads(line), other)) == decision_bytes(decision)


def test_what_a_person_overrode_replays_too(model: DomainModel) -> None:
    router = Router(model)
    for name in ("teller", "nemo"):
        decision = router.override(name, REQUESTS[0], FLEET)
        log = json.loads(json.dumps(logged(REQUESTS[0], FLEET, decision, override=name)))
        assert decision_bytes(replay(log, router)) == decision_bytes(decision)


def test_equal_decisions_have_equal_bytes(model: DomainModel) -> None:
    decision = Router(model).decide(REQUESTS[0], FLEET)
    told = decision_bytes(decision)
    assert told == decision_bytes(replace(decision))
    assert json.loads(told)["chosen"] == decision.chosen
    assert told.isascii()


def test_another_router_is_not_asked(model: DomainModel) -> None:
    log = logged(REQUESTS[0], FLEET, Router(model).decide(REQUESTS[0], FLEET))
    with pytest.raises(CorruptError) as caught:
        replay(log, Router(model, Rules(answer_room=1)))
    assert caught.value.code == "other_router"


@pytest.mark.parametrize(
    "spoilt",
    [{}, {"request": {}}, {"request": 1}, {"candidates": [1]}, {"candidates": [{"name": "a"}]},
     {"decision": {"chosen": "a"}}, {"decision": []}],
)  # fmt: skip
def test_a_spoilt_log_is_refused(model: DomainModel, spoilt: dict[str, object]) -> None:
    log = logged(REQUESTS[0], FLEET, Router(model).decide(REQUESTS[0], FLEET))
    with pytest.raises(CorruptError) as caught:
        replay(log | spoilt if spoilt else {}, Router(model))
    assert caught.value.code == "bad_decision_log"
