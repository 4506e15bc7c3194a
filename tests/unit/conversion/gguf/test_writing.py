"""Files are written whole or not at all, and numbers that do not fit are named."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from metier.conversion.gguf.writing import DType, Outgoing, kind_of, write_gguf
from metier.errors import InputError, StorageError
from metier.formats.gguf import read_gguf
from metier.messages import silent


def outgoing(values: Any, name: str = "a.weight") -> Outgoing:
    array = np.asarray(values, np.float32)
    order = np.arange(len(array))
    return Outgoing(name, f"their {name}", array.shape, order, lambda rows: array[rows])


def write(target: Path, tensors: list[Outgoing], dtype: DType = "f16", **more: Any) -> None:
    write_gguf(target, "llama", lambda _writer: None, tensors, dtype, report=silent, **more)


def read(path: Path) -> dict[str, Any]:
    return {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        for tensor in gguf.GGUFReader(path).tensors
    }


@pytest.mark.parametrize(("dtype", "error"), [("f32", 0.0), ("f16", 1e-3), ("q8_0", 0.02)])
def test_numbers_come_back(dtype: DType, error: float, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = {
        "a.weight": random.standard_normal((7, 64)).astype(np.float32),
        "b.weight": random.standard_normal(33).astype(np.float32),
        "c.weight": random.standard_normal((5, 33)).astype(np.float32),
    }
    write(tmp_path / "m.gguf", [outgoing(array, name) for name, array in values.items()], dtype)
    found = read(tmp_path / "m.gguf")
    for name, array in values.items():
        np.testing.assert_allclose(found[name], array, atol=error, rtol=error)
    assert len(read_gguf(tmp_path / "m.gguf").tensors) == 3


def test_how_tensors_are_kept() -> None:
    assert kind_of((64,), "q8_0").name == "F32"
    assert kind_of((2, 64), "q8_0").name == "Q8_0"
    assert kind_of((2, 33), "q8_0").name == "F16"
    assert kind_of((2, 33), "f32").name == "F32"


def test_a_tensor_larger_than_a_slice_needs_the_memory_of_slices(tmp_path: Path) -> None:
    def rows(order: Any) -> Any:
        return np.repeat(order.astype(np.float32)[:, None], 4096, 1) / 4096

    big = Outgoing("a.weight", "a", (8192, 4096), np.arange(8192)[::-1], rows)  # 128 MiB in f32
    tracemalloc.start()
    try:
        write(tmp_path / "m.gguf", [big], "q8_0")
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    found = gguf.GGUFReader(tmp_path / "m.gguf").tensors[0]
    assert tuple(found.shape) == (4096, 8192)
    last = gguf.quants.dequantize(found.data[-1:], found.tensor_type)
    first = gguf.quants.dequantize(found.data[:1], found.tensor_type)
    assert (last == 0).all()
    np.testing.assert_allclose(first, 8191 / 4096, rtol=0.01)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(number: float, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'their a\.weight' holds a number that"):
        write(tmp_path / "m.gguf", [outgoing([[number] * 32])], "q8_0")
    assert list(tmp_path.iterdir()) == []


def test_numbers_too_large_for_f16(tmp_path: Path) -> None:
    large = [outgoing([[1e5] * 32])]
    with pytest.raises(InputError, match=r"1e\+05, more than f16"):
        write(tmp_path / "m.gguf", large)
    write(tmp_path / "m.gguf", large, "f32")
    write(tmp_path / "n.gguf", [outgoing([1e5] * 32)])  # vectors stay float32


def test_stopping_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    target.write_bytes(b"before")
    with pytest.raises(InputError) as caught:
        write(target, [outgoing([[1.0]])], cancelled=lambda: True)
    assert caught.value.code == "cancelled"
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]
    write(target, [outgoing([[1.0]])])
    assert read(target)["a.weight"] == 1.0


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        write(tmp_path / "file" / "m.gguf", [outgoing([[1.0]])])
    assert caught.value.code == "model_not_written"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def full(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        return real(Path("/dev/full") if mode == "ab" else self, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match="No space left"):
        write(tmp_path / "m.gguf", [outgoing(np.ones((4096, 4096)))])
    assert list(tmp_path.iterdir()) == []
