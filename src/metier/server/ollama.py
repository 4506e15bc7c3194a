"""Ollama's answers: what is written, line by line, and vectors.

Pure translation: no I/O, no framework. A stream is ``application/x-ndjson``, one object a line;
durations are whole nanoseconds; an answer repeats the model's name as the caller wrote it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from metier.errors import InputError, NotFoundError
from metier.generating import Embedded, ModelListing, Piece, Taken, TokenChance, ToolCall, Written
from metier.server.ollama_reading import Asked
from metier.server.problems import Problem, as_ollama

VERSION = "0.32.9"
"""The Ollama version whose API this is; clients compare it, so it is three bare numbers."""
RUNNING = b"Ollama is running"

Kind = Literal["generate", "chat"]


def line(value: Mapping[str, Any]) -> bytes:
    """One line of a stream."""
    return encoded(value) + b"\n"


def encoded(value: Any) -> bytes:
    """JSON in UTF-8; half a character of a model's text becomes ``?``."""
    dumped = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return dumped.encode("utf-8", "replace")


def failed(problem: Problem) -> bytes:
    """The last line of a stream that broke."""
    return line(as_ollama(problem))


def moment(nanoseconds: int | None = None) -> str:
    """A time as RFC 3339 in UTC with nanoseconds; now, unless it is given since the epoch."""
    seconds, rest = divmod(time.time_ns() if nanoseconds is None else nanoseconds, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}Z"


@dataclass(slots=True)
class Answer:
    """One answer in the making, as Ollama's lines.

    Attributes:
        asked: What was asked.
        kind: ``generate`` puts text under ``response``, ``chat`` into a ``message``.
        started: ``time.perf_counter`` when the request was read.
    """

    asked: Asked
    kind: Kind
    started: float = field(default_factory=time.perf_counter)
    _calls: int = 0

    def piece(self, piece: Piece) -> bytes | None:
        """The line of a piece, or ``None`` if there is nothing to say."""
        if not (piece.text or piece.thinking or piece.tool_calls or piece.chances):
            return None
        said = self._said(piece.text, piece.thinking, piece.tool_calls)
        more = {"logprobs": chances(piece.chances)} if piece.chances else {}
        return line({**self._head(), **said, "done": False, **more})

    def end(self, written: Written, beside: Mapping[str, Any] | None = None) -> bytes:
        """The last line of a stream; the text came before it. ``beside`` are further fields."""
        said = self._said("", "", ())
        return line({**self._head(), **said, **self._closing(written), **(beside or {})})

    def whole(self, written: Written, beside: Mapping[str, Any] | None = None) -> bytes:
        """The answer in one object; ``beside`` are further fields."""
        said = self._said(written.text, written.thinking, written.tool_calls)
        more: dict[str, Any] = {}
        if written.chances:
            more["logprobs"] = chances(written.chances)
        more |= beside or {}
        return encoded({**self._head(), **said, **self._closing(written), **more})

    def only(self, reason: Literal["load", "unload"], loaded: float = 0.0) -> bytes:
        """The answer to a request that asked nothing; ``loaded`` is seconds."""
        times = {
            "total_duration": nanoseconds(time.perf_counter() - self.started),
            "load_duration": nanoseconds(loaded),
        }
        said = self._said("", "", ())
        return encoded(
            {
                **self._head(),
                **said,
                "done": True,
                "done_reason": reason,
                **(times if reason == "load" else {}),
            }
        )

    def _head(self) -> dict[str, Any]:
        return {"model": self.asked.name, "created_at": moment()}

    def _said(self, text: str, thinking: str, calls: Sequence[ToolCall]) -> dict[str, Any]:
        more: dict[str, Any] = {"thinking": thinking} if thinking else {}
        if calls:
            more["tool_calls"] = [self._call(call) for call in calls]
        if self.kind == "generate":
            return {"response": text, **more}
        return {"message": {"role": "assistant", "content": text, **more}}

    def _call(self, call: ToolCall) -> dict[str, Any]:
        index, self._calls = self._calls, self._calls + 1
        function = {"index": index, "name": call.name, "arguments": dict(call.arguments)}
        return {"id": call.id, "function": function} if call.id else {"function": function}

    def _closing(self, written: Written) -> dict[str, Any]:
        closing: dict[str, Any] = {"done": True, "done_reason": written.finish}
        if written.truncated:
            closing["truncated"] = True
        if written.context and self.kind == "generate" and not self.asked.raw:
            closing["context"] = list(written.context)
        return {**closing, **counted(written.taken, time.perf_counter() - self.started)}


