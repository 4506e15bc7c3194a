from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from metier.router import Router
from metier.routing import AUTO, Candidate, Decider, Decision, Ground, Request
from metier.watching import ROUTED


def test_what_is_not_said_forbids_nothing() -> None:
    request, candidate = Request("hello"), Candidate("a", "sha256:0", "chat")
    assert (request.wanted, request.most_cost, request.domain) == ("chat", "", "")
    assert (candidate.context, candidate.languages) == (None, ())
    assert candidate.state in ROUTED
    assert candidate.proof == ""
    assert AUTO == "auto"


def test_values_are_frozen() -> None:
    request, decision = Request("a"), Decision("a", "only", "why")
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.text = "other"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.chosen = "other"  # type: ignore[misc]


def test_the_router_is_a_decider() -> None:
    decider: Decider = Router()
    decision = decider.decide(Request("hello"), ())
    assert decision.ground in get_args(Ground)
    assert decider.digest.startswith("sha256:")
