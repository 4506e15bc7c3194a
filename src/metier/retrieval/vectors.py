"""The other half of a pack: vectors of every chunk from an encoder, several for a long one.

It knows how a chunk becomes texts that an encoder can take whole and how their vectors are kept
and compared; it knows no encoder, only the protocol of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metier.retrieval.lexical import read_arrays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metier.messages import Encoder

VECTORS = "vectors.safetensors"
WINDOW = 700
"""Characters of text in one window; with the trail some 200 tokens."""
MAX_WINDOWS = 3
"""Windows of one chunk; what stands further down is found by its words."""
CODE_CHARACTERS = 240
"""Characters of each fenced block that are embedded: its beginning names what it is about."""
BATCH = 256

_FENCED = re.compile(r"^\s*(`{3,}|~{3,})[^\n]*\n(.*?)(?:^\s*\1\s*$|\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Windows' vectors, and where each chunk's begin.

    Attributes:
        matrix: Unit vectors, float16, shape (windows, dimension).
        starts: First window of each chunk, int32; every chunk has at least one.
    """

    matrix: NDArray[np.float16]
    starts: NDArray[np.int32]

    def search(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of every chunk's best window with ``query``, a unit vector."""
        import numpy as np

        if not len(self.starts):
            return np.zeros(0, np.float32)
        return np.maximum.reduceat(self.matrix @ query, self.starts)


def windows(trail: Sequence[str], text: str) -> list[str]:
    """The texts that stand for a chunk: its trail, then a stretch of its words."""
    head = " > ".join(trail)
    shown = _FENCED.sub(lambda match: match[2][:CODE_CHARACTERS] + "\n", text)
    shown = re.sub(r"\]\([^)]*\)", "]", shown)
    pieces: list[str] = []
    piece = ""
    for line in re.split(r"(?<=[.!?:])\s+|\n+", shown):
        while line:
            space = WINDOW - len(piece)
            if len(line) <= space or not piece:
                piece += line[:WINDOW] + " "
                line = line[WINDOW:]
            if line or len(piece) >= WINDOW:
                pieces.append(piece)
                piece = ""
    if piece.strip():
        pieces.append(piece)
    return [f"{head}\n{' '.join(piece.split())}" for piece in pieces[:MAX_WINDOWS]] or [head]


def build_vectors(
    chunks: Sequence[tuple[Sequence[str], str]],
    encoder: Encoder,
    report: Callable[[float], None],
) -> Vectors:
    """Encode every chunk's windows, ``BATCH`` at a time; ``report`` is told the share done."""
    import numpy as np

    texts: list[str] = []
    starts: list[int] = []
    for trail, text in chunks:
        starts.append(len(texts))
        texts += windows(trail, text)
    matrix = np.zeros((len(texts), encoder.dimension), np.float16)
    # Texts of like length go together, so that little is padded; the vectors do not depend on it.
    order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), place))
    for begin in range(0, len(order), BATCH):
        rows = order[begin : begin + BATCH]
        matrix[rows] = encoder.encode([texts[row] for row in rows])
        report((begin + len(rows)) / len(order))
    return Vectors(matrix, np.asarray(starts, np.int32))


def vector_parts(vectors: Vectors) -> dict[str, bytes]:
    """The vectors as a file of the artifact."""
    from safetensors.numpy import save

    return {VECTORS: save({"matrix": vectors.matrix, "starts": vectors.starts})}


def read_vectors(read: Callable[[str], bytes], *, count: int, dimension: int) -> Vectors:
    """The vectors from their file; raises ValueError or KeyError if they do not fit the chunks."""
    import numpy as np

    arrays = read_arrays(read(VECTORS))
    matrix, starts = arrays["matrix"], arrays["starts"]
    sound = (
        matrix.ndim == 2
        and matrix.shape[1] == dimension
        and starts.shape == (count,)
        and (not count or (starts[0] == 0 and starts[-1] < len(matrix)))
        and bool((starts[1:] > starts[:-1]).all())
    )
    if not sound:
        raise ValueError("the vectors do not fit the chunks")
    # float16 on disk, float32 in memory: the product is ten times as fast.
    return Vectors(matrix.astype(np.float32), starts)
