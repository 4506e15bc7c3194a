"""config.json is believed only where the engine computes what it says."""

from __future__ import annotations

from typing import Any

import pytest

from conversion_cases import LLAMA3, YARN
from metier.conversion.gguf.shape import read_shape
from metier.errors import InputError
from tiny_source import config_of, shape_of


def config(architecture: Any = "qwen2", **changes: Any) -> dict[str, Any]:
    return {**config_of(shape_of(architecture)), **changes}


def test_the_sizes() -> None:
    shape = read_shape(config("qwen3"))
    assert (shape.architecture, shape.width, shape.layers) == ("qwen3", 64, 2)
    assert (shape.heads, shape.groups, shape.head, shape.inner) == (4, 2, 32, 128)
    assert (shape.vocabulary, shape.context, shape.epsilon) == (512, 4096, 1e-6)
    assert (shape.tied, shape.attention_bias, shape.inner_bias) == (False, False, False)
    assert shape.rope.base == 10000.0
    assert read_shape(config("qwen2")).attention_bias


def test_sizes_that_are_not_said() -> None:
    assert read_shape(config("llama", head_dim=None)).head == 16
    assert read_shape(config("qwen3", head_dim=None)).head == 128
    assert read_shape(config("llama", num_key_value_heads=None)).groups == 4


def test_rope_parameters_of_both_ages() -> None:
    old = read_shape(config(rope_theta=5e5, rope_scaling=YARN))
    new = read_shape(config(rope_theta=None, rope_parameters={**YARN, "rope_theta": 5e5}))
    assert old.rope == new.rope
    assert (old.rope.kind, old.rope.base, old.rope.factor, old.rope.original) == (
        "yarn",
        5e5,
        4.0,
        64,
    )
    plain = {"rope_type": "default", "rope_theta": 1e6}
    assert read_shape(config(rope_parameters=plain)).rope.base == 1e6
    assert read_shape(config("llama", rope_scaling=LLAMA3)).rope.kind == "llama3"
    older = {"type": "linear", "factor": 2}
    assert read_shape(config("llama", rope_scaling=older)).rope.factor == 2.0


def test_yarn_stretches_the_context() -> None:
    assert read_shape(config(rope_scaling=YARN, max_position_embeddings=64)).context == 256
    usual = {**YARN, "attention_factor": 1.138629}
    assert read_shape(config(rope_scaling=usual)).rope.kind == "yarn"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"architectures": ["GemmaForCausalLM"], "model_type": "gemma"}, "GemmaForCausalLM"),
        ({"architectures": None, "model_type": "mamba"}, "mamba"),
        ({"architectures": [], "model_type": None}, "no architecture"),
        ({"architectures": [{}]}, "not converted"),
        ({"model_type": "llama"}, "Qwen2ForCausalLM"),
    ],
)
def test_other_families(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_shape(config(**changes))
    assert caught.value.code == "unknown_architecture"


@pytest.mark.parametrize(
    ("architecture", "changes", "says"),
    [
        ("qwen2", {"hidden_size": None}, "does not say hidden_size"),
        ("qwen2", {"hidden_size": True}, "hidden_size"),
        ("qwen2", {"hidden_size": -64}, "hidden_size is '-64'"),
        ("qwen2", {"hidden_size": 10**9}, "hidden_size"),
        ("qwen2", {"hidden_size": 66}, "do not divide a width of 66"),
        ("qwen2", {"num_key_value_heads": 3}, "3 key heads"),
        ("qwen3", {"head_dim": 15}, "odd"),
        ("qwen2", {"rms_norm_eps": float("nan")}, "rms_norm_eps"),
        ("qwen2", {"rms_norm_eps": "1e-6"}, "rms_norm_eps"),
        ("qwen2", {"hidden_act": "gelu"}, "gelu"),
        ("qwen2", {"quantization_config": {"bits": 4}}, "quantised already"),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 64}, "sliding window"),
        ("qwen3", {"layer_types": ["sliding_attention"] * 2}, "sliding window"),
        ("qwen3", {"attention_bias": True}, "attention_bias"),
        ("qwen2", {"mlp_bias": True}, "mlp_bias"),
        ("llama", {"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
        ("llama", {"rope_scaling": {"type": "dynamic", "factor": 2}}, "dynamic"),
        ("llama", {"rope_scaling": [2]}, "no object"),
        ("llama", {"rope_scaling": {"type": "linear"}}, "does not say factor"),
        ("qwen2", {"rope_scaling": LLAMA3}, "llama3"),
        ("llama", {"rope_scaling": {**LLAMA3, "low_freq_factor": 4.0}}, "no range"),
        ("qwen2", {"rope_scaling": {**YARN, "attention_factor": 2.0}}, "attention_factor"),
        ("qwen2", {"rope_scaling": {**YARN, "attention_factor": "x"}}, "attention_factor"),
        ("qwen2", {"rope_scaling": {**YARN, "mscale": 0.7}}, "mscale"),
        ("qwen2", {"rope_scaling": {**YARN, "truncate": False}}, "truncate"),
    ],
)
def test_what_the_engine_would_not_compute(
    architecture: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_shape(config(architecture, **changes))
    assert caught.value.code == "bad_model_folder"


def test_code_of_the_model_is_refused() -> None:
    with pytest.raises(InputError, match="auto_map"):
        read_shape(config(auto_map={"AutoModelForCausalLM": "modeling.Model"}))


def test_a_window_that_is_switched_off_is_none() -> None:
    changes = {"use_sliding_window": False, "sliding_window": 4096}
    full = ["full_attention"] * 2
    assert read_shape(config("qwen2", **changes, layer_types=full)).layers == 2
