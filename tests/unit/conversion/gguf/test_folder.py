"""Folders are opened across shards; an index that lies and files that would run are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversion_cases import FOLDERS
from metier.conversion.gguf.folder import (
    INDEX,
    WEIGHTS,
    open_weights,
    read_object,
    read_optional,
    read_text,
    refuse_code,
)
from metier.errors import InputError, NotFoundError
from tiny_source import save_tensors, shape_of, tiny_folder, weights


@pytest.mark.parametrize(("dtype", "error"), [("F32", 0.0), ("F16", 1e-3), ("BF16", 8e-3)])
def test_rows_of_every_type(dtype: str, error: float, tmp_path: Path) -> None:
    tensors = weights(shape_of("qwen2"))
    save_tensors(tmp_path / WEIGHTS, tensors, dtype)
    opened = open_weights(tmp_path)
    for name, values in tensors.items():
        order = np.arange(len(values))[::-3]
        found = opened.rows(name, order)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, values[order], rtol=error, atol=error)


def test_shards_hold_what_one_file_holds(tmp_path: Path) -> None:
    folder = FOLDERS["llama in bfloat16 and two shards"](tmp_path / "m")
    opened = open_weights(folder)
    assert set(opened.files) == set(weights(shape_of("llama")))
    assert {opened.where(name) for name in opened.files} == {
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    }


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    save_tensors(tmp_path / WEIGHTS, {"a": np.ones((4, 4), np.float32)})
    opened = open_weights(tmp_path)
    (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:-8])
    with pytest.raises(InputError, match="became shorter"):
        opened.rows("a", np.arange(4))


def index(folder: Path, listed: Any) -> None:
    (folder / INDEX).write_text(json.dumps({"weight_map": listed}), "utf-8")


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ({"a": "../model.safetensors"}, "no file of the folder"),
        ({"a": "weights.bin"}, "no file of the folder"),
        ({"a": 3}, "no file of the folder"),
        ({"a": "other.safetensors"}, r"other\.safetensors, which is missing"),
        ({"b": WEIGHTS}, "no tensor 'b'"),
        ({}, "no weight_map"),
        ([], "no weight_map"),
    ],
)
def test_an_index_that_lies(listed: Any, says: str, tmp_path: Path) -> None:
    save_tensors(tmp_path / WEIGHTS, {"a": np.ones(3, np.float32)})
    index(tmp_path, listed)
    with pytest.raises(InputError, match=says):
        open_weights(tmp_path)


def test_a_tensor_that_the_index_forgot(tmp_path: Path) -> None:
    ones = np.ones(3, np.float32)
    save_tensors(tmp_path / WEIGHTS, {"a": ones, "b": ones})
    index(tmp_path, {"a": WEIGHTS})
    with pytest.raises(InputError, match="'b', which model"):
        open_weights(tmp_path)


def test_pickles_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model\.safetensors"):
        open_weights(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(InputError, match=r"pickle \(pytorch_model\.bin\)") as caught:
        open_weights(tmp_path)
    assert caught.value.code == "pickled_weights"


def test_quantised_tensors(tmp_path: Path) -> None:
    header = {"a": {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}}
    text = json.dumps(header).encode()
    (tmp_path / WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(InputError, match="stored as I8"):
        open_weights(tmp_path)


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 100_000, '"a"'])
def test_what_is_no_json_object(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"config\.json is not"):
        read_object(tmp_path / "config.json")


def test_missing_and_optional_files(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no config\.json"):
        read_object(tmp_path / "config.json")
    assert read_optional(tmp_path / "config.json") == {}
    assert read_text(tmp_path / "x.jinja") is None
    (tmp_path / "x.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        read_text(tmp_path / "x.jinja")
    (tmp_path / "x.jinja").write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_text(tmp_path / "x.jinja")


def test_code_is_never_run() -> None:
    refuse_code("config.json", {"auto_map": {}})
    with pytest.raises(InputError, match="never run") as caught:
        refuse_code("config.json", {"auto_map": {"AutoModel": "x.Y"}})
    assert caught.value.code == "remote_code"


def test_a_folder_of_the_tests_opens(tmp_path: Path) -> None:
    opened = open_weights(tiny_folder(tmp_path))
    assert opened.place("model.norm.weight").shape == (64,)
