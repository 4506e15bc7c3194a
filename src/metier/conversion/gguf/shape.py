"""What ``config.json`` says of a decoder of the llama, qwen2 or qwen3 family.

It checks every setting that changes the arithmetic and refuses those that the engine would ignore:
a wrong answer is worse than none. It sees no tensor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from metier.conversion.gguf.folder import refuse, refuse_code
from metier.errors import InputError

Architecture = Literal["llama", "qwen2", "qwen3"]
KNOWN: Mapping[str, Architecture] = {
    "LlamaForCausalLM": "llama",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
}
MOST = 1 << 24
"""No count of a model is larger."""


@dataclass(frozen=True, slots=True)
class Rope:
    """How positions turn queries and keys.

    Attributes:
        base: Of the frequencies.
        kind: How the context is stretched.
        factor: By how much.
        original: Tokens before it was stretched.
        low: Of llama3: below it wavelengths are stretched fully.
        high: Of llama3: above it they are kept.
        fast: Of yarn: beta_fast.
        slow: Of yarn: beta_slow.
    """

    base: float
    kind: Literal["none", "linear", "yarn", "llama3"] = "none"
    factor: float = 1.0
    original: int = 0
    low: float = 1.0
    high: float = 4.0
    fast: float = 32.0
    slow: float = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder.

    Attributes:
        architecture: Its family, as GGUF names it.
        width: Length of a token's state.
        layers: Number of layers.
        heads: Query heads.
        groups: Key and value heads.
        head: Length of a head.
        inner: Width of the feed-forward layer.
        vocabulary: Rows of the embeddings.
        context: Tokens that it was trained for.
        epsilon: Of the root mean square norms.
        tied: Whether the output matrix is the embeddings.
        attention_bias: Whether the attention's products have biases.
        inner_bias: Whether the feed-forward products have biases.
        rope: Positions.
    """

    architecture: Architecture
    width: int
    layers: int
    heads: int
    groups: int
    head: int
    inner: int
    vocabulary: int
    context: int
    epsilon: float
    tied: bool = False
    attention_bias: bool = False
    inner_bias: bool = False
    rope: Rope = field(default_factory=lambda: Rope(10000.0))


