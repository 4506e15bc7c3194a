from __future__ import annotations

from dataclasses import replace

import pytest

from metier.card import Cost
from metier.router.rules import Rules, pays, refusal, unable
from metier.routing import Candidate, Request

RULES = Rules()
ASKED = Request("how long do I boil rice", tokens=900, language="en")
COOK = Candidate("cook", "sha256:1", "chat", domain="cooking", proof="2027-01-01", gain=0.04)


@pytest.mark.parametrize(
    ("asked", "candidate", "why"),
    [
        ({}, {"task": "classify"}, "It does not chat: its task is classify."),
        ({"pictures": 1}, {}, "It does not see pictures."),
        ({"wanted": "any"}, {"task": "classify-image", "sees": True}, "It takes pictures only."),
        ({"tools": True}, {}, "It cannot be offered tools."),
        ({}, {"context": 1_000}, "It holds 1000 tokens; the request may have 900 and its answer"),
        ({}, {"languages": ("de", "fr")}, "It is limited to de, fr; the text is en."),
        (
            {"most_cost": "4 GB"},
            {"cost": Cost(size_bytes=5 * 10**9)},
            "It costs more (8 GB) than 4 GB.",
        ),
        ({}, {"proof": ""}, "It holds no proof for cooking."),
        ({}, {"state": "DEMOTED"}, "The watch has taken its route away (DEMOTED)."),
        ({}, {"state": "HOP"}, "The watch has taken its route away (HOP)."),
        ({}, {"domain": ""}, "It is neither a specialist of a domain nor the general model."),
    ],
)
def test_each_fact_forbids(asked: dict, candidate: dict, why: str) -> None:
    assert refusal(ASKED, COOK, RULES) == ""
    told = refusal(replace(ASKED, **asked), replace(COOK, **candidate), RULES)
    assert told.startswith(why)


@pytest.mark.parametrize(
    ("asked", "candidate"),
    [
        ({"pictures": 2}, {"sees": True}),
        ({"tools": True}, {"calls_tools": True}),
        ({}, {"context": 1_156}),
        ({"wanted": "any"}, {"task": "classify", "context": 900}),
        ({"wanted": "any", "pictures": 1}, {"task": "classify-image", "sees": True}),
        ({"language": ""}, {"languages": ("de",)}),
        ({"most_cost": "8 GB"}, {"cost": Cost(size_bytes=5 * 10**9)}),
        ({}, {"state": "WATCH"}),
        ({}, {"proof": "", "general": True, "domain": ""}),
    ],
)
def test_what_can_be_done_is_not_forbidden(asked: dict, candidate: dict) -> None:
    assert refusal(replace(ASKED, **asked), replace(COOK, **candidate), RULES) == ""


def test_a_general_model_is_held_to_facts_too() -> None:
    general = Candidate("all", "sha256:2", "generate", general=True, context=800)
    assert unable(ASKED, general, RULES)


def test_a_gain_pays_for_so_many_tokens() -> None:
    assert pays(0.04, 3_900, RULES)
    assert not pays(0.04, 4_100, RULES)
    assert not pays(0.0, 0, RULES)
    assert not pays(-0.01, 0, RULES)
