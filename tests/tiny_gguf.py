"""Tiny models with random weights for tests: GGUF files and Hugging Face folders of one source.

Two layers of width 64 over 512 tokens, the same bytes for the same seed, made in well under a
second. What they write is noise, but readable noise: bytes that are no ASCII and special tokens
other than the end are made improbable. The same weights come as a Hugging Face folder and as a
GGUF file, so that a conversion can be checked. It knows nothing of Metier.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import gguf
import numpy as np

from tiny_source import (
    CONTROL,
    END,
    MARKS,
    TEMPLATE,
    Architecture,
    Array,
    Shape,
    adapter_weights,
    shape_of,
    tiny_folder,
    tiny_peft,
    tokenizer,
    weights,
)

__all__ = [
    "tiny_adapter",
    "tiny_embedder",
    "tiny_folder",
    "tiny_model",
    "tiny_peft",
    "tiny_reranker",
    "tiny_sighted",
]

ARCHITECTURES: tuple[Architecture, ...] = ("llama", "qwen2", "qwen3")
GGUF_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OUTER_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


NEVER_ENDING = {494: -100.0, 496: -100.0, 500: -100.0, 501: -100.0, 502: -100.0}
"""Logit biases with which a tiny model never ends by itself."""


def gguf_name(name: str) -> str:
    """The GGUF name of a tensor of a Hugging Face model."""
    if name in OUTER_NAMES:
        return OUTER_NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    part, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{GGUF_NAMES[part]}.{kind}"


def interleaved(rows: Array, heads: int) -> Array:
    """Rows of a llama query or key in the order of ggml's rotation: pairs side by side."""
    halves = rows.reshape(heads, 2, -1, *rows.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows.shape))


def _as_gguf(shape: Shape, name: str, values: Array) -> Array:
    if shape.architecture == "llama" and ".q_proj." in name:
        return interleaved(values, shape.heads)
    if shape.architecture == "llama" and ".k_proj." in name:
        return interleaved(values, shape.groups)
    return values


def _write_tokenizer(writer: gguf.GGUFWriter, shape: Shape) -> None:
    known = tokenizer(shape.architecture, shape.vocabulary)
    saved = json.loads(known.to_str())
    tokens = sorted(known.get_vocab(), key=known.get_vocab().__getitem__)
    kinds = [
        gguf.TokenType.CONTROL
        if text in CONTROL
        else gguf.TokenType.USER_DEFINED
        if text in MARKS
        else gguf.TokenType.NORMAL
        for text in tokens
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe" if shape.architecture == "llama" else "qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in saved["model"]["merges"]])
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)


def _write_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.groups)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tiny_model(
    folder: Path,
    *,
    architecture: Architecture = "qwen2",
    seed: int = 0,
    vocabulary: int = 512,
    chat_template: str | None = TEMPLATE,
    tied: bool = False,
    pooling: gguf.PoolingType | None = None,
    extra: Mapping[str, Array] = MappingProxyType({}),
    name: str = "",
) -> Path:
    """A generative model as one GGUF file (f32).

    Args:
        folder: Where the file goes; it is made.
        architecture: Family.
        seed: Of the weights; another seed is another base.
        vocabulary: Tokens, special ones included; 280 to 512.
        chat_template: Jinja template inside the file, or ``None`` for a model without one.
        tied: Whether output and input embeddings are one (what it writes is then unreadable).
        pooling: How a model that embeds or ranks pools.
        extra: Further tensors, by their GGUF names.
        name: Of the file, without its suffix.
    """
    shape = Shape(architecture, head=shape_of(architecture).head, vocabulary=vocabulary)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name or f'tiny-{architecture}-{seed}'}.gguf"
    writer = gguf.GGUFWriter(target, architecture)
    writer.add_name(name or f"tiny {architecture} {seed}")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _write_shape(writer, shape)
    _write_tokenizer(writer, shape)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    if pooling is not None:
        writer.add_pooling_type(pooling)
    for tensor, values in weights(shape, seed, tied=tied).items():
        writer.add_tensor(gguf_name(tensor), _as_gguf(shape, tensor, values))
    for tensor, values in extra.items():
        writer.add_tensor(tensor, values)
    if pooling == gguf.PoolingType.RANK:
        writer.add_classifier_output_labels(["yes", "no"])
    _finish(writer)
    return target


def architecture_of(base: Path) -> Architecture:
    """The architecture in the header of a GGUF file."""
    head = base.read_bytes()[:200]
    for known in ARCHITECTURES:
        if b"general.architecture" in head and known.encode() in head:
            return known
    raise ValueError(f"{base} is of no architecture known here")


