"""OpenAI's chat dialect for models that write: requests into questions, answers into chunks.

Pure translation: no I/O, no framework. Chat specialists answer the same call with documents and
checks; their half is ``chat``. Reasoning is written twice, as ``reasoning`` (Ollama, OpenRouter)
and as ``reasoning_content`` (llama.cpp, DeepSeek), because clients read the one or the other.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from metier.generating import Piece, Question, Taken, TokenChance, ToolCall, Written
from metier.server import openai_fields as fields
from metier.server.events import DONE, event


@dataclass(frozen=True, slots=True)
class ChatAsked:
    """A checked request.

    Attributes:
        model: The name as it was given.
        questions: One for each choice.
        stream: Whether the answer comes in chunks.
        usage: Whether a last chunk carries the usage.
        one_call: Whether an answer may call one tool at most.
    """

    model: str
    questions: tuple[Question, ...]
    stream: bool
    usage: bool
    one_call: bool


def parse(asked: Mapping[str, Any]) -> ChatAsked:
    """The checked request; raises InputError (``bad_request``) naming the field that is wrong."""
    model = fields.model_of(asked)
    offered = fields.tools(asked)
    _refuse_sound(asked)
    logprobs = fields.flag(asked, "logprobs")
    top = fields.whole(asked, "top_logprobs", 0, fields.MOST_TOP_LOGPROBS)
    if top and not logprobs:
        raise fields.wrong(
            "'top_logprobs' is given without 'logprobs'.", "top_logprobs", "Set logprobs to true."
        )
    most = fields.most_tokens(asked, "max_completion_tokens", "max_tokens")
    question = Question(
        messages=fields.messages(asked),
        tools=offered,
        tool_choice=fields.tool_choice(asked, offered),
        constraint=fields.constraint(asked),
        think=fields.think(asked),
        options=fields.options(asked, most_tokens=most),
        logprobs=logprobs,
        top_logprobs=top or 0,
    )
    return ChatAsked(
        model=model,
        questions=choices(question, fields.whole(asked, "n", 1, fields.MOST_CHOICES) or 1),
        stream=fields.flag(asked, "stream"),
        usage=fields.wants_usage(asked),
        one_call=not fields.flag(asked, "parallel_tool_calls", otherwise=True),
    )


def choices(question: Question, count: int) -> tuple[Question, ...]:
    """``count`` questions; with a seed each has its own, counted up from it."""
    seed = question.options.seed
    if seed is None:
        return (question,) * count
    return tuple(
        replace(question, options=replace(question.options, seed=(seed + place) % (2**32 - 1)))
        for place in range(count)
    )


def _refuse_sound(asked: Mapping[str, Any]) -> None:
    kinds = asked.get("modalities")
    if asked.get("audio") is not None or (kinds is not None and kinds != ["text"]):
        raise fields.wrong(
            "'modalities' asks for more than text.", "modalities", "Models here write text."
        )


def completion(
    answers: Sequence[Written],
    *,
    id: str,  # noqa: A002
    created: int,
    model: str,
    one_call: bool,
) -> dict[str, Any]:
    """Whole answers, one for each choice."""
    return {
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [_choice(place, written, one_call) for place, written in enumerate(answers)],
        "usage": usage([written.taken for written in answers]),
    }


def _choice(place: int, written: Written, one_call: bool) -> dict[str, Any]:
    calls = written.tool_calls[:1] if one_call else written.tool_calls
    message: dict[str, Any] = {"role": "assistant", "content": written.text}
    if written.thinking:
        message |= _reasoning(written.thinking)
    if calls:
        message["content"] = written.text or None
        message["tool_calls"] = [_call(call, new_call_id()) for call in calls]
    return {
        "index": place,
        "message": message,
        "logprobs": logprobs(written.chances) if written.chances else None,
        "finish_reason": "tool_calls" if calls else written.finish,
    }


def _reasoning(text: str) -> dict[str, str]:
    return {"reasoning": text, "reasoning_content": text}


def _call(call: ToolCall, otherwise: str) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":"))
    return {
        "id": call.id or otherwise,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def new_call_id() -> str:
    """An id for a call that has none."""
    return f"call_{secrets.token_hex(8)}"


def logprobs(chances: Sequence[TokenChance]) -> dict[str, Any]:
    """``choice.logprobs``."""
    return {
        "content": [
            {**_chance(chance), "top_logprobs": [_chance(other) for other in chance.top]}
            for chance in chances
        ],
        "refusal": None,
    }


def _chance(chance: TokenChance) -> dict[str, Any]:
    # JSON has no infinity; OpenAI writes -9999 for a token that has no chance at all.
    return {
        "token": chance.token,
        "logprob": max(chance.logprob, -9999.0),
        "bytes": list(chance.raw),
    }


def usage(taken: Sequence[Taken]) -> dict[str, Any]:
    """Tokens of the prompt, once, and of all answers."""
    first = taken[0]
    answers = sum(item.tokens_out for item in taken)
    return {
        "prompt_tokens": first.tokens_in,
        "completion_tokens": answers,
        "total_tokens": first.tokens_in + answers,
        "prompt_tokens_details": {"cached_tokens": first.tokens_cached},
    }


@dataclass(slots=True)
class Chunks:
    """The chunks of one streamed request; each method gives events as bytes.

    ``id``, ``created`` and ``model`` are the same in all of them.
    """

    id: str
    created: int
    model: str
    count: int = 1
    one_call: bool = False
    _called: dict[int, int] = field(default_factory=dict)

    def opening(self) -> bytes:
        """The first chunk of each choice: the role."""
        return b"".join(
            self._choice(place, {"role": "assistant", "content": ""}) for place in range(self.count)
        )

    def piece(self, place: int, piece: Piece) -> bytes:
        """A piece of the answer to one choice."""
        delta: dict[str, Any] = {}
        if piece.text:
            delta["content"] = piece.text
        if piece.thinking:
            delta |= _reasoning(piece.thinking)
        calls = self._calls(place, piece.tool_calls)
        if calls:
            delta["tool_calls"] = calls
        if not delta and not piece.chances:
            return b""
        return self._choice(place, delta, chances=piece.chances)

    def _calls(self, place: int, calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
        start = self._called.get(place, 0)
        kept = calls[: max(0, 1 - start)] if self.one_call else calls
        self._called[place] = start + len(kept)
        return [
            {"index": number, **_call(call, new_call_id())}
            for number, call in enumerate(kept, start)
        ]

    def finish(self, place: int, written: Written, more: Mapping[str, Any] | None = None) -> bytes:
        """The end of one choice; ``more`` stands beside the choices."""
        reason = "tool_calls" if self._called.get(place) else written.finish
        return self._choice(place, {}, reason, more=more)

    def usage(self, taken: Sequence[Taken]) -> bytes:
        """The chunk that has no choice but the usage."""
        return self._event({"choices": [], "usage": usage(taken)})

    def _choice(
        self,
        place: int,
        delta: Mapping[str, Any],
        finish: str | None = None,
        chances: Sequence[TokenChance] = (),
        more: Mapping[str, Any] | None = None,
    ) -> bytes:
        return self._event(
            {
                **(more or {}),
                "choices": [
                    {
                        "index": place,
                        "delta": delta,
                        "logprobs": logprobs(chances) if chances else None,
                        "finish_reason": finish,
                    }
                ],
            }
        )

    def _event(self, more: Mapping[str, Any]) -> bytes:
        return event(
            {
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": self.created,
                "model": self.model,
                **more,
            }
        )


__all__ = ["DONE", "ChatAsked", "Chunks", "choices", "completion", "logprobs", "parse", "usage"]
