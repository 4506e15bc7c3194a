"""Every single flipped bit in a store is found by verify, and none is ever read as if sound."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from store_worker import install, parts_of

from metier.errors import CorruptError
from metier.reference import Reference
from metier.store import Store
from metier.store.index import Index

FLIPS = 1000


def flipped(data: bytes, bit: int) -> bytes:
    """``data`` with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def everything(home: Path) -> dict[str, dict[str, bytes]]:
    """Every part of every name, read through a fresh store."""
    store = Store.open(home)
    found: dict[str, dict[str, bytes]] = {}
    for reference in store.references():
        _, manifest = store.get(reference)
        found[str(reference)] = {
            layer.filepath or "": store.read_blob(layer.blob) for layer in manifest.layers
        }
        for blob in manifest.blobs():
            assert store.blob_path(blob.blob).read_bytes() == store.read_blob(blob.blob)
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store = Store.open(tmp_path)
    for number, name in enumerate(("one", "team/two", "one:3")):
        install(store, name, parts_of(number, (1, 40, 900)))
    return tmp_path


def test_a_thousand_flips_are_all_found_and_none_is_loaded(home: Path) -> None:
    source = random.Random(7)
    sound = everything(home)
    store = Store.open(home)
    manifests = {store.entries()[name].digest.hex for name in store.references()}
    blobs = sorted((home / "store/blobs/sha256").iterdir())
    kinds = {
        "manifest": [path for path in blobs if path.name in manifests],
        "blob": [path for path in blobs if path.name not in manifests],
        "index": [home / "store/index.json"],
        "layout": [home / "store/oci-layout"],
        "link": sorted(path for path in (home / "models").rglob("*") if path.is_file()),
    }
    found: Counter[str] = Counter()
    for turn in range(FLIPS):
        kind = list(kinds)[turn % len(kinds)]
        path = source.choice(kinds[kind])
        original, mode = path.read_bytes(), path.stat().st_mode
        path.chmod(0o644)
        path.write_bytes(flipped(original, source.randrange(len(original) * 8)))
        problems = Store.open(home).verify().problems
        assert problems, f"{kind}: {path}"
        named = {problem.where for problem in problems}
        # A flip through a friendly name is a flip in the blob.
        assert str(path) in named or kind == "link", named
        try:
            assert everything(home) == sound
        except CorruptError:
            found[kind] += 1
        path.write_bytes(original)
        path.chmod(mode)
    assert Store.open(home).verify().problems == ()
    assert sum(found.values()) > FLIPS / 2, found


def test_every_bit_of_the_index_counts(home: Path) -> None:
    original = (home / "store/index.json").read_bytes()
    assert len(Index.from_bytes(original).entries) == 3
    for bit in range(len(original) * 8):
        with pytest.raises(CorruptError) as caught:
            Index.from_bytes(flipped(original, bit))
        assert caught.value.code == "corrupt_index"


def test_a_replaced_link_is_found_and_made_again(home: Path) -> None:
    """An editor that writes a new file in a link's place leaves the blob sound."""
    path = home / "models/one/deep/part-2.json"
    original = path.read_bytes()
    for bit in (0, 77, len(original) * 8 - 1):
        path.unlink()
        path.write_bytes(flipped(original, bit))
        store = Store.open(home)
        assert [problem.where for problem in store.verify().problems] == [str(path)]
        store.collect_garbage()
        assert path.read_bytes() == original
        assert store.verify().problems == ()


def test_flipped_names_are_found(home: Path) -> None:
    source = random.Random(8)
    paths = sorted((home / "store/blobs/sha256").iterdir())
    paths += sorted(path for path in (home / "models").rglob("*") if path.is_file())
    for path in paths:
        letter = source.randrange(len(path.name))
        other = chr(ord(path.name[letter]) ^ 4)
        renamed = path.with_name(path.name[:letter] + other + path.name[letter + 1 :])
        path.rename(renamed)
        assert Store.open(home).verify().problems
        renamed.rename(path)
    assert Store.open(home).verify().problems == ()


def test_importing_again_heals_a_flipped_blob_for_every_name_that_has_it(
    home: Path, tmp_path: Path
) -> None:
    store = Store.open(home)
    _, manifest = store.get(Reference.parse("one"))
    shared = manifest.part("shared.json")
    assert shared is not None
    blob = store.blob_path(shared.blob)
    original = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(flipped(original, 3))
    problems = store.verify().problems
    assert len(problems) == 1
    assert "one, one:3, team/two" in problems[0].what
    install(store, "one", parts_of(0, (1, 40, 900)))
    assert store.verify().problems == ()
    assert (home / "models/@team/two/shared.json").samefile(blob)
