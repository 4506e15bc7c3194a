"""A base that writes: any OpenAI-compatible chat service, as a ``Generator``.

It knows how turns become a request and how an answer, streamed or whole, becomes a ``Draft``; it
knows no prompt, no tool and no document. Calls, retries and the key are ``calling``'s matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from metier.conversing import Draft, OnText, Sampling, Turn
from metier.engines.calling import Caller, Patience
from metier.engines.thinking import ThinkingParter, part_thinking
from metier.errors import InputError
from metier.manifest import canonical_json
from metier.reference import Digest
from metier.services import Service, check_service

CHARACTERS_PER_TOKEN = 4
"""Of English and code; used only where a service does not count, and said so."""

MESSAGE_FIELDS = frozenset(
    {"tool_calls", "tool_call_id", "name", "content", "function_call", "refusal"}
)
"""What of a turn's ``extra`` travels; other dialects' fields would be refused."""
OWN_FIELDS = frozenset({"model", "messages", "stream", "stream_options", "n"})
"""What ``Sampling.extra`` may not set: it would change what is asked or how it is read."""

_FINISHES = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


class RemoteGenerator:
    """A remote service behind ``conversing.Generator``. Threads may share it.

    Keep one per service: it keeps connections and remembers what the service does not take.
    ``draft.extra`` may hold ``tool_calls``, ``reasoning`` (what the model thought aloud),
    ``model`` (if the service says that another one answered), ``finish_reason`` (if it is none of
    ours), ``refused`` (fields that the service does not take) and ``estimated`` (tokens were
    counted by length, because the service did not count).
    """

    def __init__(self, service: Service, *, patience: Patience | None = None) -> None:
        check_service(service)
        self._service = service
        self._caller = Caller(service, patience=patience)

    @property
    def name(self) -> str:
        """``remote:NAME``."""
        return f"remote:{self._service.name}"

    @property
    def model(self) -> str:
        """The model's name at the service."""
        return self._service.model

    @property
    def digest(self) -> str:
        """Over address, model, date and further headers; not the key, nor what we call it."""
        service = self._service
        return str(
            Digest.of(
                canonical_json(
                    {
                        "chat": service.url,
                        "model": service.model,
                        "date": service.date,
                        "headers": dict(service.headers),
                    }
                )
            )
        )

    @property
    def servable(self) -> bool:
        """A service answers people."""
        return True

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a person should know before using it, such as a key that travels unencrypted."""
        return self._service.cautions

    def generate(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        on_text: OnText | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Draft:
        """One draft; streamed if somebody listens.

        Raises:
            UnavailableError: See ``Caller.body``.
            InputError: ``service_rejected``, ``cancelled`` or ``bad_sampling``.
        """
        start = time.monotonic()
        request = self._request(turns, sampling)
        if on_text is None:
            body = self._caller.body(request, cancelled=cancelled)
            heard = _whole(body)
        else:
            heard = self._streamed(request, on_text, cancelled)
        return self._draft(heard, turns, time.monotonic() - start)

    def close(self) -> None:
        """End its connections."""
        self._caller.close()

    def _request(self, turns: Sequence[Turn], sampling: Sampling) -> dict[str, Any]:
        taken = sorted(OWN_FIELDS & set(sampling.extra))
        if taken:
            raise InputError(
                f"The sampling sets {taken[0]!r}, which is not the caller's to set.",
                code="bad_sampling",
            )
        request: dict[str, Any] = {
            "model": self._service.model,
            "messages": [_message(turn) for turn in turns],
        }
        for name in ("temperature", "top_p", "max_tokens", "seed"):
            value = getattr(sampling, name)
            if value is not None:
                request[name] = value
        if sampling.stop:
            request["stop"] = list(sampling.stop)
        return {**request, **sampling.extra}

    def _streamed(
        self, request: dict[str, Any], on_text: OnText, cancelled: Callable[[], bool] | None
    ) -> _Heard:
        heard, parter = _Heard(), ThinkingParter()
        pieces: list[str] = []

        def say(piece: str) -> None:
            if piece:
                pieces.append(piece)
                on_text(piece)

        request = {**request, "stream_options": {"include_usage": True}}
        with closing(self._caller.chunks(request, cancelled=cancelled)) as chunks:
            for chunk in chunks:
                say(parter.feed(heard.add(chunk)))
        say(parter.end())
        heard.text = "".join(pieces)
        heard.thoughts.append(parter.thoughts)
        return heard

    def _draft(self, heard: _Heard, turns: Sequence[Turn], seconds: float) -> Draft:
        answer, thoughts = part_thinking(heard.text)
        thoughts = "\n".join(part for part in (*heard.thoughts, thoughts) if part).strip()
        extra: dict[str, Any] = {}
        if heard.calls:
            extra["tool_calls"] = heard.tool_calls()
        if thoughts:
            extra["reasoning"] = thoughts
        if heard.model and heard.model != self._service.model:
            extra["model"] = heard.model
        if heard.finish not in (None, "stop", *_FINISHES):
            extra["finish_reason"] = heard.finish
        if refused := self._caller.refused:
            extra["refused"] = list(refused)
        spent = None
        tokens_in, tokens_out = heard.tokens or (0, 0)
        if heard.tokens is None:
            extra["estimated"] = True
            tokens_in = _estimated(sum(len(turn.text) for turn in turns))
            tokens_out = _estimated(len(answer) + len(thoughts))
        else:
            spent = self._service.spent(tokens_in, tokens_out)
        finish = _FINISHES.get(heard.finish or "", "stop")
        return Draft(
            text=answer,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            seconds=seconds,
            spent=spent,
            finish="tool_calls" if heard.calls and finish == "stop" else finish,
            extra=extra,
        )


@dataclass
class _Heard:
    """What was heard of an answer so far, whole or in chunks."""

    text: str = ""
    thoughts: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    finish: str | None = None
    model: str | None = None
    tokens: tuple[int, int] | None = None

    def add(self, chunk: Mapping[str, Any]) -> str:
        """Take in a chunk (or a whole body); the piece of text that it brings."""
        model = chunk.get("model")
        if isinstance(model, str) and model:
            self.model = model
        self._count(chunk.get("usage"))
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return ""
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            self.finish = finish
        message = choice.get("delta") or choice.get("message")
        if not isinstance(message, dict):
            return ""
        thought = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
        if thought:
            self._think(thought)
        for call in message.get("tool_calls") or []:
            if isinstance(call, dict):
                self._call(call)
        return _text(message.get("content"))

    def tool_calls(self) -> list[dict[str, Any]]:
        """The calls as a message holds them: without the index of the stream."""
        return [
            {name: value for name, value in call.items() if name != "index"} for call in self.calls
        ]

    def _think(self, thought: str) -> None:
        self.thoughts[:] = ["".join(self.thoughts) + thought]

    def _count(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        if any(isinstance(count, int) for count in counts):
            read = [count if isinstance(count, int) and count > 0 else 0 for count in counts]
            self.tokens = (read[0], read[1])

    def _call(self, piece: Mapping[str, Any]) -> None:
        """Add a piece of a call: a service numbers them, or sends each whole."""
        index, identity = piece.get("index"), piece.get("id")
        known = None
        if isinstance(index, int):
            known = next((call for call in self.calls if call.get("index") == index), None)
        elif self.calls and (not identity or self.calls[-1].get("id") == identity):
            known = self.calls[-1]
        function = piece.get("function")
        function = function if isinstance(function, dict) else {}
        arguments = _text(function.get("arguments"))
        if known is None:
            self.calls.append(
                {
                    **({"index": index} if isinstance(index, int) else {}),
                    "id": _text(identity),
                    "type": "function",
                    "function": {"name": _text(function.get("name")), "arguments": arguments},
                }
            )
            return
        known["id"] = known["id"] or _text(identity)
        known["function"]["name"] = known["function"]["name"] or _text(function.get("name"))
        known["function"]["arguments"] += arguments


def _whole(body: Mapping[str, Any]) -> _Heard:
    heard = _Heard()
    heard.text = heard.add(body)
    return heard


def _message(turn: Turn) -> dict[str, Any]:
    kept = {name: value for name, value in turn.extra.items() if name in MESSAGE_FIELDS}
    text: str | None = turn.text
    if not turn.text and kept.get("tool_calls"):
        text = None
    return {"role": turn.role, "content": text, **kept}


def _text(value: Any) -> str:
    """A text, or the texts of a list of content parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = (part.get("text") for part in value if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return ""


def _estimated(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)
