"""The lexical half of a pack: BM25 scores of every word in every chunk, as three arrays.

It knows bm25s, which computes the scores when a pack is built, and how to add them up when it is
asked; it knows no markdown and no encoder. Headings are a field of their own with a weight.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HEADING_WEIGHT = 0.5
"""What a word in the trail counts against one in the text."""
K1 = 0.9
"""How much a repeated word adds; with ``B``, ``HEADING_WEIGHT`` chosen on the development half of
``benchmarks/questions``."""
B = 0.4
"""How much a long section loses."""
ARRAYS = "lexical.safetensors"
WORDS = "lexical.json"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word scores by chunk: a sparse matrix by columns, one column a word.

    Attributes:
        words: Word to column.
        starts: Where a column begins, shape (words + 1,), int32.
        chunks: Row of each entry, int32.
        scores: Its score, float32.
        count: Number of chunks.
    """

    words: dict[str, int]
    starts: NDArray[np.int32]
    chunks: NDArray[np.int32]
    scores: NDArray[np.float32]
    count: int

    def search(self, words: Sequence[str] | dict[str, float]) -> NDArray[np.float32]:
        """The score of every chunk; words may carry weights, unknown words add nothing."""
        import numpy as np

        weights = words if isinstance(words, dict) else dict.fromkeys(words, 1.0)
        total = np.zeros(self.count, np.float32)
        for word, weight in weights.items():
            column = self.words.get(word)
            if column is not None:
                span = slice(self.starts[column], self.starts[column + 1])
                total[self.chunks[span]] += np.float32(weight) * self.scores[span]
        return total

    def rarity(self, word: str) -> float:
        """How telling a word is: inverse document frequency; 0 for an unknown word."""
        import math

        column = self.words.get(word)
        if column is None:
            return 0.0
        holds = int(self.starts[column + 1] - self.starts[column])
        return math.log(1 + (self.count - holds + 0.5) / (holds + 0.5))


def build_lexicon(texts: Sequence[Sequence[str]], headings: Sequence[Sequence[str]]) -> Lexicon:
    """Score words in texts and in headings, one of each per chunk."""
    import numpy as np
    import scipy.sparse as sparse

    vocabulary = sorted({word for words in (*texts, *headings) for word in words})
    columns = {word: column for column, word in enumerate(vocabulary)}
    shape = (len(texts), len(vocabulary))
    matrix = _scored(texts, columns, shape) + HEADING_WEIGHT * _scored(headings, columns, shape)
    matrix = sparse.csc_array(matrix)
    matrix.sort_indices()
    return Lexicon(
        columns,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float32),
        len(texts),
    )


def _scored(
    fields: Sequence[Sequence[str]], columns: dict[str, int], shape: tuple[int, int]
) -> Any:
    """One field's matrix, chunks by words, from bm25s."""
    import bm25s
    import numpy as np
    import scipy.sparse as sparse

    if not any(fields):  # It would divide by the mean length.
        return sparse.csc_array((np.zeros(0, np.float32), ([], [])), shape=shape)
    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    ids = [[columns[word] for word in words] for words in fields]
    index.index(
        (ids, dict(columns)), create_empty_token=False, show_progress=False, leave_progress=False
    )
    scores = index.scores
    return sparse.csc_array((scores["data"], scores["indices"], scores["indptr"]), shape=shape)


def lexicon_parts(lexicon: Lexicon) -> dict[str, bytes]:
    """The lexicon as files of the artifact: arrays, and the words in the order of the columns."""
    from safetensors.numpy import save

    arrays = {"starts": lexicon.starts, "chunks": lexicon.chunks, "scores": lexicon.scores}
    words = json.dumps({"count": lexicon.count, "words": list(lexicon.words)}, ensure_ascii=False)
    return {ARRAYS: save(arrays), WORDS: words.encode()}


def read_arrays(data: bytes) -> dict[str, Any]:
    """The arrays of a safetensors file; raises ValueError if it is none."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except SafetensorError as error:
        raise ValueError(f"its arrays cannot be read: {error}") from error


def read_lexicon(read: Callable[[str], bytes]) -> Lexicon:
    """The lexicon from its files; raises ValueError or KeyError if they do not fit together."""
    arrays = read_arrays(read(ARRAYS))
    facts = json.loads(read(WORDS))
    starts, chunks, scores = arrays["starts"], arrays["chunks"], arrays["scores"]
    count, words = int(facts["count"]), facts["words"]
    sound = (
        len(starts) == len(words) + 1
        and len(chunks) == len(scores) == int(starts[-1])
        and (not len(chunks) or (chunks.min() >= 0 and chunks.max() < count))
        and bool((starts[1:] >= starts[:-1]).all())
        and int(starts[0]) == 0
    )
    if not sound:
        raise ValueError("the lexical arrays do not fit together")
    return Lexicon(
        {word: column for column, word in enumerate(words)}, starts, chunks, scores, count
    )