def tiny_adapter(folder: Path, base: Path, *, seed: int, rank: int = 4) -> Path:
    """A LoRA adapter for a ``tiny_model`` as GGUF (f32); it moves distributions by over a nat.

    Args:
        folder: Where the file goes; it is made.
        base: The GGUF file of the base, whose architecture counts.
        seed: Of the factors.
        rank: Rank; alpha is twice it, so the scale is 2.
    """
    shape = shape_of(architecture_of(base))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"tiny-adapter-{shape.architecture}-{seed}.gguf"
    writer = gguf.GGUFWriter(target, shape.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 2.0 * rank)
    for layer, (first, second) in adapter_weights(shape, seed, rank).items():
        name = gguf_name(layer + ".weight")
        writer.add_tensor(name + ".lora_a", first)
        writer.add_tensor(name + ".lora_b", _as_gguf(shape, layer + ".", second))
    _finish(writer)
    return target


def tiny_embedder(folder: Path, *, seed: int = 5) -> Path:
    """A model that embeds: qwen2 with mean pooling, 64 numbers."""
    return tiny_model(
        folder, seed=seed, chat_template=None, pooling=gguf.PoolingType.MEAN, name="tiny-embedder"
    )


def tiny_reranker(folder: Path, *, seed: int = 6) -> Path:
    """A model that ranks documents by a query: qwen3 with a head of two labels."""
    shape = shape_of("qwen3")
    head = np.random.default_rng([seed, 13]).standard_normal((2, shape.width)) / 4
    return tiny_model(
        folder,
        architecture="qwen3",
        seed=seed,
        chat_template=None,
        pooling=gguf.PoolingType.RANK,
        extra={"cls.output.weight": head.astype(np.float32)},
        name="tiny-reranker",
    )


PICTURE = 28
"""Pixels of a picture's side, as the projector sees it: four patches of 14."""


def tiny_sighted(folder: Path, *, seed: int = 8) -> tuple[Path, Path]:
    """A model that sees: the base and its projector (a vision transformer as LLaVA 1.5 has it).

    A picture becomes four tokens; what it shows changes what is written.
    """
    base = tiny_model(folder, seed=seed, name="tiny-sighted")
    target = folder / "tiny-sighted-projector.gguf"
    random = np.random.default_rng([seed, 19])
    width, inner, patches = 32, 64, (PICTURE // 14) ** 2
    writer = gguf.GGUFWriter(target, "clip")
    writer.add_name("tiny projector")
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("mlp")
    writer.add_vision_image_size(PICTURE)
    writer.add_vision_patch_size(14)
    writer.add_vision_embedding_length(width)
    writer.add_vision_feed_forward_length(inner)
    writer.add_vision_block_count(2)
    writer.add_vision_head_count(2)
    writer.add_vision_projection_dim(shape_of("qwen2").width)
    writer.add_vision_attention_layernorm_eps(1e-5)
    writer.add_vision_image_mean([0.5, 0.5, 0.5])
    writer.add_vision_image_std([0.5, 0.5, 0.5])
    writer.add_vision_use_gelu(True)

    def put(name: str, *sizes: int, gain: float = 1.0) -> None:
        values = random.standard_normal(sizes) * gain / sizes[-1] ** 0.5
        writer.add_tensor(name, values.astype(np.float32))

    def norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(width, np.float32))
        writer.add_tensor(f"{name}.bias", np.zeros(width, np.float32))

    put("v.class_embd", width)
    put("v.patch_embd.weight", width, 3, 14, 14, gain=0.3)
    put("v.position_embd.weight", patches + 1, width)
    norm("v.pre_ln")
    for layer in range(2):
        place = f"v.blk.{layer}."
        norm(place + "ln1")
        norm(place + "ln2")
        for part, rows, columns in (
            ("attn_q", width, width), ("attn_k", width, width), ("attn_v", width, width),
            ("attn_out", width, width), ("ffn_up", inner, width), ("ffn_down", width, inner),
        ):  # fmt: skip
            put(f"{place}{part}.weight", rows, columns)
            put(f"{place}{part}.bias", rows)
    joined = shape_of("qwen2").width
    put("mm.0.weight", joined, width)
    put("mm.0.bias", joined)
    put("mm.2.weight", joined, joined, gain=3.0)
    bias = np.zeros(joined, np.float32)
    bias[0] = 2.0  # the constant dimension of the tests' models
    writer.add_tensor("mm.2.bias", bias)
    _finish(writer)
    return base, target
