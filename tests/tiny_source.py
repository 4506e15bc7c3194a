"""The source of the tiny models: tokenizer, random weights, adapters, Hugging Face folders.

Everything follows from a seed. Dimension 0 of the residual stream is constant, so that the output
matrix can make unreadable tokens improbable. It knows safetensors and PEFT's layout, no GGUF.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

Architecture = Literal["llama", "qwen2", "qwen3"]
Array = NDArray[np.float32]

END = "<|im_end|>"
CONTROL = (
    "<|endoftext|>", "<|im_start|>", END, "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>",
    "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|vision_start|>", "<|vision_end|>",
    "<|image_pad|>",
)  # fmt: skip
MARKS = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>",
         "</tool_response>")  # fmt: skip
SPECIALS = CONTROL + MARKS

SPLITS = {
    "qwen2": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "llama-bpe": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""How text is cut before merging, under the names that llama.cpp knows them by."""

CORPUS = """The quick brown fox jumps over the lazy dog while nothing else happens at all. Every
answer that is written here is noise, and a test looks at its structure, never at its meaning.
What is the capital of this country? There are many words with the same ending: reading, writing,
counting, thinking, asking. A function returns a value: def add(first, second): return first +
second. {"name": "weather", "arguments": {"city": "Paris"}} You are a helpful assistant. Tell me
something about the weather in the city. <script>let count = 0;</script> import export const
function class return if else for while true false null. One two three four five six seven. """

TEMPLATE = """{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- 'You may call these functions:\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
{{- '\\n</tools>\\nA call is written so:\\n<tool_call>\\n{"name": NAME, "arguments": OBJECT}\\n' }}
{{- '</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' }}
{%- if message.reasoning_content %}
{{- '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}
{%- endif %}
{{- message.content or '' }}
{%- for call in message.tool_calls or [] %}
{%- set function = call.function or call %}
{{- '\\n<tool_call>\\n{"name": "' + function.name + '", "arguments": ' }}
{{- function.arguments if function.arguments is string else function.arguments | tojson }}
{{- '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'user' or not loop.first %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}
{{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}
{%- endif %}"""
"""A template of ChatML's shape with tools and a switch for thinking."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a model; the smallest that exercise grouped heads and a wide feed-forward."""

    architecture: Architecture = "qwen2"
    width: int = 64
    layers: int = 2
    heads: int = 4
    groups: int = 2
    head: int = 16
    inner: int = 128
    vocabulary: int = 512
    context: int = 4096
    rope: float = 10000.0
    epsilon: float = 1e-6


def shape_of(architecture: Architecture) -> Shape:
    """The shape of an architecture; qwen3's heads are wider than width / heads."""
    return Shape(architecture, head=32 if architecture == "qwen3" else 16)


@cache
def tokenizer(architecture: Architecture = "qwen2", vocabulary: int = 512) -> Tokenizer:
    """A byte-level BPE tokenizer, the special tokens last, trained on a fixed text."""
    # As in the families' own files: llama 3 takes a whole word before it merges.
    built = Tokenizer(models.BPE(ignore_merges=architecture == "llama"))
    split = SPLITS["llama-bpe" if architecture == "llama" else "qwen2"]
    built.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    built.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=1,
        show_progress=False,
    )
    built.train_from_iterator([CORPUS], trainer)
    built.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in CONTROL])
    built.add_tokens([AddedToken(text, special=False, normalized=False) for text in MARKS])
    if built.get_vocab_size() != vocabulary:
        raise ValueError(f"the text gives {built.get_vocab_size()} tokens, not {vocabulary}")
    return built


def _improbability(shape: Shape) -> Array:
    """What each token's logit loses: nothing for ASCII text, all for bytes and special tokens."""
    known = tokenizer(shape.architecture, shape.vocabulary)
    loss = np.zeros(shape.vocabulary, np.float32)
    for token in range(shape.vocabulary):
        text = known.decode([token], skip_special_tokens=False)
        if text == END:
            loss[token] = 0.0
        elif text in SPECIALS or not text.isascii() or not (text.isprintable() or text == "\n"):
            loss[token] = 30.0
    return loss


