"""What is installed: found by name, made from parts, checked at the door, quick to list."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from metier import card as cards
from metier.errors import CorruptError, InputError, NotFoundError
from metier.fleet import Fleet, Installed
from metier.manifest import (
    BASE,
    CONFIG_TYPE,
    DOC_TYPE,
    FILEPATH,
    KIND,
    SYSTEM,
    WEIGHT_TYPE,
    Manifest,
)
from metier.reference import Digest, Reference
from metier.store import Entry, Store
from metier.store.index import Index

WEIGHTS = save({"w": np.arange(6, dtype=np.float32)})


def a_card(name: str = "intents") -> bytes:
    """A card with everything that is required and nothing else."""
    card = cards.Card(
        name=name,
        version="1",
        labels=("a", "b"),
        rung="linear",
        why="It is the cheapest.",
        rows=(),
        scores=(),
        ladder=(),
        leaks=cards.LeakReport(
            eval_items=0,
            leaked=0,
            share=0.0,
            by_kind={},
            duplicate_train_rows=0,
            conflicting_labels=0,
            blocks_win=False,
            method="none",
        ),
        data=cards.DataSummary(
            train_rows=2,
            eval_rows=0,
            labels=2,
            smallest_class=1,
            largest_class=1,
            train_digest="",
            eval_digest="",
            source="test",
        ),
        recipe_id="r",
        build_id="b",
        system="s",
        seed=0,
        made="2026-01-01T00:00:00Z",
        seconds=1.0,
        cpu_seconds=1.0,
        machine=cards.Machine(processor="p", cores=1, system="s", python="3.11"),
        cost=cards.Cost(),
    )
    return card.to_bytes()


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(Store.open(tmp_path / "home"))


def install(fleet: Fleet, name: str = "intents", **more: Any) -> Installed:
    parts = {
        "specialist.json": ("weight-config", b"{}"),
        "linear.safetensors": ("weight", WEIGHTS),
        "card.json": ("doc", a_card(name)),
        "results/special.jsonl": ("doc", b'{"id": 1}\n'),
        **more.pop("parts", {}),
    }
    return fleet.install(Reference.parse(name), parts, more.pop("annotations", None), **more)


def test_what_is_installed_comes_back(fleet: Fleet) -> None:
    made = install(fleet, "team/intents:2", annotations={"io.metier.task": "classify"})
    assert made.name == "team/intents:2"
    assert made.kind == "specialist"
    assert made.card is not None
    assert made.card.labels == ("a", "b")
    assert made.manifest.annotations["io.metier.task"] == "classify"
    assert made.manifest.annotations[SYSTEM] == str(made.system)
    assert made.size_bytes == sum(blob.size for blob in made.manifest.blobs())
    assert fleet.show("team/intents:2") == made
    assert list(fleet.list()) == [made]
    assert fleet.read_part(made, "linear.safetensors") == WEIGHTS
    assert fleet.part_path("team/intents:2", "linear.safetensors").read_bytes() == WEIGHTS
    folder = fleet.store.folder(made.reference)
    assert (folder / "linear.safetensors").read_bytes() == WEIGHTS


def test_parts_have_their_roles(fleet: Fleet) -> None:
    install(fleet)
    roles = {part.filepath: part.role for part in fleet.parts("intents")}
    assert roles == {
        "card.json": "doc",
        "linear.safetensors": "weight",
        "results/special.jsonl": "doc",
        "specialist.json": "weight-config",
    }


def test_a_base_has_no_card(fleet: Fleet) -> None:
    made = fleet.install(
        Reference.parse("encoder"),
        {"model.safetensors": ("weight", WEIGHTS)},
        {KIND: "base"},
        licence="Apache-2.0",
    )
    assert (made.kind, made.card) == ("base", None)
    config = json.loads(fleet.store.read_blob(made.manifest.config.blob))
    assert config["descriptor"]["licenses"] == ["Apache-2.0"]


def test_the_system_digest_sees_weights_and_base_but_no_card(fleet: Fleet) -> None:
    first = install(fleet, "one")
    other_card = install(fleet, "two")
    assert first.digest != other_card.digest
    assert first.system == other_card.system
    based = install(fleet, "three", annotations={BASE: str(Digest.of(b"base"))})
    weights = install(fleet, "four", parts={"linear.safetensors": ("weight", save({}))})
    assert len({first.system, based.system, weights.system}) == 3


def test_installing_again_replaces_and_changes_nothing_else(fleet: Fleet) -> None:
    install(fleet, "other")
    first = install(fleet)
    same = install(fleet)
    assert same == first
    second = install(fleet, parts={"specialist.json": ("weight-config", b"[]")})
    assert second.digest != first.digest
    assert fleet.read_part("intents", "specialist.json") == b"[]"
    assert fleet.read_part(first, "specialist.json") == b"{}"
    assert [found.name for found in fleet.list()] == ["intents", "other"]


def test_files_are_copied_or_adopted(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(WEIGHTS)
    install(fleet, "copied", parts={"linear.safetensors": ("weight", file)})
    copied = fleet.part_path("copied", "linear.safetensors")
    assert not copied.samefile(file)
    other = tmp_path / "v.safetensors"
    other.write_bytes(save({"v": np.ones(3)}))
    made = install(fleet, "adopted", parts={"linear.safetensors": ("weight", other)}, adopt=True)
    assert fleet.part_path(made, "linear.safetensors").read_bytes() == other.read_bytes()


def test_a_missing_name_is_answered_with_near_ones(fleet: Fleet) -> None:
    install(fleet, "banking-intents")
    with pytest.raises(NotFoundError, match="Did you mean banking-intents") as caught:
        fleet.show("bankng-intents")
    assert caught.value.details["near"] == ["banking-intents"]
    assert caught.value.code == "not_found"
    for act in (fleet.remove, fleet.parts, lambda name: fleet.export(name, Path("x"))):
        with pytest.raises(NotFoundError):
            act("nothing")
    with pytest.raises(InputError) as bad:
        fleet.show("no spaces")
    assert bad.value.code == "bad_name"


def test_a_missing_part_names_those_that_are_there(fleet: Fleet) -> None:
    install(fleet)
    with pytest.raises(NotFoundError, match=r"card\.json, linear\.safetensors") as caught:
        fleet.read_part("intents", "nothing.json")
    assert caught.value.code == "part_not_found"


def test_removing_and_collecting_gives_the_space_back(fleet: Fleet) -> None:
    install(fleet, "one")
    install(fleet, "two")
    fleet.remove("one")
    assert [found.name for found in fleet.list()] == ["two"]
    assert fleet.store.collect_garbage().removed == 3
    assert fleet.store.verify().problems == ()
    assert not fleet.store.folder(Reference.parse("one")).exists()


def test_export_and_import_keep_every_byte(fleet: Fleet, tmp_path: Path) -> None:
    made = [install(fleet, name) for name in ("one", "team/two:3")]
    for found in made:
        assert fleet.export(found.name, tmp_path / "out") == tmp_path / "out"
    other = Fleet(Store.open(tmp_path / "other"))
    came = list(other.import_path(tmp_path / "out"))
    assert [(found.name, found.digest) for found in came] == [
        (found.name, found.digest) for found in made
    ]
    shutil.rmtree(tmp_path / "out")
    fleet.export("one", tmp_path / "out")
    (renamed,) = other.import_path(tmp_path / "out", "third")
    assert (renamed.name, renamed.digest) == ("third", made[0].digest)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"model.pkl": ("weight", b"x")}, "unsafe_part"),
        ({"a.json": ("doc", pickle.dumps(1))}, "unsafe_part"),
        ({"code.py": ("doc", b"")}, "unsafe_part"),
        ({"linear.safetensors": ("weight", b"nothing")}, "bad_safetensors"),
        ({"strange.xyz": ("doc", b"")}, "unknown_format"),
        ({"../up.json": ("doc", b"{}")}, "bad_parts"),
        ({"/abs.json": ("doc", b"{}")}, "bad_parts"),
        ({"card.json": ("doc", b"{}")}, "bad_card"),
        ({"specialist.json/x.json": ("doc", b"{}")}, "bad_manifest"),
    ],
)
def test_what_is_unsafe_or_malformed_is_refused_and_nothing_stays(
    fleet: Fleet, parts: dict[str, Any], code: str
) -> None:
    with pytest.raises((InputError, CorruptError)) as caught:
        install(fleet, parts=parts)
    assert caught.value.code == code
    assert list(fleet.list()) == []
    assert list((fleet.store.home / "store/blobs/sha256").iterdir()) == []


def test_a_specialist_needs_parts(fleet: Fleet) -> None:
    with pytest.raises(InputError, match="0 parts"):
        fleet.install(Reference.parse("empty"), {})
    many = {f"{number}.json": ("doc", b"{}") for number in range(1001)}
    with pytest.raises(InputError, match="1001 parts"):
        fleet.install(Reference.parse("many"), many)  # type: ignore[arg-type]


def foreign(folder: Path, changes: dict[str, Any], parts: dict[str, bytes]) -> Path:
    """A layout as somebody else may write it, past our own checks."""
    store = Store.open(folder / "foreign-home")
    with store.ingest() as work:
        layers = tuple(
            work.add(
                data,
                media_type=changes.get("media_type", WEIGHT_TYPE),
                annotations={FILEPATH: path} if path else {},
            )
            for path, data in parts.items()
        )
        config = work.add(b"{}", media_type=changes.get("config", CONFIG_TYPE))
        extra = {"artifactType": changes["artifact"]} if "artifact" in changes else {}
        work.put(Reference.parse("bad"), Manifest(config=config, layers=layers, **extra))
    return store.export(Reference.parse("bad"), folder / "layout")


@pytest.mark.parametrize(
    ("changes", "parts", "code"),
    [
        ({}, {"model.bin": b"x"}, "unsafe_part"),
        ({}, {"w.safetensors": b"x"}, "bad_safetensors"),
        ({}, {"": b"x"}, "bad_parts"),
        ({}, {}, "bad_parts"),
        ({"media_type": "application/x-tar"}, {"a.json": b"{}"}, "bad_parts"),
        ({"artifact": "application/other"}, {"a.json": b"{}"}, "not_a_modelpack"),
        ({"config": "application/other"}, {"a.json": b"{}"}, "not_a_modelpack"),
        ({}, {"card.json": b"{}"}, "bad_card"),
    ],
)
def test_a_foreign_artifact_is_checked_before_it_gets_a_name(
    fleet: Fleet, tmp_path: Path, changes: dict[str, Any], parts: dict[str, bytes], code: str
) -> None:
    layout = foreign(tmp_path, changes, parts)
    with pytest.raises((InputError, CorruptError)) as caught:
        fleet.import_path(layout)
    assert caught.value.code == code
    assert list(fleet.list()) == []
    assert list((fleet.store.home / "store/blobs/sha256").iterdir()) == []


def test_a_card_that_is_too_long_is_refused(fleet: Fleet) -> None:
    with pytest.raises(InputError) as caught:
        install(fleet, parts={"card.json": ("doc", b"{}" + b" " * (16 << 20))})
    assert caught.value.code == "too_large"


def test_what_is_no_layout_is_a_clear_error(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    for path, words in ((file, "not a folder"), (tmp_path / "gone", "not there")):
        with pytest.raises(InputError, match=words) as caught:
            fleet.import_path(path)
        assert caught.value.code == "not_a_layout"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="OCI image layout"):
        fleet.import_path(tmp_path / "empty")


def test_a_damaged_one_does_not_hide_the_others(fleet: Fleet) -> None:
    install(fleet, "sound")
    made = install(fleet, "damaged")
    path = fleet.store.home / "store/blobs/sha256" / made.digest.hex
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"weight", b"weighs"))
    again = Fleet(Store.open(fleet.store.home))
    assert [found.name for found in again.list()] == ["sound"]
    ((reference, error),) = again.broken().items()
    assert reference.familiar == "damaged"
    assert error.code == "corrupt_blob"
    with pytest.raises(CorruptError):
        again.show("damaged")
    again.remove("damaged")
    assert again.broken() == {}


def test_a_name_that_gets_another_manifest_meanwhile(fleet: Fleet) -> None:
    """``list`` asked for one digest; the store by now answers with another."""
    first = install(fleet)
    entry = fleet.store.entries()[first.reference]
    install(fleet, parts={"specialist.json": ("weight-config", b"[]")})
    late = Fleet(fleet.store)
    assert late._installed(entry).digest == first.digest
    assert late._installed(entry).manifest == first.manifest


def test_a_thousand_specialists_are_listed_quickly(fleet: Fleet) -> None:
    """Warm, in processor time, at most 20 ms. They are laid down without waiting for the disk."""
    card = a_card()
    with fleet.store.ingest() as work:
        layer = work.add(card, media_type=DOC_TYPE, annotations={FILEPATH: "card.json"})
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        entries = {}
        for number in range(1000):
            manifest = Manifest(config=config, layers=(layer,), annotations={"n": str(number)})
            data = manifest.to_bytes()
            digest = Digest.of(data)
            work.path(digest).write_bytes(data)
            reference = Reference.parse(f"specialist-{number}")
            entries[reference] = Entry(reference, digest, len(data), "2026-01-01T00:00:00Z")
        fleet.store._layout.write_index(Index(entries))
    assert len(fleet.list()) == 1000
    times = []
    for _ in range(5):
        began = time.process_time()
        assert len(fleet.list()) == 1000
        times.append(time.process_time() - began)
    assert min(times) <= 0.020, times


def test_what_a_hop_puts_aside_is_not_listed_and_goes_with_its_name(tmp_path: Path) -> None:
    fleet = Fleet(Store.open(tmp_path / "home"))
    first = fleet.install(Reference.parse("intents"), {"w.safetensors": ("weight", WEIGHTS)})
    more = save({"w": np.arange(7, dtype=np.float32)})
    second = fleet.install(Reference.parse("intents"), {"w.safetensors": ("weight", more)})
    previous = Reference.parse("intents@previous")
    fleet.store.rename({previous: first.digest})
    assert [item.name for item in fleet.list()] == ["intents"]
    assert [item.name for item in fleet.aside()] == ["intents@previous"]
    assert [item.name for item in fleet.aside("intents@previous")] == ["intents@previous"]
    assert list(fleet.aside("other")) == []
    assert fleet.show("intents@previous").digest == first.digest
    assert fleet.read_part("intents@previous", "w.safetensors") == WEIGHTS
    assert fleet.store.collect_garbage().removed == 0
    fleet.copy("intents@previous", "kept")
    fleet.remove("kept")
    fleet.remove("intents")
    assert list(fleet.aside()) == []
    assert second.digest not in {entry.digest for entry in fleet.store.entries().values()}


def test_nobody_but_a_hop_gives_such_a_name(tmp_path: Path) -> None:
    fleet = Fleet(Store.open(tmp_path / "home"))
    fleet.install(Reference.parse("intents"), {"w.safetensors": ("weight", WEIGHTS)})
    with pytest.raises(InputError) as caught:
        fleet.copy("intents", "other@previous")
    assert caught.value.code == "bad_name"
    fleet.store.rename({Reference.parse("intents@previous"): fleet.show("intents").digest})
    exported = fleet.export("intents@previous", tmp_path / "out")
    with pytest.raises(InputError) as caught:
        fleet.import_path(exported)
    assert caught.value.code == "bad_name"
    (again,) = fleet.import_path(exported, "again")
    assert again.digest == fleet.show("intents").digest


def test_what_is_not_put_aside_is_said_with_what_is(tmp_path: Path) -> None:
    fleet = Fleet(Store.open(tmp_path / "home"))
    fleet.install(Reference.parse("intents"), {"w.safetensors": ("weight", WEIGHTS)})
    with pytest.raises(NotFoundError) as caught:
        fleet.show("intents@previous")
    assert "metier hop intents" in str(caught.value.remedy)
    fleet.store.rename({Reference.parse("intents@previous"): fleet.show("intents").digest})
    with pytest.raises(NotFoundError) as caught:
        fleet.show("intents@rejected-00000000")
    assert "intents@previous" in caught.value.message
