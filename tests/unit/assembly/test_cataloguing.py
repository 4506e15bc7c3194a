"""Catalogues as a person keeps them: built, hosted, added, brought up to date, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.assembly import Metier
from metier.assembly.cataloguing import Cataloguer, open_cataloguer
from metier.catalog import curated, static
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.finding import Entry, Query
from metier.messages import Progress
from metier.settings import Settings
from stand_in.hub import Hub, serving_hub
from stand_in.serving_files import serving_files

DAY = "2026-11-23"


@pytest.fixture
def home(tmp_path: Path) -> Cataloguer:
    return open_cataloguer(Metier.open(Settings(home=tmp_path / "home")))


def write(folder: Path, *names: str, name: str = "team") -> None:
    entries = [Entry(name=one, kind="specialist", task="chat") for one in names]
    static.write(folder, static.render(entries, name=name, title="Ours", made=DAY))


def test_the_curated_index_can_be_given_away_and_added_from_a_folder(
    home: Cataloguer, tmp_path: Path
) -> None:
    built = home.build(tmp_path / "out", source="curated", name="ours", title="A copy")

    kept = home.add(str(tmp_path / "out"))

    assert built.entries == kept.catalogue.entries == len(curated.entries())
    known = {entry.name: entry for entry in curated.entries()}
    assert {entry.name: entry for entry in home.shelf.entries("ours")} == known
    assert kept.address == str(tmp_path / "out")


def test_what_is_installed_comes_with_its_cards(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path / "home"))
    metier.install_starters(lambda _: None)
    home = open_cataloguer(metier)

    built = home.build(tmp_path / "out", source="here", name="mine")

    assert built.cards > 0
    catalogue, entries = static.read_folder(tmp_path / "out")
    by_name = {entry.name: entry for entry in entries}
    assert by_name["banking-intents"].evidence
    told = {card.sha256 for card in catalogue.cards}
    assert (by_name["banking-intents"].card or "").removeprefix("sha256:") in told
    home.add(str(tmp_path / "out"))
    assert [one.catalogue.name for one in home.added()[0]] == ["mine"]


def test_a_catalogue_is_fetched_kept_and_read_without_its_server(
    home: Cataloguer, tmp_path: Path
) -> None:
    write(tmp_path / "site" / "c", "a/one", "a/two")
    steps: list[Progress] = []

    with serving_files(tmp_path / "site") as address:
        kept = home.add(f"{address}/c/catalogue.json", report=steps.append)

    assert kept.address == f"{address}/c"
    assert [entry.name for entry in home.shelf.entries("team")] == ["a/one", "a/two"]
    assert "2 files" in steps[-2].message
    assert "2 entries" in steps[-1].message


def test_what_was_added_is_found_until_it_is_removed(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path / "home"))
    query = Query("svelte", origin="team", meaning=False)
    write(tmp_path / "out", "acme/svelte-coder", "acme/other")
    assert metier.find(query).hits == ()

    metier.catalogs.add(str(tmp_path / "out"))

    assert [hit.entry.name for hit in metier.find(query).hits] == ["acme/svelte-coder"]
    assert metier.find(query).hits[0].origin == "team"
    metier.catalogs.remove("team")
    assert metier.find(query).hits == ()


def test_another_name_is_kept_when_it_is_brought_up_to_date(
    home: Cataloguer, tmp_path: Path
) -> None:
    write(tmp_path / "site", "a/one")
    with serving_files(tmp_path / "site") as address:
        assert home.add(address, name="mine").catalogue.name == "mine"
        (same,) = home.update("mine")
        write(tmp_path / "site", "a/one", "a/two")
        (changed,) = home.update()

    assert (same.changed, changed.changed, changed.entries) == (False, True, 2)
    assert home.shelf.names() == ["mine"]


def test_a_failed_update_keeps_what_was_there(home: Cataloguer, tmp_path: Path) -> None:
    write(tmp_path / "site", "a/one")
    with serving_files(tmp_path / "site") as address:
        home.add(address)
        shard = next((tmp_path / "site" / "entries").iterdir())
        shard.write_bytes(shard.read_bytes().replace(b"one", b"two"))
        (spoiled,) = home.update()

    (gone,) = home.update()

    assert spoiled.error is not None
    assert spoiled.error.code == "bad_catalogue"
    assert gone.error is not None
    assert gone.error.code == "hub_unreachable"
    assert [entry.name for entry in home.shelf.entries("team")] == ["a/one"]


def test_a_lying_catalogue_is_never_kept(home: Cataloguer, tmp_path: Path) -> None:
    write(tmp_path / "site", "a/one")
    document = json.loads((tmp_path / "site" / "catalogue.json").read_bytes())
    document["shards"][0]["size"] += 1
    (tmp_path / "site" / "catalogue.json").write_text(json.dumps(document))

    with serving_files(tmp_path / "site") as address, pytest.raises(InputError) as caught:
        home.add(address)

    assert caught.value.code == "bad_catalogue"
    assert home.added() == ([], [])


def test_a_name_from_elsewhere_is_taken_and_one_that_is_not_there_is_not_found(
    home: Cataloguer, tmp_path: Path
) -> None:
    write(tmp_path / "one", "a/one")
    write(tmp_path / "two", "a/two")
    home.add(str(tmp_path / "one"))

    with pytest.raises(InputError) as caught:
        home.add(str(tmp_path / "two"))
    assert caught.value.code == "catalogue_taken"
    with pytest.raises(NotFoundError):
        home.update("tame")
    home.remove("team")
    with pytest.raises(NotFoundError):
        home.remove("team")


def test_offline_only_folders_are_asked(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path / "home", hub_offline=True))
    home = open_cataloguer(metier)
    write(tmp_path / "site", "a/one")

    assert home.add(str(tmp_path / "site")).catalogue.entries == 1
    for ask in (lambda: home.add("https://example.org/c"), lambda: home.search_hub(Query("x"))):
        with pytest.raises(UnavailableError) as caught:
            ask()
        assert caught.value.code == "offline"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as found:
        tags = {"pipeline_tag": "text-generation", "tags": ["gguf"]}
        found.facts = {
            "maker/tiny-one": {**tags, "cardData": {"license": "mit"}},
            "maker/tiny-two": {**tags, "createdAt": "2026-01-05T00:00:00Z"},
        }
        yield found


def test_the_hub_is_searched_and_its_hits_say_that_nothing_was_measured(
    hub: Hub, tmp_path: Path
) -> None:
    home = open_cataloguer(Metier.open(Settings(home=tmp_path, hub_endpoint=hub.url)))

    hits = home.search_hub(Query("tiny", task="chat", limit=5))

    assert [hit.entry.name for hit in hits] == ["maker/tiny-one", "maker/tiny-two"]
    assert {hit.origin for hit in hits} == {"hub"}
    assert "nothing of it was measured by us" in hits[0].reasons[0].said
    licensed = home.search_hub(Query("tiny", licence="MIT"))
    recent = home.search_hub(Query("tiny", since="2026-01-01", most_bytes=10**9, order="newest"))
    assert [hit.entry.name for hit in licensed] == ["maker/tiny-one"]
    assert [hit.entry.name for hit in recent] == ["maker/tiny-two"]
