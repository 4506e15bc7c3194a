"""Learns the ranges of an encoder's inner values from a few sentences of our own.

It knows ``calibration.txt`` (77 made-up texts of many kinds) and how to read it with a BERT
vocabulary. It does not quantise; ``quantisation`` does, with these ranges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metier.conversion.arithmetic import last_states
from metier.conversion.graph import Place
from metier.conversion.upstream import TOKENIZER, Upstream, unsupported

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

SENTENCES = Path(__file__).with_name("calibration.txt")


@dataclass(frozen=True, slots=True)
class Ranges:
    """The values that were seen at one place of one layer, per channel.

    Attributes:
        lowest: Smallest value of each channel.
        highest: Largest value of each channel.
    """

    lowest: FloatArray
    highest: FloatArray

    @property
    def largest(self) -> FloatArray:
        """Largest magnitude of each channel."""
        return np.maximum(np.abs(self.lowest), np.abs(self.highest))

    def joined(self, other: Ranges) -> Ranges:
        """The ranges of what either has seen."""
        return Ranges(
            np.minimum(self.lowest, other.lowest), np.maximum(self.highest, other.highest)
        )


def observe_ranges(upstream: Upstream) -> dict[tuple[Place, int], Ranges]:
    """Run the calibration sentences through ``upstream``; the ranges by place and layer.

    Raises InputError (code ``encoder_unsupported``) if its vocabulary is not BERT's WordPiece.
    """
    vocabulary = read_vocabulary(upstream.folder / TOKENIZER)
    seen: dict[tuple[Place, int], Ranges] = {}

    def watch(place: Place, layer: int, rows: FloatArray) -> None:
        ranges = Ranges(rows.min(axis=0), rows.max(axis=0))
        known = seen.get((place, layer))
        seen[place, layer] = ranges if known is None else known.joined(ranges)

    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        inner = [vocabulary[piece] for piece in word_pieces(line, vocabulary)]
        inner = inner[: upstream.max_tokens - 2]
        ids = [vocabulary["[CLS]"], *inner, vocabulary["[SEP]"]]
        last_states(upstream, np.array([ids], np.int64), watch)
    return seen


def read_vocabulary(tokenizer: Path) -> dict[str, int]:
    """Token to id, from a WordPiece ``tokenizer.json``."""
    model = json.loads(tokenizer.read_bytes()).get("model", {})
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict) or not {"[UNK]", "[CLS]", "[SEP]"} <= vocabulary.keys():
        raise unsupported(tokenizer.parent, "its vocabulary is not BERT's WordPiece")
    return {str(token): int(number) for token, number in vocabulary.items()}


def word_pieces(text: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Pieces of ``text`` by greedy longest match, near enough to the real tokenizer for ranges."""
    return [
        piece
        for word in re.findall(r"\w+|[^\w\s]", text.lower())
        for piece in _pieces_of_word(word, vocabulary)
    ]


def _pieces_of_word(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    pieces: list[str] = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        for end in range(len(word), start, -1):
            if mark + word[start:end] in vocabulary:
                pieces.append(mark + word[start:end])
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces
