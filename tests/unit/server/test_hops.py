"""Both who hops here and the stand-in of the tests are what the server asks for."""

from __future__ import annotations

import inspect

import pytest

from metier.assembly.hopping import Hopping
from metier.assembly.movingdocs import MovingDocuments
from metier.assembly.rebasing import Rebasing
from metier.server.hops import Hops, Moves, Rebases
from stand_in import hopping as stand_in


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        (Hops, Hopping),
        (Hops, stand_in.Hops),
        (Moves, MovingDocuments),
        (Moves, stand_in.Moves),
        (Rebases, Rebasing),
        (Rebases, stand_in.Rebases),
    ],
)
def test_every_argument_is_taken(protocol: type, kind: type) -> None:
    for verb in (name for name in vars(protocol) if not name.startswith("_")):
        asked = inspect.signature(getattr(protocol, verb)).parameters
        taken = inspect.signature(getattr(kind, verb)).parameters
        assert set(asked) <= set(taken), verb
