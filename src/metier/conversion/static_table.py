"""Makes the table of static token embeddings of an encoder: one vector for each vocabulary token.

It knows how the table is made and stored. It does not know texts or tokenisers. Decision 0043 tells
why the rows are the encoder's own input embeddings and not distilled ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from metier.conversion.calibration import read_vocabulary
from metier.conversion.graph import WORDS
from metier.conversion.quantisation import quantise_rows
from metier.conversion.upstream import TOKENIZER, Upstream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

COMMONNESS = 1e-4
"""The constant a of SIF (Arora et al. 2017, equation 3): smaller means rarer words weigh more."""


def write_static(upstream: Upstream, path: Path) -> None:
    """Write the static embeddings of ``upstream`` to ``path`` as safetensors.

    ``table`` (int8, tokens x hidden) times ``scales`` (float32, tokens) is each token's input
    embedding times its weight.
    """
    integers, scales = quantise_rows(upstream.array(WORDS))
    weights = token_weights(read_vocabulary(upstream.folder / TOKENIZER), len(scales))
    save_file({"scales": scales * weights, "table": integers}, path)


def token_weights(vocabulary: Mapping[str, int], size: int) -> FloatArray:
    """The weight a / (a + p) of each token id, shape (size,), p its share of all tokens.

    BERT's vocabularies list whole words from the commonest on, behind single characters, so p is
    taken from the rank by Zipf's law: 1 / rank, summing to one. What stands before the first word
    of two letters ranks with it.
    """
    words = [number for token, number in vocabulary.items() if len(token) > 1 and token.isalpha()]
    ranks = np.maximum(np.arange(size) - min(words, default=0), 0) + 1
    shares = 1 / ranks
    shares /= shares.sum()
    return (COMMONNESS / (COMMONNESS + shares)).astype(np.float32)
