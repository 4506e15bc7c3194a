"""Which passages answer a question, how sure that is, and the same as text with citations.

It knows two numbers about a search (the best cosine, the share of the question's telling words
that a passage holds) and what they were worth on questions whose answers are known; it knows no
index and no model that writes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from metier.conversing import Passage
from metier.retrieval.presenting import cite, harmless

Sure = Literal["likely", "perhaps", "unlikely"]

BY_BOTH = (-5.0, 8.1, 4.7)
"""Intercept, weight of the cosine, weight of the share of words: a logistic regression on the
development half of ``benchmarks/questions`` and 24 questions about other things."""
BY_WORDS = (-2.8, 0.0, 7.5)
"""The same without an encoder."""
LIKELY = 0.6
PERHAPS = 0.3
EXCERPT = 700
"""Characters of a passage that a text shows; its address leads to the rest."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found and how far to trust it.

    Attributes:
        passages: Best first.
        probability: That one of them answers the question, 0 to 1.
        way: ``words and meaning``, or ``words only``.
    """

    passages: tuple[Passage, ...]
    probability: float
    way: str

    @property
    def sure(self) -> Sure:
        """The probability as a word."""
        if self.probability >= LIKELY:
            return "likely"
        return "perhaps" if self.probability >= PERHAPS else "unlikely"


def probability(cosine: float | None, share: float) -> float:
    """That a passage answers, from the best cosine (``None``: no encoder) and words' share."""
    intercept, by_cosine, by_share = BY_WORDS if cosine is None else BY_BOTH
    return 1 / (1 + math.exp(-(intercept + by_cosine * (cosine or 0.0) + by_share * share)))


def told(found: Found) -> str:
    """An answer of passages alone, as markdown: how sure it is, excerpts, citations."""
    if not found.passages:
        return "Nothing in these documents has to do with that."
    opening = {
        "likely": "These passages should answer it.",
        "perhaps": "These passages may answer it.",
        "unlikely": "These documents probably do not answer that; the nearest passages are:",
    }[found.sure]
    if found.way == "words only":
        opening += " Searched by words only: the encoder of this pack is not installed."
    pieces = [opening]
    for passage, citation in zip(found.passages, cite(found.passages), strict=True):
        pieces.append(f"**[{citation.number}] {citation.title}**\n\n{excerpt(passage.text)}")
    pieces.append("\n".join(str(citation) for citation in cite(found.passages)))
    return "\n\n".join(pieces)


def excerpt(text: str, characters: int = EXCERPT) -> str:
    """The beginning of a passage, whole lines, no fence left open."""
    lines: list[str] = []
    size = 0
    fence = ""
    for line in harmless(text).split("\n"):
        if size + len(line) > characters and lines and not (fence and size < 2 * characters):
            lines.append(fence + ("\n…" if fence else "…"))
            fence = ""
            break
        lines.append(line)
        size += len(line) + 1
        mark = line.strip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence else mark
    return "\n".join((*lines, fence) if fence else lines).strip()


def share_of_words(rarities: dict[str, float], held: Sequence[frozenset[str]]) -> float:
    """The share of the question's words, weighted by how telling they are, that one text holds.

    Args:
        rarities: The question's words with what each tells.
        held: The words of each passage.
    """
    whole = sum(rarities.values())
    if not whole:
        return 0.0
    return (
        max(
            (sum(rarity for word, rarity in rarities.items() if word in words) for words in held),
            default=0.0,
        )
        / whole
    )
