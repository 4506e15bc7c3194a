"""Tensors are read where they lie; a header that lies is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from metier.conversion.tensors import open_tensors
from metier.errors import CorruptError


def write(path: Path, header: Any, data: bytes = b"") -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_values_and_places(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.float32([[7.5]])}
    save_file(arrays, path, {"format": "pt"})
    tensors = open_tensors(path)
    assert set(tensors.places) == {"a", "b"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(tensors.array(name), array)
        place = tensors.places[name]
        stored = path.read_bytes()[place.offset : place.offset + place.length]
        assert stored == array.tobytes()


def test_half_precision_is_widened(tmp_path: Path) -> None:
    values = np.float32([1.5, -2.0, 0.25])
    save_file({"half": values.astype(np.float16)}, tmp_path / "half.safetensors")
    np.testing.assert_array_equal(open_tensors(tmp_path / "half.safetensors").array("half"), values)
    brain = (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    header = {"brain": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}
    tensors = open_tensors(write(tmp_path / "brain.safetensors", header, brain))
    np.testing.assert_array_equal(tensors.array("brain"), values)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"dtype": "F32", "shape": [2], "data_offsets": [0, 12]}, "outside"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}, "outside"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}, "outside"),
        ({"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}, "outside"),
        ({"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}, "8 bytes, not 12"),
        ({"dtype": "F32", "shape": [2]}, "not complete"),
        ({"dtype": "F32", "shape": "2", "data_offsets": [0]}, "not complete"),
        (["F32"], "not complete"),
    ],
)
def test_an_entry_that_lies(tmp_path: Path, entry: Any, why: str) -> None:
    with pytest.raises(CorruptError, match=why):
        open_tensors(write(tmp_path / "w.safetensors", {"a": entry}, bytes(8)))


@pytest.mark.parametrize(
    "content", [b"", b"abc", (2**60).to_bytes(8, "little") + b"{}", bytes([3, *[0] * 7]) + b"{a}"]
)
def test_what_is_not_safetensors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(CorruptError, match="not a sound safetensors file"):
        open_tensors(tmp_path / "w.safetensors")


def test_a_missing_or_whole_number_tensor(tmp_path: Path) -> None:
    save_file({"ids": np.arange(4)}, tmp_path / "w.safetensors")
    tensors = open_tensors(tmp_path / "w.safetensors")
    for name in ("ids", "weights"):
        with pytest.raises(CorruptError, match=name):
            tensors.array(name)
