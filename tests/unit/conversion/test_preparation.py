"""A base is made whole or not at all, the same bytes each time, and upstream keeps its own."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import tiny_bert
from metier.conversion.preparation import BaseFiles, prepare_base
from metier.conversion.upstream import find_packaged_default
from metier.errors import CorruptError, NotFoundError
from metier.messages import Progress

MAKE = "import sys, pathlib\nfrom metier.conversion.preparation import prepare_base\n"
CALL = "prepare_base(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tiny_bert.make_folder(tmp_path / "tiny")


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def test_two_builds_are_the_same_bytes(source: Path, tmp_path: Path) -> None:
    first, second = (prepare_base(source, tmp_path / name) for name in ("one", "two"))
    assert digests(first.folder) == digests(second.folder)
    assert digests(prepare_base(source, first.folder).folder) == digests(second.folder)


def test_every_file_is_named_in_base_json(source: Path, tmp_path: Path) -> None:
    files = prepare_base(source, tmp_path / "out", name="tiny-one")
    found = digests(files.folder)
    assert {path.name for path in files.parts()} == set(found)
    description = json.loads(files.description.read_text())
    assert description["name"] == "tiny-one"
    assert description["licence"] == "Apache-2.0"
    listed = {**description["upstream"], **description["made"]}
    assert listed == {
        name: f"sha256:{digest}" for name, digest in found.items() if name != "base.json"
    }
    assert description["sizes"] == {
        path.name: path.stat().st_size for path in files.parts() if path.name != "base.json"
    }


def test_upstreams_files_are_linked_not_copied(source: Path, tmp_path: Path) -> None:
    before = digests_of(source)
    files = prepare_base(source, tmp_path / "out")
    for path in (files.weights, files.tokenizer, files.config):
        assert path.samefile(source / path.name)
    assert digests_of(source) == before


def digests_of(source: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }


def test_progress_ends_at_one(source: Path, tmp_path: Path) -> None:
    steps: list[Progress] = []
    prepare_base(source, tmp_path / "out", steps.append)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions, key=lambda one: one or 0)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert {step.stage for step in steps} == {"base"}


def test_a_failed_build_leaves_no_half_file(source: Path, tmp_path: Path) -> None:
    weights = tiny_bert.make_weights()
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, source / "model.safetensors")
    with pytest.raises(CorruptError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        prepare_base(source, tmp_path / "out")
    names = set(digests(tmp_path / "out"))
    assert "base.json" not in names
    assert names <= {"model.safetensors", "tokenizer.json", "config.json"}


def test_a_full_disk_is_said_and_nothing_is_left(source: Path, tmp_path: Path) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
    done = subprocess.run(
        [sys.executable, "-c", MAKE + limit + CALL, str(source), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "StorageError" in done.stderr
    assert "could not be written" in done.stderr
    assert not any(path.name.startswith(".") for path in (tmp_path / "out").iterdir())
    assert not (tmp_path / "out" / "base.json").exists()


def test_a_killed_build_leaves_only_whole_files(source: Path, tmp_path: Path) -> None:
    begin = time.monotonic()
    whole = digests(prepare_base(source, tmp_path / "whole").folder)
    taken = time.monotonic() - begin
    chance = random.Random(5)
    for number in range(6):
        out = tmp_path / f"out{number}"
        ready = "print(1, flush=True)\n"
        process = subprocess.Popen(
            [sys.executable, "-c", MAKE + ready + CALL, str(source), str(out)],
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.random() * taken * 1.5)
            process.kill()
        if out.exists():
            left = {name: one for name, one in digests(out).items() if not name.startswith(".")}
            assert left.items() <= whole.items()


def test_files_of_an_older_build_are_replaced(source: Path, tmp_path: Path) -> None:
    files: BaseFiles = prepare_base(source, tmp_path / "out")
    before = digests(files.folder)
    changed = tiny_bert.make_weights(seed=8)
    (source / "model.safetensors").unlink()
    save_file(changed, source / "model.safetensors")
    after = digests(prepare_base(source, tmp_path / "out").folder)
    for name in ("model.safetensors", "encoder-int8.onnx", "static.safetensors", "base.json"):
        assert before[name] != after[name]


def test_the_source_may_be_the_target(source: Path) -> None:
    before = np.frombuffer((source / "model.safetensors").read_bytes(), np.uint8)
    files = prepare_base(source, source)
    np.testing.assert_array_equal(np.fromfile(files.weights, np.uint8), before)


@pytest.mark.slow
def test_the_default_encoder_in_seconds(tmp_path: Path) -> None:
    try:
        folder = find_packaged_default()
    except NotFoundError:
        pytest.skip("the default encoder is not installed")
    begin = time.process_time()
    files = prepare_base(folder, tmp_path)
    assert time.process_time() - begin < 30
    description = json.loads(files.description.read_text())
    assert (description["name"], description["licence"]) == ("all-minilm-l6-v2", "Apache-2.0")
    assert files.graphs["fp32"].stat().st_size < 1_000_000
    assert files.graphs["int8"].stat().st_size < 25_000_000
