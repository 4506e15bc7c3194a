"""The models to measure with: sound files of every type, which the engine loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.fitting.probe import TYPES, Probe, bytes_of, write_probe
from metier.formats import describe, read_gguf


@pytest.mark.parametrize("kind", TYPES)
def test_a_file_of_every_type_is_sound(tmp_path: Path, kind: str) -> None:
    probe = Probe(kind, layers=1, width=256, inner=512, heads=4, groups=2, vocabulary=320)
    write_probe(tmp_path / "m.gguf", probe)
    header = read_gguf(tmp_path / "m.gguf")
    facts = describe(header)
    assert facts.architecture == "llama"
    assert facts.parameters == probe.parameters + 3 * probe.width  # its norms
    matrices = [tensor for tensor in header.tensors if len(tensor.shape) == 2]
    assert {tensor.type for tensor in matrices} == {kind}
    read = sum(tensor.bytes for tensor in matrices if tensor.name != "token_embd.weight")
    assert read == probe.read_bytes


def test_bytes_of_the_common_types() -> None:
    assert bytes_of("Q8_0", 320) == 340
    assert bytes_of("F16", 320) == 640
    assert bytes_of("F32", 320) == 1280


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    probe = Probe("Q4_K", layers=1, width=256, inner=256, heads=4, groups=2, vocabulary=300)
    for name in ("a", "b"):
        write_probe(tmp_path / name, probe, seed=3)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
