"""Layouts of others: written so that they can read them, read so that they can do no harm."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metier.errors import CorruptError, InputError, MetierError, NotFoundError, StorageError
from metier.manifest import CONFIG_TYPE, MANIFEST_TYPE, Manifest
from metier.reference import Digest, Reference
from metier.store import Store
from metier.store.layout import LAYOUT, MAX_MANIFEST_BYTES
from metier.store.locks import locked

ONE, TWO = Reference.parse("one"), Reference.parse("team/two:3")


@pytest.fixture
def layout(store: Store, put: Any, tmp_path: Path) -> Path:
    """An exported layout with two names."""
    put("one", {"deep/a.json": b"shared", "b.json": b"one"})
    put("team/two:3", {"a.json": b"shared"})
    for reference in (ONE, TWO):
        store.export(reference, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "other", wait=0.2)


def edit(layout: Path, change: Any) -> None:
    """Change a layout's index as a document."""
    path = layout / "index.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def test_what_is_exported_can_be_imported(store: Store, layout: Path, other: Store) -> None:
    came = other.import_layout(layout)
    assert came == [(name, store.entries()[name].digest) for name in (ONE, TWO)]
    assert other.verify().problems == ()
    assert (other.home / "models/one/deep/a.json").read_bytes() == b"shared"
    assert other.import_layout(layout) == came


def test_an_export_holds_what_it_needs_and_nothing_else(store: Store, tmp_path: Path) -> None:
    with store.ingest() as work:
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        work.add(b"unrelated", media_type="x")
        work.put(ONE, Manifest(config=config, layers=()))
    out = store.export(ONE, tmp_path / "new/out")
    assert {path.name for path in out.iterdir()} == {"blobs", "index.json", "oci-layout"}
    assert {path.name for path in (out / "blobs/sha256").iterdir()} == {
        config.blob.hex,
        store.entries()[ONE].digest.hex,
    }
    assert (out / "oci-layout").read_bytes() == LAYOUT


def test_an_export_does_not_share_bytes_with_the_store(store: Store, layout: Path) -> None:
    digest = Digest.of(b"shared")
    copy = layout / "blobs/sha256" / digest.hex
    assert not copy.samefile(store.blob_path(digest))


def test_an_export_keeps_what_others_wrote(store: Store, layout: Path) -> None:
    stranger = {"mediaType": "application/x", "digest": "sha256:" + "0" * 64, "size": 1}
    nameless = {**stranger, "annotations": {"a": "b"}}

    def add(document: Any) -> None:
        document["manifests"] += [stranger, nameless, 3]
        document["annotations"] = {"theirs": "kept"}

    edit(layout, add)
    store.export(ONE, layout)
    document = json.loads((layout / "index.json").read_bytes())
    assert document["annotations"] == {"theirs": "kept"}
    assert stranger in document["manifests"]
    assert nameless in document["manifests"]
    names = [
        entry["annotations"]["org.opencontainers.image.ref.name"]
        for entry in document["manifests"]
        if entry not in (stranger, nameless, 3)
    ]
    assert sorted(names) == ["one:latest", "team/two:3"]


def test_exporting_again_mends_a_damaged_copy(store: Store, layout: Path) -> None:
    copy = layout / "blobs/sha256" / Digest.of(b"shared").hex
    copy.chmod(0o644)
    copy.write_bytes(b"damage")
    store.export(ONE, layout)
    assert copy.read_bytes() == b"shared"


def test_a_damaged_blob_is_not_exported(store: Store, layout: Path, tmp_path: Path) -> None:
    path = store.blob_path(Digest.of(b"one"))
    path.chmod(0o644)
    path.write_bytes(b"eno")
    with pytest.raises(CorruptError) as caught:
        store.export(ONE, tmp_path / "fresh")
    assert caught.value.code == "corrupt_blob"
    left = [path for path in (tmp_path / "fresh").rglob("*") if path.is_file()]
    assert left == []


def test_an_export_goes_into_a_folder_of_its_own(store: Store, layout: Path) -> None:
    mine = layout.parent / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        store.export(ONE, mine)
    assert caught.value.code == "not_a_layout"
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    for place in (mine / "thesis.txt", store.home / "store", store.home / "store/blobs"):
        with pytest.raises(InputError) as caught:
            store.export(ONE, place)
        assert caught.value.code == "not_a_folder"
    assert store.verify().problems == ()


