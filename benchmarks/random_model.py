"""A generative model of any size with random weights, for speeds: no weights come from elsewhere.

It is shaped like qwen2 (width 1,024, four query heads to a key head, feed-forward of 4,096); the
number of layers follows from the number of parameters. Tensors are drawn and written one at a time,
each from its own seed, so memory stays small and a merged model is made from the same draws. The
text it writes is noise of small letters; the end never comes by itself.

    python benchmarks/random_model.py --folder DIR --parameters 250e6 --dtype q8_0 --adapters 2
"""

from __future__ import annotations

import argparse
import itertools
import string
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
from numpy.typing import NDArray

DType = Literal["f32", "f16", "q8_0"]
Array = NDArray[np.float32]

WIDTH, HEADS, GROUPS, HEAD, INNER = 1024, 16, 4, 64, 4096
VOCABULARY = 16384
CONTEXT = 32768
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_middle|>",
           "<|fim_suffix|>")  # fmt: skip
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TYPES = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
ADAPTED = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
SCALE = 2.0
"""Alpha over rank of every adapter."""


@dataclass(frozen=True)
class Made:
    """The files of one run.

    Attributes:
        model: The base.
        adapters: Adapters over it.
        merged: The base with each adapter merged into its weights, in the adapters' order.
        parameters: Numbers in the base.
    """

    model: Path
    adapters: tuple[Path, ...]
    merged: tuple[Path, ...]
    parameters: int


def make(
    folder: Path,
    parameters: float = 250e6,
    dtype: DType = "f16",
    *,
    adapters: int = 0,
    rank: int = 32,
    merged: int = 0,
    seed: int = 0,
) -> Made:
    """Write a model, and adapters and merged variants of it; files that are there are kept.

    Args:
        folder: Where the files go; it is made.
        parameters: About how many numbers the model has; at least 50 million.
        dtype: How its matrices are kept.
        adapters: How many adapters (f16; rank 32 over 250 million parameters: 20 MB each).
        rank: Of the adapters.
        merged: For how many of the adapters a merged model is written, too.
        seed: Of everything.
    """
    layers = max(1, round((parameters - 2 * VOCABULARY * WIDTH) / _layer_size()))
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"random-{layers}-{seed}"
    model = folder / f"{stem}-{dtype}.gguf"
    if not model.exists():
        _write_model(model, layers, dtype, seed, None, rank)
    loras, whole = [], []
    for number in range(1, adapters + 1):
        loras.append(folder / f"{stem}-adapter-{number}.gguf")
        if not loras[-1].exists():
            _write_adapter(loras[-1], layers, seed, number, rank)
    for number in range(1, merged + 1):
        whole.append(folder / f"{stem}-merged-{number}-{dtype}.gguf")
        if not whole[-1].exists():
            _write_model(whole[-1], layers, dtype, seed, number, rank)
    count = layers * _layer_size() + 2 * VOCABULARY * WIDTH
    return Made(model, tuple(loras), tuple(whole), count)


def words() -> tuple[list[str], list[str]]:
    """The tokens without the special ones, and the merges: bytes, pairs, triples of letters."""
    alphabet = [text for _, text in sorted(_bytes_as_text().items())]
    pairs = [
        (first, second)
        for first, second in itertools.product("Ġ" + string.ascii_lowercase, string.ascii_lowercase)
    ]
    triples = [
        (first + second, third) for (first, second) in pairs for third in string.ascii_lowercase
    ]
    merges = (pairs + triples)[: VOCABULARY - len(CONTROL) - len(alphabet)]
    return alphabet + [first + second for first, second in merges], [
        f"{first} {second}" for first, second in merges
    ]


def _bytes_as_text() -> dict[int, str]:
    """Byte-level BPE's characters: printable bytes as they are, the others from U+0100 on."""
    seen = {byte: chr(byte) for byte in (*range(33, 127), *range(161, 173), *range(174, 256))}
    others = (byte for byte in range(256) if byte not in seen)
    return seen | {byte: chr(256 + place) for place, byte in enumerate(others)}


def _layer_size() -> int:
    return sum(rows * columns for _, rows, columns in _products())


def _products() -> Iterator[tuple[str, int, int]]:
    """Name, rows and columns of the matrices of a layer."""
    yield "attn_q", HEADS * HEAD, WIDTH
    yield "attn_k", GROUPS * HEAD, WIDTH
    yield "attn_v", GROUPS * HEAD, WIDTH
    yield "attn_output", WIDTH, HEADS * HEAD
    yield "ffn_gate", INNER, WIDTH
    yield "ffn_up", INNER, WIDTH
    yield "ffn_down", WIDTH, INNER


