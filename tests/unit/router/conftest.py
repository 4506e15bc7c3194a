"""Questions of two made-up domains, and a model of them that is fitted once."""

from __future__ import annotations

import pytest

from metier.router import DomainModel
from metier.router.learning import fit_domains

DISHES = ("an egg", "rice", "onions", "bread", "lentils", "a carp", "pasta", "beans", "leeks")
WAYS = ("boil {}", "fry {} in butter", "how long do I bake {}", "which spice goes with {}")
AFTER = ("for two people", "without a stove", "so that it stays soft", "the way my aunt does")
THINGS = ("my card", "a transfer", "the savings account", "my loan", "a cheque", "the fee")
TROUBLES = ("{} was declined", "why is {} pending", "close {} please", "how do I top up {}")
SINCE = ("since monday", "at the branch", "in the app", "again", "abroad", "after the update")


@pytest.fixture(scope="session")
def questions() -> dict[str, list[str]]:
    """144 questions about cooking and 144 about a bank."""
    return {
        "cooking": [f"{way.format(d)} {end}" for way in WAYS for d in DISHES for end in AFTER],
        "bank": [f"{one.format(t)} {end}" for one in TROUBLES for t in THINGS for end in SINCE],
    }


@pytest.fixture(scope="session")
def model(questions: dict[str, list[str]]) -> DomainModel:
    """Fitted on all of them with the shipped settings."""
    return fit_domains(questions)
