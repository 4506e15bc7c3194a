"""The protocols: that what the tests hand in, the fleet and the site fit them."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from metier import assembly, fleet
from metier.server import facade
from metier.site import Site
from stand_in.cards import banking
from stand_in.metier import StandIn


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [(facade.Facade, StandIn), (facade.Facade, assembly.Metier), (facade.Pages, Site)],
)
def test_every_method_is_there_with_the_same_parameters(protocol: type, kind: type) -> None:
    for name in members(protocol):
        if isinstance(getattr(protocol, name), property):
            assert hasattr(kind, name) or f"self.{name} = " in inspect.getsource(kind), name
            continue
        wanted = inspect.signature(getattr(protocol, name)).parameters
        given = inspect.signature(getattr(kind, name)).parameters
        open_ended = any(p.kind is p.VAR_KEYWORD for p in given.values())
        assert open_ended or set(wanted) <= set(given), name


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [(facade.Installed, fleet.Installed), (facade.Part, assembly.InstalledPart)],
)
def test_the_fleets_values_fit(protocol: type, kind: type) -> None:
    fields = {field.name for field in dataclasses.fields(kind)}
    assert members(protocol) <= fields


def test_the_stand_in_answers(tmp_path: Path) -> None:
    metier = StandIn(tmp_path, [banking()])
    part = next(part for part in metier.parts("banking-intents") if part.filepath == "card.json")
    assert part.path.read_bytes() == banking().to_bytes()
    assert len(metier.classify("banking-intents", ["where is my card"])) == 1
