"""A model of random weights, written byte by byte: what this machine's engine is measured with.

It knows the GGUF layout as far as such a file needs it (source: ggml, docs/gguf.md) and the blocks
of the quantisations that people use. What the model would write is noise; its speed is that of any
model of the same shape, because no weight is skipped for what it is. Nothing of it is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]

_NUMBERS = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q5_0": 6, "Q8_0": 8, "Q2_K": 10, "Q3_K": 11, "Q4_K": 12,
    "Q5_K": 13, "Q6_K": 14, "IQ4_NL": 20, "IQ4_XS": 23, "BF16": 30,
}  # fmt: skip
_BLOCKS: dict[str, tuple[int, int, tuple[tuple[int, float], ...]]] = {
    "Q4_0": (32, 18, ((0, 1.0),)),
    "Q5_0": (32, 22, ((0, 0.5),)),
    "Q8_0": (32, 34, ((0, 0.06),)),
    "Q2_K": (256, 84, ((80, 0.5), (82, 0.75))),
    "Q3_K": (256, 110, ((108, 0.1),)),
    "Q4_K": (256, 144, ((0, 0.01), (2, 0.075))),
    "Q5_K": (256, 176, ((0, 0.005), (2, 0.078))),
    "Q6_K": (256, 210, ((208, 0.001),)),
    "IQ4_NL": (32, 18, ((0, 0.07),)),
    "IQ4_XS": (256, 136, ((0, 0.003),)),
}
"""Of each quantisation: weights and bytes of a block, and where in it scales lie that must be sane
(half precision) with values that make its weights about as large as one."""
TYPES = tuple(_NUMBERS)
ALIGNMENT = 32
TOKENS = 4096
_POOL = 1 << 22
_STRING, _UINT32, _FLOAT32, _ARRAY, _INT32 = 8, 4, 6, 9, 5


@dataclass(frozen=True, slots=True)
class Probe:
    """The shape of a model to measure with, as ``llama`` names it.

    Attributes:
        kind: Type of its matrices.
        layers: How many.
        width: Of a token's vector; a multiple of 256.
        inner: Of the feed-forward part; a multiple of 256.
        heads: Of attention.
        groups: Of keys and values.
        vocabulary: Tokens, at least 300.
        also: Type of the output matrix and of half of the layers' ``attn_v`` and ``ffn_down``, as
            mixed quantisations have it (``Q4_K_M``: ``Q6_K``); "" for ``kind``.
    """

    kind: str
    layers: int
    width: int = 1024
    inner: int = 4096
    heads: int = 16
    groups: int = 4
    vocabulary: int = TOKENS
    also: str = ""

    @property
    def layer_parameters(self) -> int:
        """Numbers of the matrices of one layer."""
        return sum(rows * columns for _, rows, columns in self.matrices())

    @property
    def parameters(self) -> int:
        """Numbers of all matrices."""
        return self.layers * self.layer_parameters + 2 * self.vocabulary * self.width

    @property
    def read_bytes(self) -> int:
        """Bytes of the weights that one token reads: all but the embeddings, of which a row."""
        output = bytes_of(self.also or self.kind, self.vocabulary * self.width)
        return output + sum(
            bytes_of(self.kind_of(name, layer), rows * columns)
            for layer in range(self.layers)
            for name, rows, columns in self.matrices()
        )

    def kind_of(self, name: str, layer: int) -> str:
        """The type of a layer's matrix."""
        mixed = self.also and name in ("attn_v", "ffn_down") and layer % 2 == 0
        return self.also if mixed else self.kind

    def matrices(self) -> Iterator[tuple[str, int, int]]:
        """Name, rows and columns of the matrices of a layer."""
        each = self.width // self.heads
        yield "attn_q", self.width, self.width
        yield "attn_k", self.groups * each, self.width
        yield "attn_v", self.groups * each, self.width
        yield "attn_output", self.width, self.width
        yield "ffn_gate", self.inner, self.width
        yield "ffn_up", self.inner, self.width
        yield "ffn_down", self.width, self.inner


def bytes_of(kind: str, numbers: int) -> int:
    """Bytes that so many weights take in a type."""
    if kind in _BLOCKS:
        block, size, _ = _BLOCKS[kind]
        return numbers // block * size
    return numbers * (4 if kind == "F32" else 2)


