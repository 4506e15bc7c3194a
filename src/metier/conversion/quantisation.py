"""Writes the int8 form of an encoder: products of 8-bit integers with scales fixed beforehand.

It knows how weights and activations become integers without losing what matters. It does not run
the graph. Decision 0042 tells the measurements behind each choice:

- Activations are uint8 with one fixed scale per place and layer, learnt by ``calibration``. With
  the usual dynamic scale, which is taken over a whole batch, a text's vector would depend on the
  texts it is computed with.
- Where a layer normalisation feeds a product, each channel is first divided by a constant that the
  weight's columns are multiplied with (SmoothQuant, Xiao et al. 2023, equation 4).
- The few channels of the feed-forward activations that reach ten times the others' range stay in
  fp32, a product of eight columns (LLM.int8(), Dettmers et al. 2022, section 3, with the channels
  chosen beforehand).
- Weights are int8 with one scale per output, such that 255 times two neighbouring weights fits 16
  bits: the processors that add such pairs in 16 bits saturating (x86 before VNNI) then give the
  same integers as those that do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from onnx import ModelProto, TensorProto

from metier.conversion.calibration import Ranges, observe_ranges
from metier.conversion.graph import CONTRIB, WORDS, GraphWriter, Place, write_encoder
from metier.conversion.upstream import Upstream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

SMOOTHING = 0.7
"""How much of a channel's range moves into the weights: SmoothQuant's alpha."""

HEADROOM = 1.05
"""Activations may exceed what calibration saw by this factor before they are cut off."""

EXACT_CHANNELS = 8
"""Channels of the feed-forward activations that are multiplied in fp32, per layer."""

_SMOOTHED: tuple[Place, ...] = ("attention", "wide")
_READERS: Mapping[Place, tuple[str, ...]] = {
    "attention": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "context": ("attention.output.dense",),
    "wide": ("intermediate.dense",),
    "narrow": ("output.dense",),
}


def build_int8(upstream: Upstream) -> ModelProto:
    """The int8 graph of ``upstream``, with its weights inside: it needs no other file."""
    writer = GraphWriter(upstream)
    write_encoder(writer, _IntegerProducts(writer, observe_ranges(upstream)))
    return writer.model(f"{upstream.name}, int8, {upstream.pooling} pooling")


def quantise_rows(rows: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Each row as int8 and its scale, so that ``integers * scale`` is near the row."""
    scales = np.abs(rows).max(axis=1) / 127
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    return np.rint(rows / scales[:, None]).astype(np.int8), scales


def quantise_weight(weight: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """A weight (out x in) as int8 with one scale per output; ``in`` must be even.

    No weight exceeds 127 and no two neighbours (inputs 2k and 2k + 1) add to more than 128, so
    that 255 * (a + b) stays below 2**15.
    """
    pairs = weight.reshape(len(weight), -1, 2).sum(axis=2)
    scales = np.maximum(np.abs(weight).max(axis=1), np.abs(pairs).max(axis=1)) / 127
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    return np.rint(weight / scales[:, None]).astype(np.int8), scales


def smoothing_factors(ranges: Ranges, weights: list[FloatArray]) -> FloatArray:
    """What each channel is divided by: range**alpha / weight**(1 - alpha), mean (log) one."""
    heaviest = np.maximum.reduce([np.abs(weight).max(axis=0) for weight in weights])
    spread = np.maximum(ranges.largest, 1e-5) ** SMOOTHING
    factors = np.log(spread / np.maximum(heaviest, 1e-5) ** (1 - SMOOTHING))
    return np.asarray(np.exp(factors - factors.mean()), np.float32)


@dataclass(frozen=True, slots=True)
class _IntegerProducts:
    """Products of uint8 activations and int8 weights."""

    writer: GraphWriter
    ranges: Mapping[tuple[Place, int], Ranges]

    def words(self) -> str:
        writer = self.writer
        table, scales = quantise_rows(writer.upstream.array(WORDS))
        writer.node("Gather", [writer.constant("word_integers", table), "ids"], "integers")
        scale = writer.constant("word_scales", scales[:, None])
        writer.node("Gather", [scale, "ids"], "scales")
        writer.node("Cast", ["integers"], "unscaled", to=TensorProto.FLOAT)
        return writer.node("Mul", ["unscaled", "scales"], "words")

    def feed(self, states: str, place: Place, layer: int) -> str:
        writer, key = self.writer, f"{place}_{layer}"
        ranges = self.ranges[place, layer]
        lowest, highest = ranges.lowest, ranges.highest
        factors = self._factors(place, layer)
        if factors is not None:
            lowest, highest = lowest / factors, highest / factors
            inverse = writer.constant(f"{key}.inverse", 1 / factors)
            states = writer.node("Mul", [states, inverse], f"{key}.smooth")
        kept = np.ones(len(lowest), bool)
        kept[self._exact_channels(place, layer)] = False
        low = min(float(lowest[kept].min()), 0.0) * HEADROOM
        high = max(float(highest[kept].max()), 1e-6) * HEADROOM
        scale = np.float32((high - low) / 255)
        writer.constant(f"{key}.scale", np.asarray(scale))
        writer.constant(f"{key}.zero", np.asarray(np.rint(-low / scale), np.uint8))
        inputs = [states, f"{key}.scale", f"{key}.zero"]
        return writer.node("QuantizeLinear", inputs, f"{key}.integers")

    def product(self, fed: str, place: Place, layer: int, name: str) -> str:
        writer, key = self.writer, f"{place}_{layer}"
        weight = writer.upstream.array(f"{name}.weight")
        factors = self._factors(place, layer)
        if factors is not None:
            weight = weight * factors
        exact = self._exact_channels(place, layer)
        if len(exact):
            weight = weight.copy()
            weight[:, exact] = 0
        integers, scales = quantise_weight(weight)
        inputs = [
            fed,
            writer.constant(f"{name}.integers", integers.T),
            f"{key}.scale",
            writer.constant(f"{name}.scales", scales),
            f"{key}.zero",
            writer.constant(f"{name}.zeros", np.zeros(len(scales), np.int8)),
            writer.constant(f"{name}.bias", writer.upstream.array(f"{name}.bias")),
        ]
        return writer.node("MatMulIntegerToFloat", inputs, f"{name}.output", domain=CONTRIB)

    def residual(self, states: str, active: str, layer: int) -> str:
        writer, path = self.writer, f"encoder.layer.{layer}"
        exact = self._exact_channels("narrow", layer)
        weight = writer.upstream.array(f"{path}.output.dense.weight")[:, exact]
        columns = writer.constant(f"{path}.exact", exact)
        picked = writer.node("Gather", [active, columns], f"{path}.picked", axis=2)
        weight_name = writer.constant(f"{path}.exact.weight", weight.T)
        product = writer.node("MatMul", [picked, weight_name], f"{path}.exact.product")
        return writer.node("Add", [product, states], f"{path}.residual")

    def _factors(self, place: Place, layer: int) -> FloatArray | None:
        if place not in _SMOOTHED:
            return None
        array = self.writer.upstream.array
        path = f"encoder.layer.{layer}"
        weights = [array(f"{path}.{reader}.weight") for reader in _READERS[place]]
        return smoothing_factors(self.ranges[place, layer], weights)

    def _exact_channels(self, place: Place, layer: int) -> NDArray[np.int64]:
        """The channels with the widest ranges, in order; none but at ``narrow``."""
        if place != "narrow":
            return np.empty(0, np.int64)
        widest = np.argsort(-self.ranges[place, layer].largest, kind="stable")
        return np.sort(widest[:EXACT_CHANNELS]).astype(np.int64)