def weights(shape: Shape, seed: int = 0, *, tied: bool = False) -> dict[str, Array]:
    """Random weights under Hugging Face's names.

    Dimension 0 of the residual stream is constant (nothing writes to it); the output matrix uses
    it to keep the text readable.
    """
    random = np.random.default_rng([seed, 7])

    def matrix(rows: int, columns: int, gain: float = 1.0) -> Array:
        values = random.standard_normal((rows, columns)) * gain / columns**0.5
        return np.asarray(values, np.float32)

    def near_one(count: int) -> Array:
        return (1 + random.standard_normal(count) * 0.1).astype(np.float32)

    tensors: dict[str, Array] = {}
    embedding = matrix(shape.vocabulary, shape.width, shape.width**0.5)
    embedding[:, 0] = 2.0
    tensors["model.embed_tokens.weight"] = embedding
    queries, keys = shape.heads * shape.head, shape.groups * shape.head
    for layer in range(shape.layers):
        name = f"model.layers.{layer}."
        tensors[name + "input_layernorm.weight"] = near_one(shape.width)
        tensors[name + "post_attention_layernorm.weight"] = near_one(shape.width)
        for part, rows in (("q", queries), ("k", keys), ("v", keys)):
            tensors[f"{name}self_attn.{part}_proj.weight"] = matrix(rows, shape.width, 1.5)
            if shape.architecture == "qwen2":
                bias = random.standard_normal(rows).astype(np.float32) * np.float32(0.3)
                tensors[f"{name}self_attn.{part}_proj.bias"] = bias
        if shape.architecture == "qwen3":
            tensors[name + "self_attn.q_norm.weight"] = near_one(shape.head)
            tensors[name + "self_attn.k_norm.weight"] = near_one(shape.head)
        tensors[name + "self_attn.o_proj.weight"] = matrix(shape.width, queries)
        tensors[name + "mlp.gate_proj.weight"] = matrix(shape.inner, shape.width, 1.5)
        tensors[name + "mlp.up_proj.weight"] = matrix(shape.inner, shape.width, 1.5)
        tensors[name + "mlp.down_proj.weight"] = matrix(shape.width, shape.inner)
        tensors[name + "self_attn.o_proj.weight"][0] = 0
        tensors[name + "mlp.down_proj.weight"][0] = 0
    tensors["model.norm.weight"] = near_one(shape.width)
    if not tied:
        output = matrix(shape.vocabulary, shape.width, 2.0)
        output[:, 0] = -_improbability(shape)
        tensors["lm_head.weight"] = output
    return tensors


LORA_SHAPES: dict[str, Callable[[Shape], tuple[int, int]]] = {
    "self_attn.q_proj": lambda shape: (shape.heads * shape.head, shape.width),
    "self_attn.k_proj": lambda shape: (shape.groups * shape.head, shape.width),
    "self_attn.v_proj": lambda shape: (shape.groups * shape.head, shape.width),
    "self_attn.o_proj": lambda shape: (shape.width, shape.heads * shape.head),
    "mlp.gate_proj": lambda shape: (shape.inner, shape.width),
    "mlp.up_proj": lambda shape: (shape.inner, shape.width),
    "mlp.down_proj": lambda shape: (shape.width, shape.inner),
}
"""Adapted layers, and rows and columns of each."""


def adapter_weights(
    shape: Shape, seed: int, rank: int = 4, gain: float = 1.5
) -> dict[str, tuple[Array, Array]]:
    """Factors A (rank, columns) and B (rows, rank) of each adapted layer, by its name."""
    random = np.random.default_rng([seed, 11])
    factors: dict[str, tuple[Array, Array]] = {}
    for layer in range(shape.layers):
        for part, sizes in LORA_SHAPES.items():
            rows, columns = sizes(shape)
            first = random.standard_normal((rank, columns)) / columns**0.5
            second = random.standard_normal((rows, rank)) * gain / rank**0.5
            if part in ("self_attn.o_proj", "mlp.down_proj"):
                second[0] = 0  # the constant dimension stays constant
            factors[f"model.layers.{layer}.{part}"] = (
                first.astype(np.float32),
                second.astype(np.float32),
            )
    return factors


