"""Both who hops here and the stand-in of the tests are what the server asks for."""

from __future__ import annotations

import inspect

import pytest

from metier.assembly.hopping import Hopping
from metier.server.hops import Hops
from stand_in.hopping import Hops as StandIn


@pytest.mark.parametrize("kind", [Hopping, StandIn])
@pytest.mark.parametrize("verb", ["hop", "rollback", "document"])
def test_every_argument_is_taken(kind: type, verb: str) -> None:
    asked = inspect.signature(getattr(Hops, verb)).parameters
    taken = inspect.signature(getattr(kind, verb)).parameters
    assert set(asked) <= set(taken)
