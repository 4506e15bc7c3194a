"""From an entry or a header to what an estimate needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.finding import Entry
from metier.fitting.facts import (
    active_parameters,
    of_encoder,
    of_entry,
    of_headers,
    of_tables,
    quantization_type,
    usual_cache_bytes,
)
from metier.fitting.probe import Probe, write_probe
from metier.formats import describe, read_gguf
from metier.scheduler import Shape

B = 1_000_000_000


def entry(**more: object) -> Entry:
    facts = {"name": "a/b", "kind": "model", "task": "chat", "pull": "hf.co/a/b", **more}
    return Entry.model_validate(facts)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Q4_K_M", "Q4_K"), ("ud-q4_k_xl", "Q4_K"), ("Q8_0", "Q8_0"), ("fp16", "F16"),
     ("IQ4_XS", "IQ4_XS"), ("IQ3_M", "IQ3_S"), ("safetensors", ""), ("", "")],
)  # fmt: skip
def test_a_quantisation_is_mostly_one_type(name: str, kind: str) -> None:
    assert quantization_type(name) == kind


def test_a_size_follows_from_parameters_and_quantisation() -> None:
    facts = of_entry(entry(parameters=7 * B, quantization="Q4_K_M"))
    assert facts.engine == "llamacpp"
    assert facts.writes
    assert facts.shape is not None
    assert 3.9 * B < facts.shape.weights < 4.5 * B
    assert facts.read["Q4_K"] == facts.shape.weights


def test_the_file_that_pull_brings_counts_if_it_is_known() -> None:
    facts = of_entry(entry(size_bytes=2 * B, quantization="Q8_0", context=4096))
    assert facts.shape is not None
    assert (facts.shape.weights, facts.shape.trained) == (2 * B, 4096)


def test_a_mixture_of_experts_reads_what_it_uses() -> None:
    assert active_parameters("Qwen/Qwen3-30B-A3B", 30 * B) == 3 * B
    assert active_parameters("a/big-model", 30 * B) == 30 * B
    facts = of_entry(entry(name="Qwen3-30B-A3B", parameters=30 * B, quantization="Q4_K_M"))
    assert facts.shape is not None
    assert facts.read["Q4_K"] == pytest.approx(facts.shape.weights / 10)


def test_what_nothing_here_runs_says_why() -> None:
    assert of_entry(entry(pull="", size_bytes=B)).why_not
    assert of_entry(entry(task="entities", size_bytes=B)).why_not
    assert not of_entry(entry(task="embed", size_bytes=B)).why_not
    assert of_entry(entry(task="embed", size_bytes=B)).engine == "encoder"
    assert of_entry(entry()).shape is None


def test_the_cache_grows_with_the_model() -> None:
    sizes = [usual_cache_bytes(size) for size in (B // 2, B, 8 * B, 70 * B)]
    assert sizes == sorted(sizes)
    assert 30_000 < sizes[1] < 120_000 < sizes[2] + 10_000 < 262_144


def test_a_header_is_exact(tmp_path: Path) -> None:
    probe = Probe("Q4_K", layers=2, width=256, inner=512, heads=4, groups=2, also="Q6_K")
    write_probe(tmp_path / "m.gguf", probe)
    header = read_gguf(tmp_path / "m.gguf")
    facts = of_headers(describe(header), [header], Shape(weights=1), writes=True)
    assert facts.exact
    assert sum(facts.read.values()) == probe.read_bytes
    assert set(facts.read) == {"Q4_K", "Q6_K"}
    assert facts.multiplied == probe.layers * probe.layer_parameters


def test_specialists_take_their_bytes() -> None:
    assert of_tables(1000).resident == 1000
    assert of_encoder(1000, 5).resident > 1000