def write_probe(target: Path, probe: Probe, *, seed: int = 0) -> None:
    """Write the model's file; its bytes follow from the shape and the seed.

    Raises:
        KeyError: ``probe.kind`` is none of ``TYPES``.
    """
    tensors = list(_tensors(probe))
    pools = {kind: _pool(kind, seed) for kind in {probe.kind, probe.also or probe.kind}}
    flat = _pool("F32", seed, ones=True)
    with target.open("wb") as file:
        keys = _metadata(probe)
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)))
        for key, packing, value in keys:
            file.write(_text(key) + struct.pack("<I", packing) + value)
        offset = 0
        for tensor, shape, kind in tensors:
            file.write(_text(tensor) + struct.pack("<I", len(shape)))
            file.write(struct.pack(f"<{len(shape)}QIQ", *shape, _NUMBERS[kind], offset))
            offset += _padded(bytes_of(kind, _product(shape)))
        file.write(bytes(-file.tell() % ALIGNMENT))
        for tensor, shape, kind in tensors:
            size = bytes_of(kind, _product(shape))
            _fill(file, flat if tensor.endswith("norm.weight") else pools[kind], size)
            file.write(bytes(-size % ALIGNMENT))


def _tensors(probe: Probe) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Name, shape (the fastest dimension first) and type."""
    yield "token_embd.weight", (probe.width, probe.vocabulary), probe.kind
    for layer in range(probe.layers):
        place = f"blk.{layer}."
        yield f"{place}attn_norm.weight", (probe.width,), "F32"
        yield f"{place}ffn_norm.weight", (probe.width,), "F32"
        for name, rows, columns in probe.matrices():
            yield f"{place}{name}.weight", (columns, rows), probe.kind_of(name, layer)
    yield "output_norm.weight", (probe.width,), "F32"
    yield "output.weight", (probe.width, probe.vocabulary), probe.also or probe.kind


def _metadata(probe: Probe) -> list[tuple[str, int, bytes]]:
    """Key, type and packed value."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += [f"w{place}" for place in range(len(tokens), probe.vocabulary)]
    numbers = {
        "llama.context_length": 8192,
        "llama.embedding_length": probe.width,
        "llama.block_count": probe.layers,
        "llama.feed_forward_length": probe.inner,
        "llama.attention.head_count": probe.heads,
        "llama.attention.head_count_kv": probe.groups,
        "llama.vocab_size": probe.vocabulary,
        "llama.rope.dimension_count": probe.width // probe.heads,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    return [
        ("general.architecture", _STRING, _text("llama")),
        ("general.name", _STRING, _text("random weights")),
        *((name, _UINT32, struct.pack("<I", number)) for name, number in numbers.items()),
        ("llama.attention.layer_norm_rms_epsilon", _FLOAT32, struct.pack("<f", 1e-5)),
        ("tokenizer.ggml.model", _STRING, _text("llama")),
        ("tokenizer.ggml.tokens", _ARRAY, _array(_STRING, [_text(text) for text in tokens])),
        ("tokenizer.ggml.scores", _ARRAY,
         _array(_FLOAT32, [struct.pack("<f", -float(place)) for place in range(len(tokens))])),
        ("tokenizer.ggml.token_type", _ARRAY,
         _array(_INT32, [struct.pack("<i", _token_type(place)) for place in range(len(tokens))])),
    ]  # fmt: skip


def _token_type(place: int) -> int:
    """Unknown, control (begin and end), bytes, then plain tokens."""
    return 2 if place == 0 else 3 if place < 3 else 6 if place < 259 else 1


def _pool(kind: str, seed: int, *, ones: bool = False) -> Bytes:
    """Whole blocks of random weights, about 4 MB, of which every tensor takes what it needs."""
    import numpy as np

    if ones:
        return np.ones(1 << 16, np.float32).view(np.uint8)
    random = np.random.default_rng(seed)
    if kind not in _BLOCKS:
        values = random.standard_normal(_POOL // 4, np.float32) * np.float32(0.03)
        if kind == "F16":
            return values.astype(np.float16).view(np.uint8)
        # The upper half of a float is a bfloat.
        halves = values.view(np.uint16)[1::2] if kind == "BF16" else values
        return np.ascontiguousarray(halves).view(np.uint8)
    _, size, scales = _BLOCKS[kind]
    blocks = random.integers(0, 256, (_POOL // size, size), np.uint8)
    for place, value in scales:
        drawn = random.uniform(0.5, 1.5, len(blocks)) * value * 0.03
        blocks[:, place : place + 2] = drawn.astype(np.float16)[:, None].view(np.uint8)
    return blocks.reshape(-1)


def _fill(file: Any, pool: Bytes, size: int) -> None:
    """Write ``size`` bytes of a pool, again from its start when it is used up."""
    while size > 0:
        part = pool[:size]
        file.write(part.data)
        size -= len(part)


def _padded(size: int) -> int:
    return size + -size % ALIGNMENT


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _array(kind: int, items: list[bytes]) -> bytes:
    return struct.pack("<IQ", kind, len(items)) + b"".join(items)