@pytest.mark.parametrize("index", [b"{", b"[]", b'{"manifests": 3}'])
def test_an_export_does_not_touch_an_index_it_cannot_read(
    store: Store, layout: Path, index: bytes
) -> None:
    (layout / "index.json").write_bytes(index)
    with pytest.raises(InputError, match=r"index\.json") as caught:
        store.export(ONE, layout)
    assert caught.value.code == "not_a_layout"
    assert (layout / "index.json").read_bytes() == index


def test_an_index_with_something_too_long_to_read_is_left_alone(
    store: Store, layout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metier.store.sharing.MAX_INDEX_BYTES", 10)
    with pytest.raises(InputError):
        store.export(ONE, layout)


def test_an_export_that_cannot_write(store: Store, layout: Path) -> None:
    (layout / "blobs/sha256" / Digest.of(b"one").hex).unlink()
    (layout / "blobs/sha256" / Digest.of(b"one").hex).mkdir()
    with pytest.raises(StorageError, match="Exporting"):
        store.export(ONE, layout)


def test_one_artifact_may_get_another_name(
    store: Store, other: Store, tmp_path: Path, put: Any
) -> None:
    put("one")
    out = store.export(ONE, tmp_path / "single")
    ((name, digest),) = other.import_layout(out, reference=TWO)
    assert name == TWO
    assert digest == store.entries()[ONE].digest
    assert other.references() == [TWO]


def test_one_name_cannot_serve_two(layout: Path, other: Store) -> None:
    with pytest.raises(InputError, match="2 artifacts"):
        other.import_layout(layout, reference=TWO)
    assert other.references() == []


def test_the_check_sees_every_blob_before_the_name(layout: Path, other: Store) -> None:
    seen = []

    def look(manifest: Manifest, path_of: Any) -> None:
        assert len(other.references()) == len(seen)
        seen.append([path_of(layer).read_bytes() for layer in manifest.layers])

    other.import_layout(layout, check=look)
    assert seen == [[b"shared", b"one"], [b"shared"]]


def test_what_the_check_refuses_leaves_nothing(layout: Path, other: Store) -> None:
    def refuse(_manifest: Manifest, _path_of: Any) -> None:
        raise InputError("no", code="refused")

    with pytest.raises(InputError) as caught:
        other.import_layout(layout, check=refuse)
    assert caught.value.code == "refused"
    assert list((other.home / "store/blobs/sha256").iterdir()) == []


def replace_by_link(path: Path) -> None:
    moved = path.parent.parent / "moved"
    path.rename(moved)
    path.symlink_to(moved)


@pytest.mark.parametrize("place", ["oci-layout", "index.json", "blobs", "blobs/sha256", "blob"])
def test_no_link_inside_a_layout_is_followed(layout: Path, other: Store, place: str) -> None:
    blob = f"blobs/sha256/{Digest.of(b'one').hex}"
    replace_by_link(layout / (blob if place == "blob" else place))
    with pytest.raises(InputError) as caught:
        other.import_layout(layout)
    assert caught.value.code in ("not_a_file", "not_a_folder")
    assert other.references() == []


def test_a_link_to_a_layout_is_followed(layout: Path, other: Store, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(layout)
    assert len(other.import_layout(tmp_path / "here")) == 2


def test_a_pipe_does_not_hang_an_import(layout: Path, other: Store) -> None:
    blob = layout / "blobs/sha256" / Digest.of(b"one").hex
    blob.unlink()
    os.mkfifo(blob)
    with pytest.raises(InputError) as caught:
        other.import_layout(layout)
    assert caught.value.code == "not_a_file"


def drop(name: str) -> Any:
    return lambda layout: (layout / name).unlink()


def write(name: str, data: bytes) -> Any:
    return lambda layout: (layout / name).write_bytes(data)


def first(**changes: Any) -> Any:
    """Change the first entry of the index; ``None`` takes a field away."""

    def change(document: Any) -> None:
        entry = document["manifests"][0]
        for name, value in changes.items():
            if value is None:
                del entry[name]
            else:
                entry[name] = value

    return lambda layout: edit(layout, change)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (drop("oci-layout"), "not_a_layout"),
        (drop("index.json"), "not_a_layout"),
        (lambda layout: shutil.rmtree(layout / "blobs"), "not_a_layout"),
        (write("oci-layout", b"{}"), "not_a_layout"),
        (write("oci-layout", b'{"imageLayoutVersion":"2.0.0"}'), "not_a_layout"),
        (write("oci-layout", b" " * 5000), "not_a_layout"),
        (write("oci-layout", b"\xff"), "not_a_layout"),
        (write("index.json", b"[]"), "not_a_layout"),
        (write("index.json", b"[" * 100_000), "not_a_layout"),
        (write("index.json", b"{}"), "not_a_layout"),
        (write("index.json", b'{"manifests": []}'), "not_a_layout"),
        (lambda layout: edit(layout, lambda d: d.update(manifests=[{}] * 10_001)), "not_a_layout"),
        (first(digest="sha256:../../../etc/passwd"), "not_a_layout"),
        (first(digest="sha512:" + "0" * 128), "not_a_layout"),
        (first(digest=None), "not_a_layout"),
        (first(size=-1), "not_a_layout"),
        (first(annotations=None), "not_a_layout"),
        (first(annotations={"org.opencontainers.image.ref.name": "a b"}), "not_a_layout"),
        (first(annotations={"org.opencontainers.image.ref.name": "team/two:3"}), "not_a_layout"),
        (first(mediaType="application/vnd.oci.image.index.v1+json"), "not_an_artifact"),
        (first(digest="sha256:" + "0" * 64), "blob_not_found"),
        (first(size=1), "digest_mismatch"),
    ],
)
def test_a_spoiled_layout_is_refused_and_nothing_stays(
    layout: Path, other: Store, spoil: Any, code: str
) -> None:
    spoil(layout)
    with pytest.raises(MetierError) as caught:
        other.import_layout(layout)
    assert caught.value.code == code
    assert other.references() == []
    assert list((other.home / "store/blobs/sha256").iterdir()) == []


