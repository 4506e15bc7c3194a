"""The fp32 graph is sound ONNX, holds no large weight and points at upstream's bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

import tiny_bert
from metier.conversion.graph import build_fp32
from metier.conversion.upstream import read_upstream


def test_external_tensors_are_upstreams_bytes(tmp_path: Path) -> None:
    folder = tiny_bert.make_folder(tmp_path, prefix="bert.")
    model = build_fp32(read_upstream(folder))
    (folder / "graph.onnx").write_bytes(model.SerializeToString())
    loaded = onnx.load(folder / "graph.onnx")
    weights = load_file(folder / "model.safetensors")
    external = {
        one.name
        for one in model.graph.initializer
        if one.data_location == onnx.TensorProto.EXTERNAL
    }
    linear = 12 * tiny_bert.LAYERS
    assert len(external) == linear + 1
    for constant in loaded.graph.initializer:
        if constant.name in external:
            array = onnx.numpy_helper.to_array(constant)
            np.testing.assert_array_equal(array, weights[f"bert.{constant.name}"])


def test_half_precision_weights_go_into_the_graph(tmp_path: Path) -> None:
    folder = tiny_bert.make_folder(tmp_path)
    halves = {name: array.astype(np.float16) for name, array in tiny_bert.make_weights().items()}
    save_file(halves, folder / "model.safetensors")
    model = build_fp32(read_upstream(folder))
    assert not any(constant.external_data for constant in model.graph.initializer)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_inputs_outputs_and_names(tmp_path: Path, pooling: str) -> None:
    model = build_fp32(read_upstream(tiny_bert.make_folder(tmp_path, pooling=pooling)))
    assert [value.name for value in model.graph.input] == ["ids", "mask"]
    assert [value.name for value in model.graph.output] == ["vector"]
    outputs = [name for node in model.graph.node for name in node.output]
    assert len(outputs) == len(set(outputs))
    used = {name for node in model.graph.node for name in node.input if name}
    constants = {constant.name for constant in model.graph.initializer}
    assert used == constants | {"ids", "mask"} | (set(outputs) - {"vector"})
