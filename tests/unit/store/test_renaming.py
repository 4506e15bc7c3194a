"""Several names change in one step, or none does; what a killed process left is put right."""

from __future__ import annotations

import os
from typing import Any

import pytest

from metier.errors import NotFoundError, StorageError
from metier.reference import Digest, Reference
from metier.store import Store, links
from metier.store.layout import Layout

NAME, OTHER = Reference.parse("name"), Reference.parse("other")


def stands(store: Store) -> dict[str, Digest]:
    return {reference.familiar: entry.digest for reference, entry in store.entries().items()}


def test_names_change_places(store: Store, put: Any) -> None:
    one, two = put("name", {"a.json": b"1"}), put("other", {"a.json": b"2"})
    store.rename({NAME: two, NAME.previous: one, OTHER: None}, expect={NAME: one, OTHER: two})
    assert stands(store) == {"name": two, "name@previous": one}
    assert (store.folder(NAME) / "a.json").read_bytes() == b"2"
    assert (store.folder(NAME.previous) / "a.json").read_bytes() == b"1"
    assert not store.folder(OTHER).exists()
    assert store.verify().problems == ()
    assert store.collect_garbage().removed == 0
    store.rename({NAME.previous: None})
    assert store.collect_garbage().removed > 0
    assert store.verify().problems == ()


def test_nothing_changes_if_somebody_was_faster(store: Store, put: Any) -> None:
    one, two = put("name", {"a.json": b"1"}), put("other", {"a.json": b"2"})
    before = stands(store)
    for expect in ({NAME: two}, {NAME: None}, {NAME.previous: one}):
        with pytest.raises(StorageError) as caught:
            store.rename({NAME: two}, expect=expect)
        assert caught.value.code == "name_changed"
        assert caught.value.retryable
    assert stands(store) == before
    store.rename({NAME: two}, expect={NAME: one, NAME.previous: None})


def test_what_is_not_here_gets_no_name(store: Store, put: Any) -> None:
    put("name")
    before = stands(store)
    with pytest.raises(NotFoundError):
        store.rename({NAME: Digest("0" * 64)})
    digest = before["name"]
    layer = store.manifest(digest).layers[0]
    (store.home / "store" / "blobs" / "sha256" / layer.blob.hex).unlink()
    with pytest.raises(NotFoundError) as caught:
        store.rename({OTHER: digest})
    assert caught.value.code == "blob_not_found"
    assert stands(store) == before


@pytest.mark.parametrize("moment", ["before the index", "after the index", "between the links"])
def test_a_kill_leaves_all_or_nothing(store: Store, put: Any, moment: str) -> None:
    one, two = put("name", {"a.json": b"1"}), put("other", {"a.json": b"2"})
    child = os.fork()
    if child == 0:
        _die_at(moment)
        store.rename({NAME: two, NAME.previous: one, OTHER: None})
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    again = Store.open(store.home)
    happened = {"name": two, "name@previous": one}
    expected = {"name": one, "other": two} if moment == "before the index" else happened
    assert stands(again) == expected
    put("third", into=again)  # whoever writes next puts the links right
    for name, digest in expected.items():
        content = b"2" if digest == two else b"1"
        assert (again.folder(Reference.parse(name)) / "a.json").read_bytes() == content
    assert again.verify().problems == ()


def _die_at(moment: str) -> None:
    """In a process of its own: end at this moment, as a kill would."""
    write, swap = Layout.write_index, links.swap
    swapped = []

    def dying_write(self: Layout, index: Any) -> None:
        if moment == "before the index":
            os._exit(9)
        write(self, index)
        if moment == "after the index":
            os._exit(9)

    def dying_swap(layout: Layout, reference: Reference, tree: Any) -> None:
        swap(layout, reference, tree)
        swapped.append(reference)
        if moment == "between the links" and len(swapped) == 2:
            os._exit(9)

    Layout.write_index = dying_write  # type: ignore[method-assign]
    links.swap = dying_swap