def read_shape(config: Mapping[str, Any]) -> Shape:
    """The shape that ``config`` (the object in config.json) describes.

    Raises:
        InputError: ``unknown_architecture``, ``remote_code`` or ``bad_model_folder``, naming the
            setting.
    """
    refuse_code("config.json", config)
    architecture = _architecture(config)
    _refuse_unknown_arithmetic(config, architecture)
    heads = _count(config, "num_attention_heads")
    groups = _count(config, "num_key_value_heads", heads)
    width = _count(config, "hidden_size")
    if config.get("head_dim") is None and width % heads:
        raise refuse(f"config.json: {heads} attention heads do not divide a width of {width}.")
    if heads % groups:
        raise refuse(f"config.json: {groups} key heads do not divide {heads} attention heads.")
    head = _count(config, "head_dim", 128 if architecture == "qwen3" else width // heads)
    if head % 2:
        raise refuse(f"config.json: head_dim is {head}, which is odd.")
    context = _count(config, "max_position_embeddings")
    rope = _rope(config, architecture, context)
    return Shape(
        architecture=architecture,
        width=width,
        layers=_count(config, "num_hidden_layers"),
        heads=heads,
        groups=groups,
        head=head,
        inner=_count(config, "intermediate_size"),
        vocabulary=_count(config, "vocab_size"),
        context=max(context, int(rope.factor * rope.original)) if rope.kind == "yarn" else context,
        epsilon=_number(config, "rms_norm_eps", 1e-6),
        tied=bool(config.get("tie_word_embeddings", False)),
        attention_bias=architecture == "qwen2" or bool(config.get("attention_bias")),
        inner_bias=bool(config.get("mlp_bias")),
        rope=rope,
    )


def _architecture(config: Mapping[str, Any]) -> Architecture:
    named = config.get("architectures")
    first = named[0] if isinstance(named, list) and named else None
    found = KNOWN.get(first) if isinstance(first, str) else None
    if found is None or config.get("model_type", found) != found:
        what = first or config.get("model_type") or "no architecture"
        raise refuse(
            f"config.json names {what!s}, which is not converted here.",
            "Known: " + ", ".join(KNOWN) + ". Other families often exist as GGUF files already.",
            code="unknown_architecture",
        )
    return found


def _refuse_unknown_arithmetic(config: Mapping[str, Any], architecture: Architecture) -> None:
    if config.get("quantization_config"):
        raise refuse(
            "config.json has a quantization_config: the weights are quantised already.",
            "Take the model before it was quantised.",
        )
    activation = config.get("hidden_act", "silu")
    if activation not in ("silu", "swish"):
        raise refuse(f"config.json: the activation {activation!r} is not this family's silu.")
    kinds = config.get("layer_types") or []
    window = bool(config.get("use_sliding_window")) and config.get("sliding_window") is not None
    if window or any(kind != "full_attention" for kind in kinds):
        raise refuse("config.json: attention in a sliding window is not converted.")
    if architecture == "qwen3" and config.get("attention_bias"):
        raise refuse("config.json: a qwen3 with attention_bias is not known to the engine.")
    if architecture != "llama" and config.get("mlp_bias"):
        raise refuse(f"config.json: a {architecture} with mlp_bias is not known to the engine.")


def _rope(config: Mapping[str, Any], architecture: Architecture, context: int) -> Rope:
    # transformers 5 keeps base and scaling in rope_parameters; before, they were apart.
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(scaling, Mapping):
        raise refuse("config.json: rope_parameters or rope_scaling is no object.")
    base = _number({**config, **scaling}, "rope_theta", 10000.0)
    partial = {**config, **scaling}.get("partial_rotary_factor", 1.0)
    if partial != 1.0:
        raise refuse(f"config.json: partial_rotary_factor is {partial}; only 1 is converted.")
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind in (None, "default"):
        return Rope(base)
    if kind == "linear":
        return Rope(base, "linear", _number(scaling, "factor"))
    original = _count({"original_max_position_embeddings": context, **scaling},
                      "original_max_position_embeddings")  # fmt: skip
    if kind == "yarn":
        return _yarn(scaling, base, original)
    if kind == "llama3" and architecture == "llama":
        low, high = _number(scaling, "low_freq_factor"), _number(scaling, "high_freq_factor")
        if not low < high:
            raise refuse(f"config.json: rope scaling from {low} to {high} is no range.")
        factor = _number(scaling, "factor")
        return Rope(base, "llama3", factor, original, low=low, high=high)
    raise refuse(
        f"config.json: rope scaling {kind!r} is not converted for {architecture}.",
        "Known: linear, yarn, and llama3 for the llama family.",
    )


def _yarn(scaling: Mapping[str, Any], base: float, original: int) -> Rope:
    factor = _number(scaling, "factor")
    usual = 0.1 * math.log(factor) + 1 if factor > 1 else 1.0
    attention = _number(scaling, "attention_factor", usual)
    if not math.isclose(attention, usual, rel_tol=1e-4):
        raise refuse(
            f"config.json: yarn with attention_factor {attention} is not converted; "
            f"the engine uses {usual:.4f}."
        )
    for name in ("mscale", "mscale_all_dim"):
        if scaling.get(name) not in (None, 0):
            raise refuse(f"config.json: yarn with {name} is not converted.")
    if scaling.get("truncate") is False:
        raise refuse("config.json: yarn without truncate is not converted.")
    return Rope(
        base,
        "yarn",
        factor,
        original,
        fast=_number(scaling, "beta_fast", 32.0),
        slow=_number(scaling, "beta_slow", 1.0),
    )


def _count(config: Mapping[str, Any], name: str, otherwise: int | None = None) -> int:
    found = config.get(name)
    if found is None and otherwise is not None:
        return otherwise
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= MOST:
        raise _not(name, found, "a count")
    return found


def _number(config: Mapping[str, Any], name: str, otherwise: float | None = None) -> float:
    found = config.get(name)
    if found is None and otherwise is not None:
        return otherwise
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise _not(name, found, "a positive number")
    if not 0 < found < 1e15:  # NaN is in no range either.
        raise _not(name, found, "a positive number")
    return float(found)


def _not(name: str, found: object, what: str) -> InputError:
    if found is None:
        return refuse(f"config.json does not say {name}.")
    return refuse(f"config.json: {name} is {str(found)[:80]!r}, not {what}.")