def counted(taken: Taken, total: float) -> dict[str, int]:
    """Durations in nanoseconds, and tokens; ``total`` is seconds."""
    return {
        "total_duration": nanoseconds(total),
        "load_duration": nanoseconds(taken.load),
        "prompt_eval_count": taken.tokens_in,
        "prompt_eval_duration": nanoseconds(taken.prompt),
        "eval_count": taken.tokens_out,
        "eval_duration": nanoseconds(taken.writing),
    }


def nanoseconds(seconds: float) -> int:
    """Whole nanoseconds of seconds."""
    return round(seconds * 1e9)


def chances(given: Sequence[TokenChance]) -> list[dict[str, Any]]:
    """Log-probabilities of tokens, each with its alternatives."""
    return [
        {**_chance(chance), "top_logprobs": [_chance(other) for other in chance.top]}
        if chance.top
        else _chance(chance)
        for chance in given
    ]


def _chance(chance: TokenChance) -> dict[str, Any]:
    # JSON has no infinity; a token that cannot be has the least float32.
    logprob = chance.logprob if math.isfinite(chance.logprob) else -3.4e38
    return {"token": chance.token, "logprob": logprob, "bytes": list(chance.raw)}


def embedded(name: str, given: Embedded, *, dimensions: int, total: float) -> bytes:
    """The answer of ``/api/embed``: vectors of unit length; ``total`` is seconds."""
    vectors = [unit(vector[:dimensions] if dimensions else vector) for vector in given.vectors]
    answer: dict[str, Any] = {
        "model": name,
        "embeddings": vectors,
        "total_duration": nanoseconds(total),
        "load_duration": nanoseconds(given.taken.load),
        "prompt_eval_count": given.tokens,
    }
    return encoded({**answer, "truncated": True} if given.truncated else answer)


def embedding(given: Embedded | None) -> bytes:
    """The answer of the older ``/api/embeddings``: one vector, as the model gives it."""
    return encoded({"embedding": list(given.vectors[0]) if given else []})


def unit(vector: Sequence[float]) -> list[float]:
    """The vector at unit length; one of zeros stays as it is."""
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector] if length > 0 else list(vector)


def version() -> bytes:
    """``GET /api/version``."""
    return encoded({"version": VERSION})


def status() -> bytes:
    """``GET /api/status``: there is no cloud behind this server."""
    return encoded({"cloud": {"disabled": True, "source": "config"}})


def unknown(name: str) -> NotFoundError:
    """No model has this name; the words are Ollama's, because programs look for them."""
    return NotFoundError(f"model '{name[:300]}' not found")


def check_abilities(asked: Asked, listing: ModelListing, kind: Kind) -> None:
    """Refuse what the model cannot do, in Ollama's words; raises InputError (``no_capability``).

    What a chat specialist can do depends on what it writes with, so it is left to say so itself.
    """
    if listing.task == "chat":
        return
    if listing.task != "generate":
        raise lacking(asked.name, kind)
    able, question = set(listing.capabilities), asked.question
    if question.think and "thinking" not in able:
        raise lacking(asked.name, "thinking")
    if question.tools and "tools" not in able:
        raise lacking(asked.name, "tools")
    if question.suffix is not None and "insert" not in able:
        raise lacking(asked.name, "insert")
    if "vision" not in able and any(message.pictures for message in question.messages):
        raise lacking(asked.name, "images")


def lacking(name: str, ability: str) -> InputError:
    """A model does not do this."""
    return InputError(f'"{name[:300]}" does not support {ability}', code="no_capability")
