"""Friendly folders: one for every name, none for two, made again from the index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import InputError
from metier.manifest import FILEPATH, Descriptor, Manifest
from metier.reference import Digest, Reference
from metier.store import Store, links

MODELS = Path("/models")
words = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,5}", fullmatch=True)
plain = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,5}", fullmatch=True)
references = st.builds(Reference, model=words, tag=words | st.just("latest")) | st.builds(
    Reference,
    model=words,
    tag=words | st.just("latest"),
    namespace=plain,
    host=st.just("") | words | st.just("hub.example.com:5000"),
)


def manifest(*paths: str | None) -> Manifest:
    def layer(path: str | None) -> Descriptor:
        notes = {} if path is None else {FILEPATH: path}
        digest = str(Digest.of((path or "").encode()))
        return Descriptor(mediaType="x", digest=digest, size=1, annotations=notes)

    return Manifest(config=layer(None), layers=tuple(layer(path) for path in paths))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("banking", "banking"),
        ("banking:2", "banking:2"),
        ("team/triage", "@team/triage"),
        ("hub.example.com:5000/team/triage:v1", "@hub.example.com:5000/@team/triage:v1"),
    ],
)
def test_the_folder_of_a_name(name: str, folder: str) -> None:
    reference = Reference.parse(name)
    assert links.folder_of(MODELS, reference) == MODELS / folder
    assert links.reference_of(MODELS, MODELS / folder) == reference


@given(references)
def test_every_name_comes_back_from_its_folder(reference: Reference) -> None:
    assert links.reference_of(MODELS, links.folder_of(MODELS, reference)) == reference


@given(references, references)
def test_no_folder_lies_in_another(one: Reference, two: Reference) -> None:
    if one != two:
        first, second = (links.folder_of(MODELS, reference) for reference in (one, two))
        assert not first.is_relative_to(second)


@pytest.mark.parametrize("folder", ["no spaces", "team/triage", "@a/@b/@c/d", "@a/@b", "x:latest"])
def test_other_folders_have_no_name(folder: str) -> None:
    assert links.reference_of(MODELS, MODELS / folder) is None


def test_parts_without_a_path_have_no_link() -> None:
    assert list(links.expected(manifest("b/c.json", None, "a.json"))) == ["b/c.json", "a.json"]


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b/c", "a/b"), ("a/b/c", "a")])
def test_two_parts_cannot_share_a_path(paths: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        links.expected(manifest(*paths))
    assert caught.value.code == "bad_manifest"


def test_links_share_the_blobs_bytes(store: Store, put: Any) -> None:
    put("team/one", {"deep/a.json": b"aaa", "b.json": b"b"})
    folder = store.home / "models/@team/one"
    assert (folder / "deep/a.json").samefile(store.blob_path(Digest.of(b"aaa")))
    store.remove(Reference.parse("team/one"))
    assert list((store.home / "models").iterdir()) == []


def test_a_namespace_stays_while_something_is_in_it(store: Store, put: Any) -> None:
    put("team/one")
    put("team/two")
    store.remove(Reference.parse("team/one"))
    assert [path.name for path in (store.home / "models/@team").iterdir()] == ["two"]


def test_where_no_link_can_be_made_a_copy_serves(
    store: Store, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems without hard links exist, but not on every machine that runs this."""

    def refuse(*_arguments: object, **_named: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr("os.link", refuse)
    put("one", {"a.json": b"aaa"})
    copy = store.home / "models/one/a.json"
    assert copy.read_bytes() == b"aaa"
    assert not copy.samefile(store.blob_path(Digest.of(b"aaa")))
    assert store.verify().problems == ()
    store.remove(Reference.parse("one"))
    assert not copy.exists()


def test_mending_makes_what_is_missing_and_removes_what_nobody_names(
    store: Store, put: Any
) -> None:
    put("one", {"a.json": b"aaa"})
    put("two", {"a.json": b"bbb"})
    one, two = (store.home / "models" / name for name in ("one", "two"))
    (one / "a.json").unlink()
    stale = store.home / "models/@gone/three"
    stale.parent.mkdir()
    two.rename(stale)
    (store.home / "models/notes.txt").write_bytes(b"mine")
    store.collect_garbage()
    assert (one / "a.json").read_bytes() == b"aaa"
    assert (two / "a.json").read_bytes() == b"bbb"
    assert not stale.parent.exists()
    assert (store.home / "models/notes.txt").exists()


def test_what_a_person_put_there_stays(store: Store, put: Any) -> None:
    put("one")
    own = store.home / "models/my-own"
    own.mkdir()
    (own / "thing.txt").write_bytes(b"mine")
    store.collect_garbage()
    assert (own / "thing.txt").read_bytes() == b"mine"
    assert store.verify().problems == ()


def test_a_link_that_is_a_symbolic_one_is_made_again(store: Store, put: Any) -> None:
    put("one", {"a.json": b"aaa"})
    place = store.home / "models/one/a.json"
    place.unlink()
    place.symlink_to(store.blob_path(Digest.of(b"aaa")))
    assert len(store.verify().problems) == 1
    store.collect_garbage()
    assert not place.is_symlink()
    assert store.verify().problems == ()


def test_a_file_in_place_of_a_folder_is_replaced(store: Store, put: Any) -> None:
    put("one", {"deep/a.json": b"aaa"})
    folder = store.home / "models/one"
    store.remove(Reference.parse("one"))
    folder.write_bytes(b"in the way")
    put("one", {"deep/a.json": b"aaa"})
    assert (folder / "deep/a.json").read_bytes() == b"aaa"
