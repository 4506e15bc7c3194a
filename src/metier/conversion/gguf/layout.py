"""Which tensors a model of each family has, under both names, and how their rows are ordered.

It knows Hugging Face's names, GGUF's names and ggml's order of rotated rows; it reads no weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metier.conversion.gguf.folder import StoredTensors, refuse
from metier.conversion.gguf.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    Rows = NDArray[np.intp]

PRODUCTS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""The matrices of a layer: Hugging Face's name to GGUF's."""

_COMPUTED = re.compile(r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq")
"""Old checkpoints keep these; they follow from the configuration."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One tensor to convert.

    Attributes:
        source: Its name in the folder.
        name: Its name in the GGUF file.
        shape: Rows and columns, or one length.
        rotated: Heads over which rotated rows are put into ggml's order; 0 leaves them.
    """

    source: str
    name: str
    shape: tuple[int, ...]
    rotated: int = 0

    @property
    def order(self) -> Rows:
        """The rows of the source in the order of the GGUF file."""
        return rotated_rows(self.shape[0], self.rotated)


def rotated_rows(rows: int, heads: int) -> Rows:
    """The order of ``rows`` rows of ``heads`` heads whose rotated pairs lie side by side.

    Hugging Face turns row i of a head with row i + half; ggml's llama turns neighbours.
    """
    order = np.arange(rows)
    return order.reshape(heads, 2, -1).swapaxes(1, 2).reshape(-1) if heads else order


def product_sizes(shape: Shape) -> dict[str, tuple[int, int]]:
    """Rows and columns of each of ``PRODUCTS``."""
    queries, keys = shape.heads * shape.head, shape.groups * shape.head
    return {
        "self_attn.q_proj": (queries, shape.width),
        "self_attn.k_proj": (keys, shape.width),
        "self_attn.v_proj": (keys, shape.width),
        "self_attn.o_proj": (shape.width, queries),
        "mlp.gate_proj": (shape.inner, shape.width),
        "mlp.up_proj": (shape.inner, shape.width),
        "mlp.down_proj": (shape.width, shape.inner),
    }


def plan(shape: Shape) -> list[Planned]:
    """Every tensor of a model of this shape, in the order in which it is written."""
    planned = [
        Planned("model.embed_tokens.weight", "token_embd.weight", (shape.vocabulary, shape.width))
    ]
    for layer in range(shape.layers):
        planned += _layer(shape, layer)
    planned.append(Planned("model.norm.weight", "output_norm.weight", (shape.width,)))
    if not shape.tied:
        output = ("lm_head.weight", "output.weight", (shape.vocabulary, shape.width))
        planned.append(Planned(*output))
    return planned


def _layer(shape: Shape, layer: int) -> Iterator[Planned]:
    theirs, ours = f"model.layers.{layer}.", f"blk.{layer}."
    yield Planned(f"{theirs}input_layernorm.weight", f"{ours}attn_norm.weight", (shape.width,))
    yield Planned(
        f"{theirs}post_attention_layernorm.weight", f"{ours}ffn_norm.weight", (shape.width,)
    )
    rotated = {"attn_q": shape.heads, "attn_k": shape.groups}
    for part, (rows, columns) in product_sizes(shape).items():
        name = PRODUCTS[part]
        heads = rotated.get(name, 0) if shape.architecture == "llama" else 0
        source, target = f"{theirs}{part}", f"{ours}{name}"
        yield Planned(f"{source}.weight", f"{target}.weight", (rows, columns), heads)
        if _has_bias(shape, part):
            yield Planned(f"{source}.bias", f"{target}.bias", (rows,), heads)
    if shape.architecture == "qwen3":
        for letter in "qk":
            source, target = f"self_attn.{letter}_norm.weight", f"attn_{letter}_norm.weight"
            yield Planned(theirs + source, ours + target, (shape.head,))


def _has_bias(shape: Shape, part: str) -> bool:
    if part.startswith("mlp."):
        return shape.inner_bias
    # qwen2's output product never has one.
    return shape.attention_bias and not (shape.architecture == "qwen2" and "o_proj" in part)


def check_plan(planned: list[Planned], shape: Shape, tensors: StoredTensors) -> None:
    """Refuse a folder whose tensors are not exactly the planned ones, of the planned shapes."""
    known = {item.source for item in planned}
    if shape.tied:
        known.add("lm_head.weight")  # Some checkpoints keep the embeddings twice.
    for item in planned:
        if item.source not in tensors.files:
            raise refuse(
                f"The tensor {item.source!r} is missing.", "Fetch the whole folder.",
                code="tensor_missing",
            )  # fmt: skip
        found = tensors.place(item.source).shape
        if found != item.shape:
            raise refuse(
                f"{item.source!r} in {tensors.where(item.source)} has the shape "
                f"{_sizes(found)}; config.json makes it {_sizes(item.shape)}."
            )
    for name in tensors.files:
        if name not in known and not _COMPUTED.fullmatch(name):
            raise refuse(
                f"{name!r} in {tensors.where(name)} is no tensor of a {shape.architecture}.",
                "The model has something that this family does not; it is not converted.",
            )


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape) or "of one number"


def llama3_factors(shape: Shape) -> FloatArray:
    """By what each frequency is divided in llama 3.1's longer context, one of each pair.

    Source: transformers, ``_compute_llama3_parameters``.
    """
    rope = shape.rope
    powers = np.arange(0, shape.head, 2, dtype=np.float64) / shape.head
    turns = rope.original * rope.base**-powers / (2 * np.pi)
    smooth = np.clip((turns - rope.low) / (rope.high - rope.low), 0, 1)
    return (1 / ((1 - smooth) / rope.factor + smooth)).astype(np.float32)
