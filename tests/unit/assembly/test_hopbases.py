"""Which bases a hop may be made on: those here, those that fit, those not tried; and pulling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workshop
from metier.assembly import Metier
from metier.assembly.hopbases import HopBases
from metier.errors import InputError, StorageError, UnavailableError
from metier.finding import Entry, Found, Hit, Query
from metier.fleet import Installed
from metier.hop import Done, Wanted
from metier.messages import silent


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home = tmp_path_factory.mktemp("hopbases")
    metier = workshop.opened(home)
    data = workshop.tickets(home / "data", train=20, held_out=10)
    recipe = workshop.recipe(metier, data, name="tickets", curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority", "static")})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return metier


def entry(name: str, **more: Any) -> Hit:
    told = {"kind": "model", "task": "embed", "pull": f"hf.co/{name}", "licence": "MIT", **more}
    return Hit(Entry(name=name, **told), "curated")


class Around:
    """A catalogue of four encoders, a history and a hub that holds one of them."""

    def __init__(self, metier: Metier) -> None:
        self.metier = metier
        self.done: list[Done] = []
        self.pulled: list[str] = []
        self.readable = True

    def find(self, query: Query) -> Found:
        assert (query.task, query.fits) == ("embed", True)
        if not self.readable:
            raise UnavailableError("A catalogue cannot be read.", code="bad_catalogue")
        hits = (
            entry("team/large", size_bytes=91_000_000),
            entry("team/quantised", quantization="Q4_K_M"),
            entry("team/Tiny"),
            entry("team/unpullable", pull=""),
        )
        return Found(query, hits, len(hits))

    def pull(self, name: str, **_more: object) -> Installed:
        self.pulled.append(name)
        if "gone" in name:
            raise InputError("The hub has none.", code="no_repository")
        if "offline" in name:
            raise UnavailableError("There is no network.", code="offline", remedy="Go online.")
        if "full" in name:
            raise StorageError("The disk is full.", code="disk_full")
        return self.metier.show("tiny")

    def bases(self) -> HopBases:
        return HopBases(
            self.metier._workbench, lambda _name: self.done, find=self.find, pull=self.pull
        )


@pytest.fixture
def around(metier: Metier) -> Around:
    return Around(metier)


def test_installed_bases_come_first_and_the_catalogue_says_how_to_get_one(around: Around) -> None:
    here, *elsewhere = around.bases().offers("tickets")
    assert (here.key, here.here) == ("tiny", True)
    assert here.command == "metier hop tickets --base tiny"
    # No head stands on one quantised file; "Tiny" is here already; the last cannot be pulled.
    assert [one.key for one in elsewhere] == ["hf.co/team/large"]
    assert elsewhere[0].note == "91 MB, MIT"
    assert elsewhere[0].command == "metier pull hf.co/team/large"


def test_what_was_held_against_this_champion_is_not_new(around: Around, metier: Metier) -> None:
    system = str(metier.show("tickets").system)
    around.done = [Done("kept", "2026-11-23", system, "other", "why", key="tiny")]
    assert [one.key for one in around.bases().offers("tickets") if one.here] == []
    around.done = [Done("kept", "2026-11-23", "another champion", "other", "why", key="tiny")]
    assert [one.key for one in around.bases().offers("tickets") if one.here] == ["tiny"]


def test_a_catalogue_that_cannot_be_read_offers_nothing(around: Around) -> None:
    around.readable = False
    assert [one.key for one in around.bases().offers("tickets")] == ["tiny"]


def test_bases_are_pulled_only_when_asked(around: Around, metier: Metier) -> None:
    champion = metier.show("tickets")

    def wanted(*bases: str, every_new: bool = False, pull: bool = False) -> list[str]:
        found = around.bases().wanted(
            champion, bases, every_new=every_new, pull=pull, report=silent
        )
        return [one.key for one in found]

    assert wanted("tiny", "tiny", "team/absent") == ["tiny", "team/absent"]
    assert around.pulled == []
    assert wanted("hf.co/team/large@static", pull=True) == ["tiny@static"]
    assert wanted(every_new=True, pull=True) == ["tiny"]
    assert wanted("hf.co/team/gone", pull=True) == ["hf.co/team/gone"]
    assert around.pulled == ["hf.co/team/large", "hf.co/team/large", "hf.co/team/gone"]


def test_a_base_that_cannot_be_fetched_fails_and_the_others_go_on(
    around: Around, metier: Metier
) -> None:
    champion, bases = metier.show("tickets"), around.bases()
    recipe = metier._workbench.classifier_recipe("tickets")

    def able(*names: str) -> list[str]:
        wanted = bases.wanted(champion, names, every_new=False, pull=True, report=silent)
        found = bases.able(champion, recipe, wanted).values()
        return [one.failed if one is not None else "" for one in found]

    assert able("hf.co/team/offline", "tiny") == ["There is no network.", ""]
    with pytest.raises(UnavailableError) as caught:
        able("hf.co/team/offline")
    assert caught.value.remedy == "Go online."
    with pytest.raises(StorageError):
        able("tiny", "hf.co/team/full")


def test_no_new_base_says_what_to_pull(around: Around, metier: Metier) -> None:
    champion = metier.show("tickets")
    around.done = [Done("kept", "x", str(champion.system), "other", "why", key="tiny")]
    with pytest.raises(InputError) as caught:
        around.bases().wanted(champion, (), every_new=True, pull=False, report=silent)
    assert caught.value.code == "no_bases"
    assert "metier pull hf.co/team/large" in str(caught.value.remedy)


def test_what_cannot_be_made_on_is_a_challenger_that_failed(
    around: Around, metier: Metier, tmp_path: Path
) -> None:
    del tmp_path
    champion = metier.show("tickets")
    recipe = metier._workbench.classifier_recipe("tickets")
    names = [Wanted("tiny"), Wanted("absent"), Wanted("tickets"), Wanted("tiny", "static")]
    able = around.bases().able(champion, recipe, dict.fromkeys(names))
    assert able[names[0]] is None
    failed = [able[one] for one in names[1:]]
    assert [bool(one and one.failed) for one in failed] == [True] * 3
    assert failed[0] is not None
    assert failed[0].remedy == "metier pull absent"
