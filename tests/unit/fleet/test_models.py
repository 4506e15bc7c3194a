"""Local models in the fleet: taken in, bound to their weights, copied, made of blobs and shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from metier.errors import CorruptError, InputError, NotFoundError
from metier.fleet import Fleet, base_from, files_of, model_of, shards_of
from metier.fleet.models import base_of, bound, check_shards, name_from, role_of, shard_name
from metier.formats import describe, read_gguf
from metier.localmodel import MODEL_FILE, AdapterPart, LocalModelFile, base_digest
from metier.manifest import BASE, KIND, TASK
from metier.reference import Digest, Reference
from metier.store import Store
from tiny_gguf import tiny_adapter, tiny_embedder, tiny_model


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(Store.open(tmp_path / "home"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "files")


def shards(folder: Path, **changes: Any) -> list[Path]:
    """Two shards of one model, named as llama.cpp names them."""
    folder.mkdir(exist_ok=True)
    said = {"count": 2, "tensors": 2} | changes
    paths = [folder / f"two-{place + 1:05}-of-00002.gguf" for place in range(2)]
    for place, path in enumerate(paths):
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_uint16("split.no", said.get(f"no{place}", place))
        writer.add_uint16("split.count", said["count"])
        writer.add_int32("split.tensors.count", said["tensors"])
        writer.add_tensor(f"t{place}", np.full((4, 32), place, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return paths


def projector(path: Path) -> Path:
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_tensor("v", np.zeros((4, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_gguf_file_becomes_a_base_without_a_copy(fleet: Fleet, weights: Path) -> None:
    made = fleet.import_gguf(weights, "hub.example.com/team/tiny:q8", licences=("MIT",))
    assert made.name == "hub.example.com/team/tiny:q8"
    assert (made.kind, made.task) == ("base", None)
    model = model_of(made)
    assert model.weights == (weights.name,)
    assert model.licences == ("MIT",)
    digest = Digest.of(weights.read_bytes())
    assert model.base == str(base_digest([digest]))
    assert made.manifest.annotations[TASK] == "generate"
    assert BASE not in made.manifest.annotations
    assert fleet.part_path(made, weights.name).samefile(weights)
    assert (fleet.store.folder(made.reference) / weights.name).samefile(weights)
    assert fleet.store.verify().problems == ()


def test_names_with_host_namespace_and_tag_live_through_export(
    fleet: Fleet, weights: Path, tmp_path: Path
) -> None:
    made = fleet.import_gguf(weights, "hub.example.com/team/tiny:q8")
    fleet.export(made.name, tmp_path / "out")
    other = Fleet(Store.open(tmp_path / "other"))
    (taken,) = other.import_path(tmp_path / "out")
    assert (taken.name, taken.digest, taken.model) == (made.name, made.digest, made.model)


def test_a_name_is_made_from_the_files(fleet: Fleet, weights: Path) -> None:
    assert fleet.import_gguf(weights).name == "tiny-qwen2-0"
    assert name_from("My model (v2)-00001-of-00003.gguf") == "My-model-v2"
    assert name_from("ü.gguf") == "model"
    assert len(name_from("a" * 300 + ".gguf")) == 80


def test_a_copy_is_a_second_name_of_the_same_digest(fleet: Fleet, weights: Path) -> None:
    made = fleet.import_gguf(weights, "tiny")
    copied = fleet.copy("tiny", "team/other:1")
    assert (copied.name, copied.digest) == ("team/other:1", made.digest)
    assert fleet.copy("tiny", "tiny").digest == made.digest
    fleet.remove("tiny")
    fleet.store.collect_garbage()
    assert fleet.part_path("team/other:1", weights.name).read_bytes() == weights.read_bytes()
    with pytest.raises(NotFoundError):
        fleet.copy("tiny", "again")
    with pytest.raises(InputError, match="not a valid name"):
        fleet.copy("team/other:1", "a b")


def test_a_base_of_an_encoder_keeps_its_name(fleet: Fleet, weights: Path) -> None:
    fleet.install(Reference.parse("encoder"), {"a.json": ("doc", b"{}")}, {KIND: "base"})
    fleet.import_gguf(weights, "tiny")
    for act in (
        lambda: fleet.copy("tiny", "encoder"),
        lambda: fleet.import_gguf(weights, "encoder"),
    ):
        with pytest.raises(InputError) as caught:
            act()
        assert caught.value.code == "name_taken"
    fleet.import_gguf(weights, "tiny")


def test_blobs_by_digest_become_a_model(fleet: Fleet, weights: Path) -> None:
    data = weights.read_bytes()
    digest = Digest.of(data)
    assert not fleet.has_blob(digest)
    assert fleet.put_blob(digest, [data[:7], data[7:]])
    assert fleet.has_blob(digest)
    model = LocalModelFile(weights=("w.gguf",), base="")
    by_digest = fleet.install_model(Reference("a"), model, {"w.gguf": digest})
    by_path = fleet.install_model(Reference("a"), model, {"w.gguf": fleet.blob_path(digest)})
    assert by_digest.digest == by_path.digest
    with pytest.raises(NotFoundError):
        fleet.install_model(Reference("b"), model, {"w.gguf": Digest.of(b"")})
    with pytest.raises(NotFoundError):
        fleet.blob_path(Digest.of(b""))


def test_a_model_names_its_own_parts(fleet: Fleet, weights: Path) -> None:
    for model, files in (
        (LocalModelFile(weights=("w.gguf",), base=""), {"other.gguf": weights}),
        (LocalModelFile(weights=(), base=""), {"w.gguf": weights}),
        (LocalModelFile(weights=("w.gguf",), projector="p.gguf", base=""), {"w.gguf": weights}),
    ):
        with pytest.raises(InputError) as caught:
            fleet.install_model(Reference("a"), model, files)
        assert caught.value.code == "bad_parts"
    wrong = LocalModelFile(weights=("w.gguf",), base=str(Digest.of(b"")))
    with pytest.raises(InputError) as caught:
        fleet.install_model(Reference("a"), wrong, {"w.gguf": weights})
    assert caught.value.code == "wrong_base"
    assert list(fleet.list()) == []


def test_roles_and_the_base_of_parts() -> None:
    model = LocalModelFile(
        weights=("a.gguf", "b.gguf"),
        projector="p.gguf",
        adapters=(AdapterPart(file="l.gguf"),),
        base="",
    )
    assert files_of(model) == ("a.gguf", "b.gguf", "p.gguf", "l.gguf")
    assert role_of(model, "l.gguf") == "weight"
    assert role_of(model, "LICENSE") == "doc"
    digests: dict[str | None, Digest] = {name: Digest.of(name.encode()) for name in files_of(model)}
    wanted = base_digest([digests["a.gguf"], digests["b.gguf"]], digests["p.gguf"])
    assert base_of(model, digests) == wanted
    other = base_digest([digests["b.gguf"], digests["a.gguf"]], digests["p.gguf"])
    assert wanted != other
    with pytest.raises(InputError):
        bound(model, [])


def test_shards_are_found_beside_the_first(fleet: Fleet, tmp_path: Path) -> None:
    first, second = shards(tmp_path / "s")
    assert list(shards_of(second)) == [first, second]
    assert list(shards_of(tmp_path / "plain.gguf")) == [tmp_path / "plain.gguf"]
    made = fleet.import_gguf(second)
    assert made.name == "two"
    assert model_of(made).weights == (first.name, second.name)
    second.unlink()
    with pytest.raises(InputError, match="not beside it"):
        fleet.import_gguf(first)


@pytest.mark.parametrize("changes", [{"no1": 0}, {"count": 3}, {"tensors": 5}])
def test_shards_that_do_not_belong_together(
    fleet: Fleet, tmp_path: Path, changes: dict[str, int]
) -> None:
    first, _ = shards(tmp_path / "s", **changes)
    with pytest.raises(InputError) as caught:
        fleet.import_gguf(first)
    assert caught.value.code == "bad_gguf"


def test_a_lone_shard_is_no_model(tmp_path: Path) -> None:
    first, _ = shards(tmp_path / "s")
    facts = describe(read_gguf(first))
    with pytest.raises(InputError, match="shard 1 of 2"):
        check_shards([facts], [first.name], 1)
    assert shard_name("a.gguf", 0, 2) == "a-00001-of-00002.gguf"
    assert shard_name(first.name, 1, 2) == "two-00002-of-00002.gguf"


def test_a_projector_goes_with_a_model(fleet: Fleet, weights: Path, tmp_path: Path) -> None:
    eyes = projector(tmp_path / "mmproj.gguf")
    made = fleet.import_gguf(weights, "seeing", projector=eyes)
    assert model_of(made).projector == "mmproj.gguf"
    assert model_of(made).base != model_of(fleet.import_gguf(weights, "blind")).base
    for wrong in (weights, tiny_adapter(tmp_path, weights, seed=1)):
        with pytest.raises(InputError, match="needed here: a projector"):
            base_from([weights], wrong)
    with pytest.raises(InputError, match="is a projector; needed here: a model's weights"):
        fleet.import_gguf(eyes)


def test_an_adapter_alone_is_no_base(fleet: Fleet, weights: Path, tmp_path: Path) -> None:
    adapter = tiny_adapter(tmp_path, weights, seed=1)
    with pytest.raises(InputError, match="is an adapter") as caught:
        fleet.import_gguf(adapter)
    assert "metier create" in (caught.value.remedy or "")


def test_an_embedding_model_says_so(fleet: Fleet, tmp_path: Path) -> None:
    made = fleet.import_gguf(tiny_embedder(tmp_path), "embedder")
    assert model_of(made).task == "embed"


def test_what_is_no_local_model_is_none(fleet: Fleet) -> None:
    made = fleet.install(Reference.parse("other"), {"a.json": ("doc", b"{}")})
    assert made.model is None
    with pytest.raises(InputError) as caught:
        model_of(made)
    assert caught.value.code == "no_capability"


def test_a_model_json_that_lies_is_refused(fleet: Fleet, weights: Path) -> None:
    good = LocalModelFile(
        weights=("w.gguf",), base=str(base_digest([Digest.of(weights.read_bytes())]))
    )
    for changes in (
        {"weights": ("missing.gguf",)},
        {"weights": ("note.md",)},
        {"weights": ()},
        {"base": str(Digest.of(b""))},
        {"adapters": (AdapterPart(file="gone.gguf"),)},
    ):
        model = good.model_copy(update=changes)
        with pytest.raises(CorruptError) as caught:
            fleet.install(
                Reference("a"),
                {
                    "w.gguf": ("weight", weights),
                    "note.md": ("doc", b"# Note\n"),
                    MODEL_FILE: ("weight-config", model.to_bytes()),
                },
            )
        assert caught.value.code == "bad_model"
    with pytest.raises(CorruptError):
        fleet.install(
            Reference("a"),
            {"w.gguf": ("weight", weights), MODEL_FILE: ("weight-config", good.to_bytes())},
            {BASE: str(Digest.of(b""))},
        )
    assert list(fleet.list()) == []
