"""What the router of a home is put together from: changes that it sees, ledgers that are none."""

from __future__ import annotations

from pathlib import Path

import workshop
from metier.assembly.routes import open_routing
from metier.recipe import ChatRecipe
from routed_fleet import RECIPE


def test_every_facade_has_a_router_that_reads_nothing_before_it_is_asked(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    assert not (tmp_path / "home" / "routes").exists()
    assert open_routing.__module__ == "metier.assembly.routes"
    assert metier.routing.names() == ()
    metier.close()


def test_the_field_is_read_again_when_the_fleet_or_the_ledger_changed(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    first = metier.routing.field()
    assert metier.routing.field() is first
    metier.make(ChatRecipe.from_toml(RECIPE.format(repairs=1)), folder=tmp_path)
    second = metier.routing.field()
    assert second is not first
    assert [one.name for one in second.candidates] == ["helper"]
    digest = metier.show("helper").digest
    metier.ledger.append("decision", "helper", digest, {"act": "kept"})
    assert metier.routing.field() is not second
    metier.close()


def test_a_ledger_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    metier.make(ChatRecipe.from_toml(RECIPE.format(repairs=1)), folder=tmp_path)
    metier.settings.ledger.write_text("no ledger")
    (one,) = metier.routing.field().candidates
    assert (one.name, one.proof, one.state) == ("helper", "", "PROMOTED")
    metier.close()
