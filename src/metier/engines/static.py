"""Encodes texts by static token embeddings: a table look-up, a mean and a maximum, no network.

It knows the table that conversion makes and how to add its rows quickly. It does not know how the
table was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metier.engines.encoder import read_base
from metier.engines.tokenizing import TokenReader
from metier.errors import CorruptError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

_ALGORITHM = "static-encoder/1"
_BATCH = 128
_HALF = np.float32(np.sqrt(0.5))


class StaticEncoder:
    """Mean and maximum of static token embeddings, behind ``messages.Encoder``. Thread-safe.

    A vector is the unit mean of the text's token vectors followed by their unit maximum per
    channel, both times the root of one half (decision 0043).

    Args:
        folder: A base folder as ``conversion.prepare_base`` makes it.

    Raises:
        NotFoundError: The base or its table is not there.
        CorruptError: A file is not what its name says.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        base = read_base(folder)
        files = ("static.safetensors", "tokenizer.json")
        base.require(*files)
        self._name = f"{base.name}/static/{base.max_tokens}"
        self._digest = base.identity(_ALGORITHM, *files)
        self._size = sum(base.sizes[name] for name in files)
        self._reader = TokenReader(
            folder / "tokenizer.json", max_tokens=base.max_tokens, special=False
        )
        try:
            parts = load_file(folder / "static.safetensors")
            self._table, self._scales = parts["table"], parts["scales"]
        except (SafetensorError, KeyError) as error:
            raise CorruptError(
                f"{folder / 'static.safetensors'} is not a table of static embeddings: {error}.",
                code="bad_static",
                remedy="Make the base again from its upstream files.",
            ) from error

    @property
    def name(self) -> str:
        """``base/static/max tokens``."""
        return self._name

    @property
    def digest(self) -> str:
        """``sha256:…`` over the files it reads and every setting that changes its vectors."""
        return self._digest

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return 2 * int(self._table.shape[1])

    @property
    def size_bytes(self) -> int:
        """Bytes of the files it needs."""
        return self._size

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32, shape (len(texts), dimension), in the order of ``texts``.

        A text without any token has no direction: its vector is zero, the only one not of unit
        length.
        """
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), _BATCH):
            tokens = self._reader.read(texts[start : start + _BATCH])
            filled = [row for row, ids in enumerate(tokens) if ids]
            if filled:
                vectors[np.array(filled) + start] = self._pool([tokens[row] for row in filled])
        return vectors

    def _pool(self, tokens: list[list[int]]) -> FloatArray:
        """The vectors of texts of at least one token each, shape (len(tokens), dimension)."""
        flat = np.fromiter(chain.from_iterable(tokens), np.int64)
        ends = np.cumsum([len(ids) for ids in tokens])
        starts = np.concatenate([[0], ends[:-1]])
        rows = self._table[flat] * self._scales[flat, None]
        halves = (np.add.reduceat(rows, starts), np.maximum.reduceat(rows, starts))
        return np.concatenate([_unit(half) * _HALF for half in halves], axis=1)


def _unit(rows: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.float32(1e-12)))