def _draw(name: str, seed: int, *shape: int, gain: float = 1.0) -> Array:
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    values = random.standard_normal(shape, np.float32)
    values *= np.float32(gain / shape[-1] ** 0.5)
    return values


def _tensors(layers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (VOCABULARY, WIDTH)
    for layer in range(layers):
        yield f"blk.{layer}.attn_norm.weight", (WIDTH,)
        yield f"blk.{layer}.ffn_norm.weight", (WIDTH,)
        for part, rows, columns in _products():
            yield f"blk.{layer}.{part}.weight", (rows, columns)
            if part in ("attn_q", "attn_k", "attn_v"):
                yield f"blk.{layer}.{part}.bias", (rows,)
    yield "output_norm.weight", (WIDTH,)
    yield "output.weight", (VOCABULARY, WIDTH)


def _values(name: str, shape: tuple[int, ...], seed: int, adapter: int | None, rank: int) -> Array:
    if name.endswith("norm.weight"):
        return np.ones(shape, np.float32)
    if name.endswith(".bias"):
        return _draw(name, seed, *shape)
    if name == "token_embd.weight":
        values = _draw(name, seed, *shape, gain=WIDTH**0.5)
        values[:, 0] = 4.0  # a constant dimension, by which the output forbids tokens
        return values
    if name == "output.weight":
        values = _draw(name, seed, *shape, gain=2.0)
        values[:, 0] = [0.0 if _wanted(text) else -30.0 for text in (*words()[0], *CONTROL)]
        return values
    values = _draw(name, seed, *shape)
    if adapter is not None:
        first, second = _factors(name, shape, seed, adapter, rank)
        values += np.float32(SCALE) * (second @ first)
    if name.endswith(("attn_output.weight", "ffn_down.weight")):
        values[0] = 0
    return values


def _wanted(text: str) -> bool:
    return all(character in "Ġ" + string.ascii_lowercase for character in text)


def _factors(
    name: str, shape: tuple[int, ...], seed: int, adapter: int, rank: int
) -> tuple[Array, Array]:
    rows, columns = shape
    first = _draw(f"{name} a {adapter}", seed, rank, columns)
    second = _draw(f"{name} b {adapter}", seed, rows, rank, gain=0.5)
    if name.endswith(("attn_output.weight", "ffn_down.weight")):
        second[0] = 0
    return first, second


def _write_model(
    target: Path, layers: int, dtype: DType, seed: int, adapter: int | None, rank: int
) -> None:
    kind, file_type = TYPES[dtype]
    part = target.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "qwen2")
    writer.add_name(target.stem)
    writer.add_file_type(file_type)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    _write_vocabulary(writer)
    kinds = {}
    for name, shape in _tensors(layers):
        kinds[name] = kind if len(shape) == 2 else gguf.GGMLQuantizationType.F32
        stored = gguf.quant_shape_to_byte_shape(shape, kinds[name])
        size = int(np.prod(stored))
        if kinds[name] is gguf.GGMLQuantizationType.Q8_0:
            writer.add_tensor_info(name, stored, np.dtype(np.uint8), size, kinds[name])
        else:
            plain = np.dtype(np.float16 if kinds[name].name == "F16" else np.float32)
            writer.add_tensor_info(name, shape, plain, size)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, shape in _tensors(layers):
        values = _values(name, shape, seed, adapter, rank)
        writer.write_tensor_data(gguf.quants.quantize(values, kinds[name]))
    writer.close()
    part.rename(target)


def _write_vocabulary(writer: gguf.GGUFWriter) -> None:
    known, merges = words()
    tokens = [*known, *CONTROL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [gguf.TokenType.NORMAL] * len(known) + [gguf.TokenType.CONTROL] * len(CONTROL)
    )
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _write_adapter(target: Path, layers: int, seed: int, number: int, rank: int) -> None:
    part = target.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "qwen2")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, SCALE * rank)
    for layer in range(layers):
        for place, rows, columns in _products():
            name = f"blk.{layer}.{place}.weight"
            first, second = _factors(name, (rows, columns), seed, number, rank)
            writer.add_tensor(name + ".lora_a", first.astype(np.float16))
            writer.add_tensor(name + ".lora_b", second.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(target)


def main() -> int:
    """Write the files that the arguments ask for and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--parameters", type=float, default=250e6)
    parser.add_argument("--dtype", choices=sorted(TYPES), default="f16")
    parser.add_argument("--adapters", type=int, default=0)
    parser.add_argument("--merged", type=int, default=0)
    arguments = parser.parse_args()
    made = make(
        arguments.folder,
        arguments.parameters,
        arguments.dtype,
        adapters=arguments.adapters,
        merged=arguments.merged,
    )
    print(f"{made.parameters / 1e6:.1f} million parameters")
    for path in (made.model, *made.adapters, *made.merged):
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
