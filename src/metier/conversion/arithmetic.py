"""BERT's forward pass in numpy, for what conversion must see inside an encoder.

It knows the same structure as ``graph`` and lets a caller look at the input of each product. It is
for a few hundred short texts, not for answering: engines do that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import erf

from metier.conversion.graph import WORDS, Place
from metier.conversion.upstream import Upstream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

Watch = Callable[[Place, int, "FloatArray"], None]
"""Called with a place, a layer and the rows (tokens x width) that enter the product there."""


def ignore(_place: Place, _layer: int, _rows: FloatArray) -> None:
    """A ``Watch`` that looks away."""


def last_states(upstream: Upstream, ids: NDArray[np.int64], watch: Watch = ignore) -> FloatArray:
    """The last layer's token states, float32, shape (texts, tokens, hidden).

    Args:
        upstream: The encoder.
        ids: Token ids, shape (texts, tokens), without padding.
        watch: Sees what enters each product.
    """
    texts, tokens = ids.shape
    kinds = upstream.array("embeddings.token_type_embeddings.weight")[0]
    positions = upstream.array("embeddings.position_embeddings.weight")[:tokens]
    embedded = upstream.array(WORDS)[ids] + positions + kinds
    rows = embedded.reshape(texts * tokens, upstream.hidden)
    rows = _normalised(upstream, "embeddings.LayerNorm", rows)
    for layer in range(upstream.layers):
        rows = _layer(upstream, layer, rows, texts, watch)
    return rows.reshape(texts, tokens, upstream.hidden)


def _layer(
    upstream: Upstream, layer: int, rows: FloatArray, texts: int, watch: Watch
) -> FloatArray:
    path = f"encoder.layer.{layer}"
    watch("attention", layer, rows)
    query, key, value = (
        _linear(upstream, f"{path}.attention.self.{part}", rows)
        .reshape(texts, -1, upstream.heads, upstream.hidden // upstream.heads)
        .swapaxes(1, 2)
        for part in ("query", "key", "value")
    )
    scores = query @ key.swapaxes(2, 3) / np.float32(np.sqrt(query.shape[-1]))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    context = (shares @ value).swapaxes(1, 2).reshape(rows.shape)
    watch("context", layer, context)
    mixed = _linear(upstream, f"{path}.attention.output.dense", context)
    middle = _normalised(upstream, f"{path}.attention.output.LayerNorm", mixed + rows)
    watch("wide", layer, middle)
    wide = _linear(upstream, f"{path}.intermediate.dense", middle)
    active = wide * np.float32(0.5) * (1 + erf(wide * np.float32(np.sqrt(0.5))))
    watch("narrow", layer, active)
    narrow = _linear(upstream, f"{path}.output.dense", active)
    return _normalised(upstream, f"{path}.output.LayerNorm", narrow + middle)


def _linear(upstream: Upstream, name: str, rows: FloatArray) -> FloatArray:
    product = rows @ upstream.array(f"{name}.weight").T
    return np.asarray(product + upstream.array(f"{name}.bias"))


def _normalised(upstream: Upstream, name: str, rows: FloatArray) -> FloatArray:
    centred = rows - rows.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + upstream.epsilon)
    scaled = centred / spread * upstream.array(f"{name}.weight")
    return np.asarray(scaled + upstream.array(f"{name}.bias"))