@pytest.mark.parametrize("which", ["manifest", "part"])
def test_changed_bytes_are_refused(store: Store, layout: Path, other: Store, which: str) -> None:
    digest = store.entries()[ONE].digest if which == "manifest" else Digest.of(b"one")
    path = layout / "blobs/sha256" / digest.hex
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"#")
    with pytest.raises(CorruptError) as caught:
        other.import_layout(layout)
    assert caught.value.code == "digest_mismatch"
    assert other.references() == []
    assert list((other.home / "store/blobs/sha256").iterdir()) == []


def test_a_missing_part_is_named(layout: Path, other: Store) -> None:
    (layout / "blobs/sha256" / Digest.of(b"one").hex).unlink()
    with pytest.raises(NotFoundError, match="no blob"):
        other.import_layout(layout)


def test_a_manifest_that_leaves_its_folder_is_refused(layout: Path, other: Store) -> None:
    data = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": str(Digest.of(b"one")), "size": 3},
            "layers": [
                {
                    "mediaType": "x",
                    "digest": str(Digest.of(b"one")),
                    "size": 3,
                    "annotations": {"org.cncf.model.filepath": "../../evil.json"},
                }
            ],
        }
    ).encode()
    (layout / "blobs/sha256" / Digest.of(data).hex).write_bytes(data)
    first(digest=str(Digest.of(data)), size=len(data))(layout)
    with pytest.raises(CorruptError, match="leaves its folder"):
        other.import_layout(layout)


def test_a_manifest_beyond_the_cap_is_refused(layout: Path, other: Store) -> None:
    data = b" " * (MAX_MANIFEST_BYTES + 1)
    (layout / "blobs/sha256" / Digest.of(data).hex).write_bytes(data)
    first(digest=str(Digest.of(data)), size=len(data))(layout)
    with pytest.raises(InputError) as caught:
        other.import_layout(layout)
    assert caught.value.code == "too_large"


def test_what_is_not_there_is_no_layout(other: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not there"):
        other.import_layout(tmp_path / "absent")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), patch=st.binary(max_size=8), cut=st.integers(0, 20))
def test_fuzz_any_index_is_imported_or_refused(
    layout: Path, other: Store, at: int, patch: bytes, cut: int
) -> None:
    path = layout / "index.json"
    original = path.read_bytes()
    place = at % len(original)
    path.write_bytes(original[:place] + patch + original[place + cut :])
    with suppress(InputError, CorruptError):
        other.import_layout(layout)
    path.write_bytes(original)
    assert other.verify().problems == ()


def test_two_exports_do_not_meet(store: Store, layout: Path) -> None:
    with locked(layout, exclusive=True, wait=0, what="x"), pytest.raises(StorageError) as caught:
        store.export(ONE, layout)
    assert caught.value.code == "locked"
