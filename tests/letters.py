"""An encoder of 26 dimensions that counts letters: what it gives can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Letters:
    """Counts letters."""

    name = "letters"
    digest = "sha256:" + "1" * 64
    dimension = 26
    size_bytes = 0

    def encode(self, texts: Sequence[str]) -> FloatArray:
        counts = np.array(
            [[text.lower().count(chr(97 + place)) for place in range(26)] for text in texts],
            np.float32,
        )
        lengths = np.linalg.norm(counts, axis=1, keepdims=True)
        unit: FloatArray = counts / np.maximum(lengths, 1e-9)
        return unit
