"""Headers are read once for as long as the file is the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metier.assembly.facts import Facts
from metier.errors import InputError
from tiny_gguf import tiny_embedder, tiny_model


def test_a_header_is_read_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    facts, model = Facts(), tiny_model(tmp_path)
    first = facts.of([model])
    assert first.facts.architecture == "qwen2"
    assert first.fills
    assert facts.of([model]) is first
    os.utime(model, (1, 1))
    assert facts.of([model]) is not first


def test_memory_follows_from_the_header(tmp_path: Path) -> None:
    facts, model = Facts(), tiny_model(tmp_path)
    shape = facts.shape([model], "generate")
    # Two layers of two key-value heads of 16 numbers, keys and values, two bytes each.
    assert shape.cache == 2 * 2 * 32 * 2
    assert shape.trained == 4096
    assert shape.scratch == 512 * 4 * (512 + 6 * 64 + 2 * 128)
    assert shape.slots == 4
    assert facts.shape([tiny_embedder(tmp_path)], "embed").slots == 1


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF????")
    with pytest.raises(InputError) as told:
        Facts().of([tmp_path / "x.gguf"])
    assert told.value.code == "bad_gguf"
