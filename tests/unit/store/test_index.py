"""The index survives a round trip, proves itself, and is an OCI index to others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import CorruptError, StorageError
from metier.manifest import INDEX_TYPE, MANIFEST_TYPE, canonical_json
from metier.reference import Digest, Reference
from metier.store.index import FORMAT, Entry, Index

words = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True)
plain = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,9}", fullmatch=True)
entries = st.builds(
    Entry,
    reference=st.builds(Reference, model=words, tag=words, namespace=plain),
    digest=st.binary(max_size=4).map(Digest.of),
    size=st.integers(0, 1 << 40),
    modified=st.just("2026-01-01T00:00:00Z"),
)


def entry(name: str, content: bytes = b"x") -> Entry:
    return Entry(Reference.parse(name), Digest.of(content), 1, "2026-01-01T00:00:00Z")


@given(st.lists(entries, max_size=6))
def test_what_is_written_is_read(found: list[Entry]) -> None:
    index = Index()
    for one in found:
        index = index.with_entry(one)
    again = Index.from_bytes(index.to_bytes())
    assert dict(again.entries) == dict(index.entries)
    assert again.to_bytes() == index.to_bytes()


def test_changes_give_a_new_index() -> None:
    one = Index().with_entry(entry("a"))
    two = one.with_entry(entry("a", b"y")).with_entry(entry("b"))
    assert one.entries[Reference("a")].digest == Digest.of(b"x")
    assert two.entries[Reference("a")].digest == Digest.of(b"y")
    assert list(two.without(Reference("a")).entries) == [Reference("b")]
    assert two.without(Reference("absent")).entries == two.entries


def test_others_see_an_oci_index() -> None:
    document = json.loads(Index().with_entry(entry("team/a:1")).to_bytes())
    assert document["schemaVersion"] == 2
    assert document["mediaType"] == INDEX_TYPE
    (descriptor,) = document["manifests"]
    assert descriptor["mediaType"] == MANIFEST_TYPE
    assert descriptor["digest"] == str(Digest.of(b"x"))
    assert descriptor["annotations"]["org.opencontainers.image.ref.name"] == "team/a:1"


def test_order_of_insertion_does_not_matter() -> None:
    one = Index().with_entry(entry("a")).with_entry(entry("b"))
    two = Index().with_entry(entry("b")).with_entry(entry("a"))
    assert one.to_bytes() == two.to_bytes()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_index_or_a_clear_error(data: bytes) -> None:
    with pytest.raises(CorruptError) as caught:
        Index.from_bytes(data)
    assert caught.value.code == "corrupt_index"
    assert "metier gc" in (caught.value.remedy or "")


def signed(document: dict[str, object]) -> bytes:
    """A document that carries its own digest, as only a program that knows how can write it."""
    document["annotations"] = {"io.metier.store.format": FORMAT} | dict(
        document.get("annotations", {})  # type: ignore[call-overload]
    )
    document["annotations"]["io.metier.store.digest"] = "0" * 64  # type: ignore[index]
    digest = Digest.of(canonical_json(document)).hex
    document["annotations"]["io.metier.store.digest"] = digest  # type: ignore[index]
    return canonical_json(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"manifests": 3},
        {"manifests": [3]},
        {"manifests": [{}]},
        {"manifests": [{"digest": "sha256:x", "size": 1, "annotations": {}}]},
    ],
)
def test_a_signed_index_is_still_checked(document: dict[str, object]) -> None:
    with pytest.raises(CorruptError):
        Index.from_bytes(signed(document))


def test_deep_nesting_is_a_clear_error() -> None:
    with pytest.raises(CorruptError):
        Index.from_bytes(b"[" * 100_000)


def test_a_newer_format_is_left_alone() -> None:
    newer = signed({"manifests": [], "annotations": {"io.metier.store.format": "2"}})
    with pytest.raises(StorageError) as caught:
        Index.from_bytes(newer)
    assert caught.value.code == "newer_store"


def test_an_index_of_another_tool_is_not_trusted() -> None:
    document = {"schemaVersion": 2, "manifests": []}
    with pytest.raises(CorruptError):
        Index.from_bytes(canonical_json(document))
