"""What a GGUF header means to people: architecture, size, quantisation, context, what it does.

It knows the standard keys of docs/gguf.md and a few of llama.cpp's; it opens no file. Sources:
ggml, docs/gguf.md; llama.cpp, ``llama-arch.cpp`` (keys), ``enum llama_pooling_type``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from metier.formats.ggml import FILE_TYPES, INFILL_TOKENS
from metier.formats.gguf import GgufHeader, LongArray
from metier.generating import Task

Kind = Literal["model", "adapter", "projector", "other"]

_RANK = 4
_POOLED = (1, 2, 3)
_ENCODERS = frozenset(
    ("bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3",
     "modern-bert", "eurobert", "gemma-embedding", "t5encoder")
)  # fmt: skip
_FIM = {
    "prefix": ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"),
    "suffix": ("tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"),
    "middle": ("tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"),
}
_FLOAT_BYTES = 2
"""A cached key or value is kept in half precision."""


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """What a GGUF file (with all of its shards) is.

    Attributes:
        kind: A model, an adapter over one, or a projector that turns pictures into its input.
        task: What a model does: write, embed or rank.
        architecture: ``llama``, ``qwen2`` …
        name: As its maker calls it, or "".
        parameters: Elements of all tensors.
        quantization: ``F16``, ``Q4_K_M`` …, or "".
        context_length: Tokens that it was trained for, 0 if not said.
        embedding_length: Width, 0 if not said.
        block_count: Layers.
        head_count: Attention heads.
        kv_bytes_per_token: Memory that one token of context takes with keys and values in half
            precision; windows that slide are not taken off.
        vocabulary: Tokens, 0 if not said.
        template: Its chat template (Jinja), or ``None``.
        templates: Further templates by name.
        bos: Token that begins a text, or ``None``.
        eos: Token that ends one.
        add_bos: Whether a text begins with ``bos``; ``None`` if not said.
        infill: Token ids under ``prefix``, ``suffix``, ``middle``, if it fills in.
        adapter_type: Of an adapter: ``lora``.
        adapter_alpha: Of an adapter.
        bases: Names and addresses of the models it says it was made from.
        shard: Number of this shard, from 0.
        shards: How many there are.
        shard_tensors: Tensors in all of them, if said.
        pooling: llama.cpp's pooling type, or ``None``.
        causal: Whether attention looks back only.
        licence: What it says, or "".
    """

    kind: Kind
    task: Task
    architecture: str
    name: str
    parameters: int
    quantization: str
    context_length: int
    embedding_length: int
    block_count: int
    head_count: int
    kv_bytes_per_token: int
    vocabulary: int
    template: str | None = None
    templates: Mapping[str, str] = field(default_factory=dict)
    bos: int | None = None
    eos: int | None = None
    add_bos: bool | None = None
    infill: Mapping[str, int] = field(default_factory=dict)
    adapter_type: str = ""
    adapter_alpha: float | None = None
    bases: tuple[str, ...] = ()
    shard: int = 0
    shards: int = 1
    shard_tensors: int | None = None
    pooling: int | None = None
    causal: bool = True
    licence: str = ""


def describe(header: GgufHeader, others: Sequence[GgufHeader] = ()) -> GgufFacts:
    """What a header says, with those of its other shards."""
    keys = _Keys(header.metadata)
    kind = _kind(keys)
    pooling = keys.own_number("pooling_type")
    causal = keys.metadata.get(f"{keys.architecture}.attention.causal") is not False
    tensors = [tensor for each in (header, *others) for tensor in each.tensors]
    parameters = sum(_elements(tensor.shape) for tensor in tensors)
    types = Counter[str]()
    for tensor in tensors:
        types[tensor.type] += _elements(tensor.shape)
    file_type = keys.number("general.file_type")
    named = FILE_TYPES.get(file_type) if file_type is not None else None
    return GgufFacts(
        kind=kind,
        task=_task(keys.architecture, pooling, causal),
        architecture=keys.architecture,
        name=keys.text("general.name"),
        parameters=parameters,
        quantization=named or (types.most_common(1)[0][0] if types else ""),
        context_length=keys.own_number("context_length") or 0,
        embedding_length=keys.own_number("embedding_length") or 0,
        block_count=keys.own_number("block_count") or 0,
        head_count=max(keys.per_layer("attention.head_count") or (0,)),
        kv_bytes_per_token=_kv_bytes(keys),
        vocabulary=_vocabulary(keys),
        template=keys.text("tokenizer.chat_template") or None,
        templates=_templates(keys.metadata),
        bos=keys.number("tokenizer.ggml.bos_token_id"),
        eos=keys.number("tokenizer.ggml.eos_token_id"),
        add_bos=_truth(keys.metadata.get("tokenizer.ggml.add_bos_token")),
        infill=_infill(keys, header.infill),
        adapter_type=keys.text("adapter.type"),
        adapter_alpha=_float(keys.metadata.get("adapter.lora.alpha")),
        bases=_bases(keys),
        shard=keys.number("split.no") or 0,
        shards=keys.number("split.count") or 1,
        shard_tensors=keys.number("split.tensors.count"),
        pooling=pooling,
        causal=causal,
        licence=keys.text("general.license.name") or keys.text("general.license"),
    )


class _Keys:
    """Metadata by key, of the type that is wanted or nothing; those of its architecture too."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self.metadata = metadata
        self.architecture = self.text("general.architecture")

    def text(self, key: str) -> str:
        found = self.metadata.get(key)
        return found if isinstance(found, str) else ""

    def number(self, key: str) -> int | None:
        found = self.metadata.get(key)
        return found if type(found) is int and found >= 0 else None

    def own_number(self, key: str) -> int | None:
        return self.number(f"{self.architecture}.{key}")

    def per_layer(self, key: str) -> tuple[int, ...]:
        """One number for each layer, or one for all."""
        found = self.metadata.get(f"{self.architecture}.{key}")
        values = found if isinstance(found, tuple) else (found,)
        return tuple(value for value in values if type(value) is int and value >= 0)


