"""Every tensor of a family is planned; rows are turned as ggml turns them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metier.conversion.gguf.folder import StoredTensors, one_file
from metier.conversion.gguf.layout import (
    check_plan,
    llama3_factors,
    plan,
    rotated_rows,
)
from metier.conversion.gguf.shape import Rope, Shape, read_shape
from metier.errors import InputError
from tiny_gguf import gguf_name, interleaved
from tiny_source import Architecture, config_of, save_tensors, shape_of, weights


def shape(architecture: Architecture, *, tied: bool = False) -> Shape:
    return read_shape(config_of(shape_of(architecture), tied=tied))


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [False, True])
def test_the_plan_is_the_model(architecture: Architecture, tied: bool) -> None:
    planned = plan(shape(architecture, tied=tied))
    expected = weights(shape_of(architecture), tied=tied)
    assert {item.source: item.shape for item in planned} == {
        name: values.shape for name, values in expected.items()
    }
    assert {item.name for item in planned} == {gguf_name(name) for name in expected}


def test_rotated_rows_are_the_tests_own() -> None:
    rows = np.arange(48, dtype=np.float32).reshape(24, 2)
    np.testing.assert_array_equal(rows[rotated_rows(24, 3)], interleaved(rows, 3))
    assert rotated_rows(8, 1).tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert rotated_rows(4, 0).tolist() == [0, 1, 2, 3]


def test_only_llama_rotates() -> None:
    assert {item.rotated for item in plan(shape("qwen2"))} == {0}
    rotated = {item.name: item.rotated for item in plan(shape("llama")) if item.rotated}
    assert rotated["blk.0.attn_q.weight"] == 4
    assert rotated["blk.1.attn_k.weight"] == 2
    assert len(rotated) == 4


def stored(folder: Path, change: dict[str, tuple[int, ...] | None]) -> StoredTensors:
    tensors = weights(shape_of("llama"))
    for name, size in change.items():
        if size is None:
            del tensors[name]
        else:
            tensors[name] = np.ones(size, np.float32)
    save_tensors(folder / "model.safetensors", tensors)
    return one_file(folder / "model.safetensors")


def test_old_checkpoints_keep_what_follows(tmp_path: Path) -> None:
    extra = stored(tmp_path, {"model.layers.1.self_attn.rotary_emb.inv_freq": (8,)})
    check_plan(plan(shape("llama")), shape("llama"), extra)


def test_a_tied_model_may_keep_its_embeddings_twice(tmp_path: Path) -> None:
    tied = shape("llama", tied=True)
    check_plan(plan(tied), tied, stored(tmp_path, {}))


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"model.norm.weight": None}, "tensor_missing", r"'model\.norm\.weight' is missing"),
        ({"lm_head.weight": None}, "tensor_missing", r"lm_head\.weight"),
        ({"model.norm.weight": (65,)}, "bad_model_folder", "the shape 65; config.json makes it 64"),
        ({"model.layers.0.extra.weight": (4, 4)}, "bad_model_folder", "no tensor of a llama"),
    ],
)
def test_tensors_that_do_not_fit(
    change: dict[str, tuple[int, ...] | None], code: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        check_plan(plan(shape("llama")), shape("llama"), stored(tmp_path, change))
    assert caught.value.code == code


def test_llama3_keeps_fast_turns_and_stretches_slow_ones() -> None:
    rope = Rope(500000.0, "llama3", 8.0, 8192, low=1.0, high=4.0)
    factors = llama3_factors(replace(shape("llama"), head=128, rope=rope))
    assert factors.shape == (64,)
    assert factors.dtype == np.float32
    assert factors[0] == 1.0
    assert factors[-1] == 8.0
    assert (np.diff(factors) >= 0).all()
