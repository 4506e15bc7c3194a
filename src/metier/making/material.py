"""Material: what the heads look at, computed once and remembered.

It knows that texts become hashed rows or vectors, and how long that takes; it fits nothing. An
encoder is wrapped so that the ladder, the eval, the base's row and the label curve share vectors
of the same text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np
import scipy.sparse as sparse

from metier.features import FeatureSpec, hashed_counts
from metier.heads import FloatArray, inverse_document_frequency, weigh
from metier.making.resuming import Keeper
from metier.manifest import canonical_json
from metier.messages import Encoder

CHUNK = 512
"""Texts encoded between two looks at the clock."""
MOST_REMEMBERED = 400_000
LARGEST_TABLE = 1_000_000
"""Bytes of a hashed table (int8): it decides the number of buckets."""


class RememberingEncoder:
    """An encoder that keeps the vectors of texts it has seen.

    Args:
        encoder: The real one.
        pause: Called between chunks with (done, all); it may raise to stop.
        keeper: Where chunks are kept for a make that goes on after a stop.
    """

    def __init__(
        self,
        encoder: Encoder,
        pause: Callable[[int, int], None],
        keeper: Keeper | None = None,
    ) -> None:
        self._encoder = encoder
        self._pause = pause
        self._keeper = keeper or Keeper()
        self._seen: dict[str, FloatArray] = {}

    @property
    def name(self) -> str:
        """The encoder's name."""
        return self._encoder.name

    @property
    def digest(self) -> str:
        """The encoder's digest."""
        return self._encoder.digest

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._encoder.dimension

    @property
    def size_bytes(self) -> int:
        """Bytes of the files it needs."""
        return self._encoder.size_bytes

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32, shape (len(texts), dimension)."""
        unseen = list(dict.fromkeys(text for text in texts if text not in self._seen))
        # Short texts first, so that a chunk holds texts of like length and wastes no padding.
        unseen.sort(key=len)
        fresh: dict[str, FloatArray] = {}
        for start in range(0, len(unseen), CHUNK):
            self._pause(start, len(unseen))
            chunk = unseen[start : start + CHUNK]
            fresh.update(zip(chunk, self._encoded(chunk), strict=True))
        rows = np.empty((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            rows[row] = fresh[text] if text in fresh else self._seen[text]
        if len(self._seen) + len(fresh) <= MOST_REMEMBERED:
            self._seen.update(fresh)
        return rows

    def _encoded(self, chunk: Sequence[str]) -> FloatArray:
        """Vectors of one chunk; the same texts in the same order give the same bits."""
        if len(chunk) < CHUNK:
            return self._encoder.encode(chunk)
        key = {
            "vectors": self.name,
            "digest": self.digest,
            "texts": sha256(canonical_json(list(chunk))).hexdigest(),
        }
        known = self._keeper.find(key)
        if known is not None and known.array.shape == (len(chunk), self.dimension):
            return known.array
        vectors = self._encoder.encode(chunk)
        self._keeper.keep(key, vectors, {})
        return vectors

    def seconds_per_text(self, texts: Sequence[str]) -> float:
        """Wall seconds for one of these texts in bulk, measured without remembering."""
        start = time.perf_counter()
        self._encoder.encode(texts)
        return (time.perf_counter() - start) / max(len(texts), 1)

    def milliseconds_alone(self, texts: Sequence[str]) -> float:
        """Median milliseconds of one text at a time."""
        return median_milliseconds(lambda text: self._encoder.encode([text]), texts)


class HashedWords:
    """Hashed rows of the training texts' own weighting.

    ``spec`` is sized so that the table of all labels fits ``LARGEST_TABLE``.
    """

    def __init__(self, texts: Sequence[str], labels: int) -> None:
        self.spec = FeatureSpec(buckets=buckets_for(labels))
        counts = hashed_counts(texts, self.spec)
        # The weighting is stored as float16: fit on the very numbers that will answer.
        self.idf = inverse_document_frequency(counts).astype(np.float16).astype(np.float32)
        self.rows = weigh(counts, self.idf)

    def of(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Weighted rows of other texts."""
        return weigh(hashed_counts(texts, self.spec), self.idf)


def buckets_for(labels: int) -> int:
    """The largest power of two whose int8 table and float16 weighting fit, from 2**11 to 2**18."""
    power = 18
    while power > 11 and (1 << power) * (labels + 2) > LARGEST_TABLE:
        power -= 1
    return 1 << power


def median_milliseconds(one: Callable[[str], object], texts: Sequence[str]) -> float:
    """Median wall milliseconds of ``one(text)`` over the texts, after one warm-up call."""
    if not texts:
        return 0.0
    one(texts[0])
    times = []
    for text in texts:
        start = time.perf_counter()
        one(text)
        times.append(time.perf_counter() - start)
    return float(np.median(times) * 1000)