def config_of(shape: Shape, *, tied: bool = False) -> dict[str, Any]:
    """``config.json`` of a Hugging Face folder."""
    names = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
    known = tokenizer(shape.architecture, shape.vocabulary)
    config: dict[str, Any] = {
        "architectures": [names[shape.architecture]],
        "model_type": shape.architecture,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.groups,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.epsilon,
        "rope_theta": shape.rope,
        "tie_word_embeddings": tied,
        "vocab_size": shape.vocabulary,
        "torch_dtype": "float32",
        "bos_token_id": known.token_to_id("<|endoftext|>"),
        "eos_token_id": known.token_to_id(END),
    }
    if shape.architecture != "qwen2":
        config |= {"head_dim": shape.head, "attention_bias": False}
    if shape.architecture == "llama":
        config["mlp_bias"] = False
    return config


def save_tensors(target: Path, tensors: dict[str, Array], dtype: str = "F32") -> None:
    """Write a safetensors file, by the format's own rules: length, JSON header, bytes.

    Numbers are kept as F32, F16 or BF16 (the upper half of float32, cut off).
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body, at = [], 0
    for name, values in tensors.items():
        raw = _stored(values, dtype)
        span = [at, at + len(raw)]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": span}
        body.append(raw)
        at += len(raw)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    target.write_bytes(len(head).to_bytes(8, "little") + head + b"".join(body))


def _stored(values: Array, dtype: str) -> bytes:
    plain = np.ascontiguousarray(values)
    if dtype == "BF16":
        return (plain.view(np.uint32) >> 16).astype("<u2").tobytes()
    return plain.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def tiny_folder(
    folder: Path,
    *,
    architecture: Architecture = "qwen2",
    seed: int = 0,
    vocabulary: int = 512,
    chat_template: str | None = TEMPLATE,
    tied: bool = False,
) -> Path:
    """The model of ``tiny_model`` as a Hugging Face folder; returns the folder."""
    shape = Shape(architecture, head=shape_of(architecture).head, vocabulary=vocabulary)
    folder.mkdir(parents=True, exist_ok=True)
    known = tokenizer(architecture, vocabulary)

    def write(name: str, content: dict[str, Any]) -> None:
        (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")

    write("config.json", config_of(shape, tied=tied))
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": END,
        "pad_token": "<|endoftext|>",
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": shape.context,
    }
    if chat_template is not None:
        settings["chat_template"] = chat_template
    write("tokenizer_config.json", settings)
    ends = [known.token_to_id(END), known.token_to_id("<|endoftext|>")]
    write("generation_config.json", {"eos_token_id": ends, "do_sample": True, "temperature": 0.7})
    (folder / "tokenizer.json").write_text(known.to_str(pretty=True), encoding="utf-8")
    save_tensors(folder / "model.safetensors", weights(shape, seed, tied=tied))
    return folder


def tiny_peft(
    folder: Path, *, architecture: Architecture = "qwen2", seed: int = 1, rank: int = 4
) -> Path:
    """The adapter of ``tiny_adapter`` as a PEFT folder; returns the folder."""
    shape = shape_of(architecture)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "",
        "r": rank,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "use_rslora": False,
        "use_dora": False,
        "fan_in_fan_out": False,
        "inference_mode": True,
        "modules_to_save": None,
        "target_modules": sorted(part.split(".")[1] for part in LORA_SHAPES),
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    tensors: dict[str, Array] = {}
    for layer, (first, second) in adapter_weights(shape, seed, rank).items():
        tensors[f"base_model.model.{layer}.lora_A.weight"] = first
        tensors[f"base_model.model.{layer}.lora_B.weight"] = second
    save_tensors(folder / "adapter_model.safetensors", tensors)
    return folder
