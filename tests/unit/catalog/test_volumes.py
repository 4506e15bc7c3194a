"""Volumes: filters and orders by arrays, whole or not there, damage is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from catalog_entries import encode, entry, evidence
from metier.card import Verdict
from metier.catalog import volumes
from metier.catalog.records import Fresh, Records
from metier.catalog.standing import verdict_bit
from metier.catalog.volumes import Filters, Volume
from metier.errors import CorruptError

ENTRIES = [
    entry("big", size_bytes=9 << 30, released="2026-05-01", licence="MIT", context=4096),
    entry("small", size_bytes=1 << 20, released="2025-01-01", task="embed", domain="code"),
    entry("lost", size_bytes=1, evidence=(evidence(Verdict.LOSS),)),
    entry("unknown", base="Qwen/Qwen3"),
    entry("claimed", size_bytes=8 << 30, evidence=(evidence(),)),
]


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    records = Records.open(tmp_path / "e.sqlite")
    records.replace("acme", "1", [Fresh(one) for one in ENTRIES])
    with records.snapshot("acme") as (_, rows):
        volumes.build(tmp_path, "acme-1", rows)
    return Volume.open(tmp_path / "acme-1", "acme")


def names(volume: Volume, order: str) -> list[str]:
    return [ENTRIES[place].name for place in volume.order(order)]


def passing(volume: Volume, **wanted: object) -> list[str]:
    mask = volume.mask(Filters(**wanted))  # type: ignore[arg-type]
    assert mask is not None
    return [ENTRIES[place].name for place in np.flatnonzero(mask)]


def test_orders(volume: Volume) -> None:
    assert names(volume, "standing") == ["claimed", "small", "big", "unknown", "lost"]
    assert names(volume, "newest")[:2] == ["big", "small"]
    assert names(volume, "smallest") == ["lost", "small", "claimed", "big", "unknown"]
    assert names(volume, "name") == sorted(names(volume, "name"))


def test_filters(volume: Volume) -> None:
    assert volume.mask(Filters(facets={"task": ""})) is None
    assert passing(volume, facets={"task": "embed", "domain": "code"}) == ["small"]
    assert passing(volume, facets={"licence": "gpl"}) == []
    assert passing(volume, facets={"base": "qwen/qwen3"}) == ["unknown"]
    assert passing(volume, most_bytes=1 << 20) == ["small", "lost"]
    assert passing(volume, least_context=4096) == ["big"]
    assert passing(volume, since=20260101) == ["big"]
    assert passing(volume, verdict=verdict_bit("LOSS")) == ["lost"]
    ids = volume.numbers("id")
    assert passing(volume, only=frozenset({int(ids[1]), 10**9})) == ["small"]
    assert passing(volume, only=frozenset()) == []


def test_facets(volume: Volume) -> None:
    assert volume.facets(None)["task"] == {"chat": 4, "embed": 1}
    assert volume.facets(volume.mask(Filters(facets={"task": "embed"})))["licence"] == {}


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "about"])
def test_damage_is_seen(volume: Volume, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "acme-1"
    file = next(path for path in sorted((folder / "words").iterdir()) if path.stat().st_size > 50)
    data = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(data[:-1])
    elif damage == "flip":
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    elif damage == "gone":
        file.unlink()
    else:
        (folder / "about.json").write_text("[]")
    with pytest.raises(CorruptError) as told:
        Volume.open(folder, "acme")
    assert told.value.code == "bad_volume"


def test_whoever_comes_second_finds_it_there(volume: Volume, tmp_path: Path) -> None:
    before = (tmp_path / "acme-1" / "about.json").stat().st_ino
    records = Records.open(tmp_path / "e.sqlite")
    with records.snapshot("acme") as (_, rows):
        volumes.build(tmp_path, "acme-1", rows)
    assert (tmp_path / "acme-1" / "about.json").stat().st_ino == before
    assert [path.name for path in tmp_path.glob("*-*") if path.is_dir()] == ["acme-1"]


def test_a_crash_leaves_nothing_that_is_taken_for_whole(tmp_path: Path) -> None:
    def rows() -> Iterator[volumes.Row]:
        raise RuntimeError("power cut")
        yield

    with pytest.raises(RuntimeError):
        volumes.build(tmp_path, "acme-1", rows)
    assert not (tmp_path / "acme-1").exists()


def test_vectors_beside_the_words_and_what_was_encoded_stays(
    volume: Volume, tmp_path: Path
) -> None:
    records = Records.open(tmp_path / "e.sqlite")
    asked: list[str] = []

    def counted(texts):  # type: ignore[no-untyped-def]
        asked.extend(texts)
        return encode(texts)

    folder = tmp_path / "acme-1"
    assert volume.meaning("e") is None
    volumes.add_meaning(folder, "e", lambda: records.texts("acme"), counted, lot=2)
    meaning = volume.meaning("e")
    assert meaning is not None
    assert meaning.halves.shape == (5, 64)
    assert len(asked) == 5
    assert volume.meaning("another") is None

    records.replace("acme", "2", [Fresh(one) for one in [*ENTRIES[1:], entry("fresh")]])
    with records.snapshot("acme") as (_, rows):
        volumes.build(tmp_path, "acme-2", rows)
    volumes.add_meaning(
        tmp_path / "acme-2", "e", lambda: records.texts("acme"), counted, before=folder
    )
    assert len(asked) == 6, "only the new one"
    again = Volume.open(tmp_path / "acme-2", "acme").meaning("e")
    assert again is not None
    assert np.array_equal(again.halves[0], meaning.halves[1])
