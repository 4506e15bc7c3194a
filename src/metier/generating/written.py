"""What comes back from a model: pieces, answers, vectors, ranks, and what they took.

It knows values only; which engine made them it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from metier.generating.asking import ToolCall


@dataclass(frozen=True, slots=True)
class TokenChance:
    """A token of the answer: its text and bytes, its natural log-probability, alternatives."""

    token: str
    logprob: float
    raw: bytes
    top: tuple[TokenChance, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer as it is written; any part may be empty."""

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    chances: tuple[TokenChance, ...] = ()


OnPiece = Callable[[Piece], None]
"""Receives an answer piece by piece; called in the thread that asked."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What an answer took: seconds, and tokens.

    Attributes:
        total: Wall seconds from the question to the end.
        load: Seconds until the model was resident; 0 if it was.
        prompt: Seconds for the prompt.
        writing: Seconds for the answer.
        tokens_in: Tokens of the prompt, cached ones included.
        tokens_cached: Of those, taken from the prompt cache.
        tokens_out: Tokens of the answer.
    """

    total: float = 0.0
    load: float = 0.0
    prompt: float = 0.0
    writing: float = 0.0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A whole answer.

    Attributes:
        text: What was written, without thinking and calls.
        thinking: What was thought before.
        tool_calls: The calls it makes.
        chances: Log-probabilities of its tokens, if they were asked for.
        finish: ``stop`` or ``length``.
        truncated: Whether messages were left out of the prompt because it was too long.
        context: Tokens of prompt and answer, for ``Question.context``; empty if not known.
        taken: Time and tokens.
    """

    text: str
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    chances: tuple[TokenChance, ...] = ()
    finish: Literal["stop", "length"] = "stop"
    truncated: bool = False
    context: tuple[int, ...] = ()
    taken: Taken = Taken()


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of texts, in order, as the model pools them (not normalised), and what it took."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int
    truncated: bool = False
    taken: Taken = Taken()


@dataclass(frozen=True, slots=True)
class Ranked:
    """Documents by relevance, best first: place in what was given, and score."""

    order: tuple[tuple[int, float], ...]
    tokens: int
