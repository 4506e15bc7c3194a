"""Vision encoders come in whole, are tried first, and are refused where they carry more."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import tiny_vision
import workshop
from metier.assembly import Metier
from metier.errors import CorruptError, InputError, NotFoundError
from metier.manifest import KIND
from metier.picturing import VisionFile
from metier.reference import Reference


@pytest.fixture
def metier(tmp_path: Path) -> Metier:
    return workshop.opened(tmp_path / "home", base=False)


def test_it_becomes_a_base_bound_to_its_graph(metier: Metier, tmp_path: Path) -> None:
    folder = tiny_vision.folder(tmp_path / "eye")
    (installed,) = metier.import_path(folder, name="eye")
    assert (installed.kind, installed.task) == ("base", None)
    file = VisionFile.from_bytes(metier.read_part("eye", "vision.json"))
    assert (file.name, file.dimension) == ("eye", tiny_vision.WIDTH)
    assert metier.read_part("eye", "model.onnx") == (folder / "model.onnx").read_bytes()
    graph = next(part for part in metier.parts("eye") if part.filepath == "model.onnx")
    assert str(graph.digest) == f"sha256:{file.sha256}"
    assert [item.name for item in metier.list()] == ["eye"]
    assert metier.models.listing("eye").task == "see"
    out = metier.export("eye", tmp_path / "out")
    metier.remove("eye")
    assert metier.import_path(out)[0].name == "eye"


@pytest.mark.parametrize(
    ("kind", "code"),
    [(InputError, "custom_operators"), (NotFoundError, "no_file"), (CorruptError, "bad_graph"),
     (InputError, "wrong_sha256"), (InputError, "bad_vision"), (InputError, "bad_onnx"),
     (InputError, "control_flow")],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_installed(
    metier: Metier, tmp_path: Path, kind: type[InputError], code: str
) -> None:
    changes = {"bad_graph": {"size": 64}, "wrong_sha256": {"sha256": "0" * 64}}.get(code, {})
    folder = tiny_vision.folder(tmp_path / "eye", **changes)
    if code == "custom_operators":
        (folder / "model.onnx").write_bytes(tiny_vision.graph(domain="com.example"))
    elif code == "control_flow":
        (folder / "model.onnx").write_bytes(tiny_vision.endless())
    elif code == "no_file":
        (folder / "model.onnx").unlink()
    elif code == "bad_onnx":
        (folder / "model.onnx").write_bytes(b"\x08\x01")
    elif code == "bad_vision":
        (folder / "vision.json").write_text(json.dumps({"input": "x"}))
    with pytest.raises(kind) as raised:
        metier.import_path(folder, name="eye")
    assert raised.value.code == code
    assert metier.list() == []


@pytest.mark.parametrize("graph", [tiny_vision.greedy(), tiny_vision.endless()])
def test_what_an_artifact_brings_is_tried_too(metier: Metier, tmp_path: Path, graph: bytes) -> None:
    """Whoever writes a layout can leave out what an import of a folder would have refused."""
    digest = hashlib.sha256(graph).hexdigest()
    folder = tiny_vision.folder(tmp_path / "eye", sha256=digest, name="eye", dimension=3)
    (folder / "model.onnx").write_bytes(graph)
    parts = {
        "vision.json": ("weight-config", folder / "vision.json"),
        "model.onnx": ("weight", folder / "model.onnx"),
    }
    metier.fleet.install(Reference.parse("eye"), parts, {KIND: "base"})  # type: ignore[arg-type]
    out = metier.export("eye", tmp_path / "out")
    metier.remove("eye")
    with pytest.raises((InputError, CorruptError)) as raised:
        metier.import_path(out)
    assert raised.value.code in ("too_large", "bad_graph", "control_flow")
    assert metier.list() == []


def test_an_artifact_whose_graph_is_another_is_refused(metier: Metier, tmp_path: Path) -> None:
    folder = tiny_vision.folder(tmp_path / "eye", sha256="0" * 64)
    parts = {
        "vision.json": ("weight-config", folder / "vision.json"),
        "model.onnx": ("weight", folder / "model.onnx"),
    }
    with pytest.raises(CorruptError) as raised:
        metier.fleet.install(Reference.parse("eye"), parts, {KIND: "base"})  # type: ignore[arg-type]
    assert raised.value.code == "bad_vision"