def _elements(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def _kind(keys: _Keys) -> Kind:
    said = keys.text("general.type")
    if said == "adapter" or keys.text("adapter.type"):
        return "adapter"
    if said in ("mmproj", "projector", "clip-vision") or keys.architecture == "clip":
        return "projector"
    return "model" if said in ("", "model") else "other"


def _task(architecture: str, pooling: int | None, causal: bool) -> Task:
    if pooling == _RANK:
        return "rerank"
    if architecture in _ENCODERS or pooling in _POOLED or not causal:
        return "embed"
    return "generate"


def _kv_bytes(keys: _Keys) -> int:
    """Of one token: for every layer, its key-value heads times the widths of key and value."""
    blocks = keys.own_number("block_count") or 0
    heads = keys.per_layer("attention.head_count")
    key_value = keys.per_layer("attention.head_count_kv") or heads
    width = keys.own_number("embedding_length") or 0
    most = max(heads or (0,))
    usual = width // most if most else 0
    key = keys.own_number("attention.key_length")
    value = keys.own_number("attention.value_length")
    each = (usual if key is None else key) + (usual if value is None else value)
    cached = sum(key_value) if len(key_value) > 1 else blocks * sum(key_value)
    return cached * each * _FLOAT_BYTES


def _vocabulary(keys: _Keys) -> int:
    tokens = keys.metadata.get("tokenizer.ggml.tokens")
    if isinstance(tokens, LongArray):
        return tokens.length
    if isinstance(tokens, tuple):
        return len(tokens)
    return keys.own_number("vocab_size") or 0


def _templates(metadata: Mapping[str, Any]) -> dict[str, str]:
    opening = "tokenizer.chat_template."
    return {
        key.removeprefix(opening): value
        for key, value in metadata.items()
        if key.startswith(opening) and isinstance(value, str)
    }


def _infill(keys: _Keys, passed_over: Mapping[str, int]) -> dict[str, int]:
    """By the keys that say the ids, else by the tokens' texts, as llama.cpp finds them."""
    tokens = keys.metadata.get("tokenizer.ggml.tokens")
    texts = passed_over
    if isinstance(tokens, tuple):
        texts = {text: place for place, text in enumerate(tokens)}
    found: dict[str, int] = {}
    for part, names in _FIM.items():
        said = (keys.number(name) for name in names)
        spelled = (texts.get(text) for text in INFILL_TOKENS[part])
        token = next((token for token in (*said, *spelled) if token is not None), None)
        if token is not None:
            found[part] = token
    return found


def _bases(keys: _Keys) -> tuple[str, ...]:
    count = min(keys.number("general.base_model.count") or 0, 16)
    names = []
    for place in range(count):
        for field_name in ("repo_url", "name"):
            said = keys.text(f"general.base_model.{place}.{field_name}")
            if said:
                names.append(said)
    return tuple(names)


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
