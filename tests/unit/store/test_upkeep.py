"""What verify finds, in words, and what gc may and may not take."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from metier.errors import CorruptError, MetierError
from metier.manifest import CONFIG_TYPE, Manifest, canonical_json
from metier.messages import Progress
from metier.reference import Digest, Reference
from metier.store import Store

ONE = Reference.parse("one")


def blob(store: Store, digest: Digest) -> Path:
    return store.home / "store/blobs/sha256" / digest.hex


def damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"#")


def only(store: Store) -> tuple[str, str, str]:
    """The one problem that verify finds."""
    (problem,) = store.verify().problems
    return problem.what, problem.where, problem.remedy


def test_a_sound_store_has_no_problems(store: Store, put: Any) -> None:
    put("one", {"a.json": b"a", "b.json": b"b"})
    seen: list[Progress] = []
    found = store.verify(seen.append)
    assert found.problems == ()
    assert found.checked == 2 + 4 + 2
    assert [step.fraction for step in seen][-1] == 1.0
    assert all(step.stage == "verify" for step in seen)


def test_an_empty_store_is_sound(store: Store) -> None:
    assert store.verify().problems == ()
    assert store.collect_garbage().removed == 0


def test_a_damaged_blob_names_who_needs_it(store: Store, put: Any) -> None:
    put("one", {"a.json": b"shared"})
    put("two:1", {"a.json": b"shared"})
    path = blob(store, Digest.of(b"shared"))
    damage(path)
    what, where, remedy = only(store)
    assert "one, two:1" in what
    assert where == str(path)
    assert "Import it again" in remedy


def test_a_damaged_blob_that_nobody_needs_goes_with_gc(store: Store, put: Any) -> None:
    put("one")
    store.remove(ONE)
    damage(next((store.home / "store/blobs/sha256").iterdir()))
    assert "metier gc" in only(store)[2]
    store.collect_garbage()
    assert store.verify().problems == ()


def test_a_lost_blob_and_a_lost_manifest(store: Store, put: Any) -> None:
    digest = put("one", {"a.json": b"aaa"})
    blob(store, Digest.of(b"aaa")).unlink()
    what, where, remedy = only(store)
    assert what == "one has lost a blob: a.json."
    assert where.endswith(Digest.of(b"aaa").hex)
    assert "metier rm one" in remedy
    put("one", {"a.json": b"aaa"})
    blob(store, digest).unlink()
    assert only(store)[0] == "one has lost a blob: its manifest."


def test_a_lost_configuration_is_named(store: Store) -> None:
    with store.ingest() as work:
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        work.put(ONE, Manifest(config=config, layers=()))
    blob(store, config.blob).unlink()
    assert only(store)[0] == "one has lost a blob: its configuration."


def test_an_intact_blob_that_is_no_manifest(store: Store, put: Any) -> None:
    """Only a defect of ours could name it; verify says so all the same."""
    put("one", {"a.json": b"aaa"})
    layout = store._layout
    index = layout.read_index()
    entry = index.entries[ONE]
    wrong = type(entry)(ONE, Digest.of(b"aaa"), 3, entry.modified)
    layout.write_index(index.with_entry(wrong))
    what, where, _ = only(store)
    assert "manifest is not valid" in what
    assert where == str(blob(store, Digest.of(b"aaa")))


def test_a_size_in_the_index_that_is_wrong(store: Store, put: Any) -> None:
    put("one")
    layout = store._layout
    index = layout.read_index()
    entry = index.entries[ONE]
    layout.write_index(index.with_entry(type(entry)(ONE, entry.digest, 1, entry.modified)))
    assert "size that it does not have" in only(store)[0]


@pytest.mark.parametrize("spoil", ["flip", "lose", "link", "folder"])
def test_a_damaged_layout_file(store: Store, spoil: str) -> None:
    path = store.home / "store/oci-layout"
    if spoil == "flip":
        path.write_bytes(b'{"imageLayoutVersion":"1.0.1"}')
    else:
        path.unlink()
    if spoil == "link":
        path.symlink_to(store.home / "store/index.json")
    if spoil == "folder":
        path.mkdir()
    what, where, remedy = only(store)
    assert "oci-layout" in what
    assert where == str(path)
    assert "Delete" in remedy


def test_a_deleted_layout_file_comes_back(store: Store) -> None:
    (store.home / "store/oci-layout").unlink()
    assert Store.open(store.home).verify().problems == ()


def test_a_stranger_among_the_blobs(store: Store) -> None:
    (store.home / "store/blobs/sha256/notes.txt").write_bytes(b"")
    assert "no digest" in only(store)[0]
    store.collect_garbage()
    assert (store.home / "store/blobs/sha256/notes.txt").exists()


def test_a_folder_among_the_blobs(store: Store) -> None:
    (store.home / "store/blobs/sha256" / ("0" * 64)).mkdir()
    assert len(store.verify().problems) == 1


def test_a_missing_link(store: Store, put: Any) -> None:
    put("one", {"deep/a.json": b"aaa"})
    shutil.rmtree(store.home / "models/one")
    what, where, remedy = only(store)
    assert "deep/a.json of one" in what
    assert where == str(store.home / "models/one/deep/a.json")
    assert "metier gc" in remedy
    store.collect_garbage()
    assert store.verify().problems == ()


def test_gc_says_what_it_gave_back(store: Store, put: Any) -> None:
    put("one", {"a.json": b"x" * 1000})
    put("two", {"a.json": b"y" * 1000})
    store.remove(ONE)
    (store.home / "store/.metier/drafts/stale").write_bytes(b"z" * 10)
    (store.home / "store/.metier/drafts/tree/deep").mkdir(parents=True)
    before = sum(path.stat().st_size for path in (store.home / "store/blobs/sha256").iterdir())
    done = store.collect_garbage()
    after = sum(path.stat().st_size for path in (store.home / "store/blobs/sha256").iterdir())
    assert done.removed == 5
    assert 10 + before - after <= done.bytes < 10 + before - after + 9000
    assert done.rebuilt is None
    assert list((store.home / "store/.metier/drafts").iterdir()) == []


def test_gc_keeps_what_is_half_fetched_for_a_week(store: Store) -> None:
    folder = store.partial_folder()
    for name, days in (("young.part", 6), ("old.part", 8), ("old.journal", 8)):
        path = folder / name
        path.write_bytes(b"p" * 5000)
        then = path.stat().st_mtime - days * 86_400
        os.utime(path, (then, then))
    done = store.collect_garbage()
    assert [path.name for path in folder.iterdir()] == ["young.part"]
    assert done.removed == 2
    assert done.bytes >= 2 * 5000


def test_a_file_that_lives_elsewhere_too_gives_no_space_back(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"w" * 5000)
    with store.ingest() as work:
        work.adopt(file, media_type="x")
    os.link(file, store.home / "store/.metier/drafts/stale")
    done = store.collect_garbage()
    assert (done.removed, done.bytes) == (2, 0)
    assert file.read_bytes() == b"w" * 5000


def test_gc_deletes_nothing_while_a_manifest_cannot_be_read(store: Store, put: Any) -> None:
    digest = put("one", {"a.json": b"aaa"})
    put("two")
    store.remove(Reference.parse("two"))
    damage(blob(store, digest))
    before = sorted((store.home / "store/blobs/sha256").iterdir())
    with pytest.raises(CorruptError):
        store.collect_garbage()
    assert sorted((store.home / "store/blobs/sha256").iterdir()) == before
    store.remove(ONE)
    assert store.collect_garbage().removed == 6
    assert store.verify().problems == ()


@pytest.mark.parametrize("spoil", ["flip", "lose", "empty", "nonsense"])
def test_gc_makes_a_lost_index_again(store: Store, put: Any, spoil: str) -> None:
    names = ["one", "one:2", "team/two", "hub.example.com/team/three"]
    digests = {name: put(name, {"a.json": name.encode(), "deep/b.json": b"b"}) for name in names}
    with store.ingest() as work:
        work.add(b"waste", media_type="x")
    index = store.home / "store/index.json"
    if spoil == "lose":
        index.unlink()
    else:
        data = index.read_bytes()
        index.write_bytes({"flip": data[:-1] + b" ", "empty": b"", "nonsense": b"[]"}[spoil])
    assert any("index.json" in problem.where for problem in store.verify().problems)
    before = sorted((store.home / "store/blobs/sha256").iterdir())
    done = store.collect_garbage()
    assert done.rebuilt == 4
    assert sorted((store.home / "store/blobs/sha256").iterdir()) == before
    assert {
        reference.familiar: entry.digest for reference, entry in store.entries().items()
    } == digests
    assert store.verify().problems == ()
    assert store.collect_garbage().removed == 1


def test_the_younger_of_two_equal_manifests_is_taken(store: Store) -> None:
    digests = []
    for note in ("old", "new"):
        with store.ingest() as work:
            layer = work.add(
                b"aaa", media_type="x", annotations={"org.cncf.model.filepath": "a.json"}
            )
            config = work.add(b"{}", media_type=CONFIG_TYPE)
            manifest = Manifest(config=config, layers=(layer,), annotations={"note": note})
            digests.append(work.put(ONE, manifest))
    os.utime(blob(store, digests[0]), (1000, 1000))
    (store.home / "store/index.json").write_bytes(b"")
    store.collect_garbage()
    assert store.entries()[ONE].digest == digests[1]


def test_a_rebuilt_index_leaves_out_what_is_not_whole(store: Store, put: Any) -> None:
    put("one", {"a.json": b"aaa"})
    put("two", {"a.json": b"bbb"})
    put("copied", {"a.json": b"ccc"})
    (store.home / "models/two/a.json").unlink()
    (store.home / "models/two/a.json").symlink_to("nowhere")
    copy = store.home / "models/copied/a.json"
    copy.unlink()
    copy.write_bytes(b"ccc")
    (store.home / "models/empty").mkdir()
    (store.home / "store/index.json").write_bytes(b"")
    assert store.collect_garbage().rebuilt == 2
    assert [reference.model for reference in store.references()] == ["copied", "one"]


def test_verify_with_a_lost_index_still_reads_every_blob(store: Store, put: Any) -> None:
    put("one", {"a.json": b"aaa"})
    damage(blob(store, Digest.of(b"aaa")))
    (store.home / "store/index.json").write_bytes(b"")
    places = [problem.where for problem in store.verify().problems]
    assert places == [
        str(store.home / "store/index.json"),
        str(blob(store, Digest.of(b"aaa"))),
    ]


def test_a_newer_store_is_not_verified_as_if_it_were_ours(store: Store) -> None:
    document: dict[str, Any] = {
        "manifests": [],
        "annotations": {"io.metier.store.format": "2", "io.metier.store.digest": "0" * 64},
    }
    digest = Digest.of(canonical_json(document)).hex
    document["annotations"]["io.metier.store.digest"] = digest
    (store.home / "store/index.json").write_bytes(canonical_json(document))
    for act in (store.verify, store.collect_garbage):
        with pytest.raises(MetierError) as caught:
            act()
        assert caught.value.code == "newer_store"
