"""Lists: everything that is here, read once, and a list of a thousand in no time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from local_models import install_local
from metier.assembly import Metier
from metier.assembly.catalogue import Catalogue, place
from metier.assembly.facts import Facts
from metier.errors import InputError, MetierError
from metier.fleet import Fleet
from metier.settings import Settings
from metier.store import Store
from tiny_gguf import tiny_model


def test_specialists_of_today_are_listed(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path))
    metier.install_starters(lambda _: None)
    listed = {listing.name: listing for listing in metier.models.listings()}
    assert listed["sveltekit"].task == "chat"
    assert listed["sveltekit"].capabilities == ("completion", "tools")
    assert listed["banking-intents"].capabilities == ("classify",)
    assert listed["banking-intents"].parent == "all-minilm-l6-v2"
    assert all(len(listing.digest) == 64 for listing in listed.values())
    assert all(listing.modified.endswith("Z") for listing in listed.values())


def test_a_list_that_nobody_changed_costs_a_look(tmp_path: Path) -> None:
    fleet = Fleet(Store.open(tmp_path / "home"))
    weights = tiny_model(tmp_path)
    install_local(fleet, "tiny", weights)
    for number in range(40):
        fleet.copy("tiny", f"copy-{number}")
    facts = Facts()
    catalogue = Catalogue(fleet, facts)
    first = catalogue.listings()
    assert len(first) == 41
    assert len(facts._known) == 1
    began = time.perf_counter()
    for _ in range(100):
        assert catalogue.listings() is first
    assert time.perf_counter() - began < 1.0  # 10 ms each on the slowest machine


def test_a_damaged_model_is_listed_and_says_so_when_asked(tmp_path: Path) -> None:
    fleet = Fleet(Store.open(tmp_path / "home"))
    installed = install_local(fleet, "tiny", tiny_model(tmp_path))
    blob = place(fleet, installed, "model.gguf")
    blob.chmod(0o644)
    size = blob.stat().st_size
    blob.write_bytes(b"GARBAGE!" + b"\0" * (size - 8))
    (listing,) = Catalogue(fleet, Facts()).listings()
    assert listing.details.family == ""
    blob.write_bytes(b"short")
    with pytest.raises(MetierError) as told:
        place(fleet, installed, "model.gguf")
    assert told.value.code == "corrupt_blob"


@pytest.mark.parametrize("name", ["auto", "auto:python"])
def test_the_router_is_no_model(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as told:
        Catalogue(Fleet(Store.open(tmp_path)), Facts()).known(name)
    assert told.value.code == "no_capability"
    assert "/v1/chat/completions" in str(told.value.remedy)
