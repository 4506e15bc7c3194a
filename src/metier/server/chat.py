"""OpenAI's chat dialect: requests into turns, replies into completions and chunks.

Pure translation: no I/O, no framework. What a request asks and this cannot do (several choices,
pictures) is refused with a sentence, never dropped. Beside OpenAI's fields a request may carry
``metier`` (see ``docs/reference/http.md``), and a reply carries ``metier`` with its trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from metier.conversing import Manner, Reply, Sampling, Step, Turn
from metier.errors import InputError
from metier.reference import parted
from metier.server.events import DONE, event

MOST_TURNS = 2000
MOST_CHARACTERS = 4_000_000
_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_PASSED_ON = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning_effort",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "user",
)
_MANNER = {
    "base": str,
    "candidates": int,
    "repairs": int,
    "documents": bool,
    "tools": bool,
    "first_draft": bool,
    "tokens": int,
    "seconds": (int, float),
    "trace": bool,
}


@dataclass(frozen=True, slots=True)
class ChatQuestion:
    """A checked request of ``/v1/chat/completions``.

    Attributes:
        model: The specialist, without its base.
        base: What writes (``remote:NAME``), from ``model@base`` or ``metier.base``; or ``None``.
        turns: The conversation.
        sampling: What the caller wants of the base.
        manner: How to answer this once.
        stream: Whether the answer comes in chunks.
        usage: Whether a last chunk carries the usage.
        trace: Whether chunks carry the trace as it goes.
    """

    model: str
    base: str | None
    turns: tuple[Turn, ...]
    sampling: Sampling
    manner: Manner
    stream: bool
    usage: bool
    trace: bool


def parse_chat(asked: Mapping[str, Any]) -> ChatQuestion:
    """The checked request; raises InputError (``bad_request``) naming the field that is wrong."""
    model = asked.get("model")
    if not isinstance(model, str) or not model:
        raise _wrong("'model' is missing or not text.", "model", "GET /v1/models lists them.")
    if asked.get("n") not in (None, 1):
        raise _wrong("'n' is more than one.", "n", "Ask for one choice; candidates are ours.")
    if asked.get("logprobs"):
        raise _wrong("'logprobs' are not given.", "logprobs", "Leave the field out.")
    name, base = parted(model)
    manner = _manner(asked.get("metier"))
    options = asked.get("stream_options")
    return ChatQuestion(
        model=name,
        base=base or manner.get("base"),
        turns=_turns(asked.get("messages")),
        sampling=_sampling(asked),
        manner=_as_manner(manner),
        stream=_flag(asked, "stream"),
        usage=isinstance(options, Mapping) and options.get("include_usage") is True,
        trace=manner.get("trace", False),
    )


def manner_of(given: object) -> Manner:
    """How to answer this once, from the field ``metier``; raises InputError (``bad_request``)."""
    return _as_manner(_manner(given))


def _as_manner(told: Mapping[str, Any]) -> Manner:
    return Manner(
        candidates=told.get("candidates"),
        repairs=told.get("repairs"),
        documents=told.get("documents", True),
        tools=told.get("tools", True),
        first_draft=told.get("first_draft", False),
        tokens=told.get("tokens"),
        seconds=told.get("seconds"),
    )


def completion(reply: Reply, *, id: str, created: int, model: str) -> dict[str, Any]:  # noqa: A002
    """A whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, **_calls(reply)}
    if "tool_calls" in message and not reply.text:
        message["content"] = None
    return {
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": _finish(reply),
            }
        ],
        "usage": usage(reply),
        "metier": trace_of(reply),
    }


@dataclass(frozen=True, slots=True)
class Chunks:
    """The chunks of one streamed answer; each method gives one event as bytes."""

    id: str
    created: int
    model: str

    def opening(self) -> bytes:
        """The first chunk: the role."""
        return self._choice({"role": "assistant", "content": ""}, None)

    def text(self, piece: str) -> bytes:
        """A piece of text."""
        return self._choice({"content": piece}, None)

    def step(self, step: Step) -> bytes:
        """A step of the trace, in a chunk without text."""
        return self._event({"choices": [], "metier": {"step": step_of(step)}})

    def closing(self, reply: Reply, *, with_usage: bool) -> bytes:
        """Tool calls if there are any, the reason of the end, the usage if wanted, the end."""
        calls = _calls(reply).get("tool_calls", [])
        first = b""
        if calls:
            indexed = [{"index": number, **call} for number, call in enumerate(calls)]
            first = self._choice({"tool_calls": indexed}, None)
        last = self._choice({}, _finish(reply), {"metier": trace_of(reply)})
        counted = b""
        if with_usage:
            counted = self._event({"choices": [], "usage": usage(reply)})
        return first + last + counted + DONE

    def _choice(
        self, delta: Mapping[str, Any], finish: str | None, more: Mapping[str, Any] | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._event({"choices": [choice], **(more or {})})

    def _event(self, fields: Mapping[str, Any]) -> bytes:
        return event(
            {
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": self.created,
                "model": self.model,
                **fields,
            }
        )


def usage(reply: Reply) -> dict[str, int]:
    """Tokens of all candidates and repairs together."""
    return {
        "prompt_tokens": reply.tokens_in,
        "completion_tokens": reply.tokens_out,
        "total_tokens": reply.tokens_in + reply.tokens_out,
    }


def trace_of(reply: Reply) -> dict[str, Any]:
    """What stands behind an answer: base, check, findings, sources, steps, cost."""
    return {
        "base": reply.base,
        "checked": reply.checked,
        "finish": reply.finish,
        "diagnostics": [item.as_dict() for item in reply.diagnostics],
        "files": [{"path": file.path, "text": file.text} for file in reply.files],
        "passages": [
            {
                "number": number,
                "title": passage.title,
                "trail": list(passage.trail),
                "source": passage.source,
                "path": passage.path,
                "address": passage.address,
            }
            for number, passage in enumerate(reply.passages, start=1)
        ],
        "trace": [step_of(step) for step in reply.trace],
        "seconds": round(reply.seconds, 4),
        "spent": reply.spent,
    }


def step_of(step: Step) -> dict[str, Any]:
    """One line of the trace."""
    return {
        "kind": step.kind,
        "summary": step.summary,
        "seconds": round(step.seconds, 4),
        "data": dict(step.data),
    }


def _finish(reply: Reply) -> str:
    return "length" if reply.finish == "budget" else reply.finish


def _calls(reply: Reply) -> dict[str, Any]:
    calls = reply.extra.get("tool_calls")
    return {"tool_calls": calls} if calls else {}


def _turns(messages: object) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or not messages:
        raise _wrong("'messages' is missing or empty.", "messages", "Give at least one message.")
    if len(messages) > MOST_TURNS:
        raise _wrong(
            f"'messages' has {len(messages):,} entries; {MOST_TURNS:,} are read.",
            "messages",
            "Leave out the oldest.",
        )
    turns = tuple(_turn(message, f"messages[{place}]") for place, message in enumerate(messages))
    if sum(len(turn.text) for turn in turns) > MOST_CHARACTERS:
        raise _wrong(
            f"'messages' has more than {MOST_CHARACTERS:,} characters.",
            "messages",
            "Leave out the oldest.",
        )
    return turns


def _turn(message: object, where: str) -> Turn:
    if not isinstance(message, dict):
        raise _wrong(f"{where} is no object.", where, 'Write {"role": "user", "content": "…"}.')
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise _wrong(
            f"{where}.role is {str(message.get('role'))[:40]!r}.",
            f"{where}.role",
            f"It is one of {', '.join(_ROLES)}.",
        )
    extra = {
        name: message[name]
        for name in ("tool_calls", "tool_call_id", "name")
        if message.get(name) is not None
    }
    text = _text(message.get("content"), f"{where}.content", optional=bool(extra))
    kind: Literal["system", "user", "assistant", "tool"] = role  # type: ignore[assignment]
    return Turn(kind, text, extra)


def _text(content: object, where: str, *, optional: bool) -> str:
    if isinstance(content, str):
        return content
    if content is None and optional:
        return ""
    if not isinstance(content, list):
        raise _wrong(f"{where} is not text.", where, "Give a text or a list of text parts.")
    pieces: list[str] = []
    for place, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get("text") if isinstance(part, dict) else None
        if kind not in ("text", "input_text") or not isinstance(text, str):
            raise _wrong(
                f"{where}[{place}] is {str(kind)[:40]!r}; this specialist reads text only.",
                f"{where}[{place}]",
                'Write {"type": "text", "text": "…"}.',
            )
        pieces.append(text)
    return "\n".join(pieces)


def _sampling(asked: Mapping[str, Any]) -> Sampling:
    stop = asked.get("stop")
    stops: Sequence[Any] = [stop] if isinstance(stop, str) else stop or ()
    if not isinstance(stops, list | tuple) or not all(isinstance(item, str) for item in stops):
        raise _wrong("'stop' is not a text or a list of texts.", "stop", "Mend or drop it.")
    most = _number(asked, "max_completion_tokens", 1, 10_000_000, whole=True)
    if most is None:
        most = _number(asked, "max_tokens", 1, 10_000_000, whole=True)
    seed = _number(asked, "seed", -(2**63), 2**63, whole=True)
    return Sampling(
        temperature=_number(asked, "temperature", 0, 2),
        top_p=_number(asked, "top_p", 0, 1),
        max_tokens=None if most is None else int(most),
        seed=None if seed is None else int(seed),
        stop=tuple(stops),
        extra={name: asked[name] for name in _PASSED_ON if asked.get(name) is not None},
    )


def _number(
    asked: Mapping[str, Any], name: str, low: float, high: float, *, whole: bool = False
) -> float | None:
    value = asked.get(name)
    if value is None:
        return None
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise _wrong(
            f"'{name}' is {str(value)[:40]!r}.", name, f"It is a number from {low:g} to {high:g}."
        )
    return value


def _flag(asked: Mapping[str, Any], name: str) -> bool:
    value = asked.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _wrong(f"'{name}' is {str(value)[:40]!r}.", name, "It is true or false.")


def _manner(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong("'metier' is no object.", "metier", 'Write {"metier": {"candidates": 3}}.')
    for name, given in value.items():
        kinds = _MANNER.get(name)
        if kinds is None:
            known = ", ".join(_MANNER)
            raise _wrong(f"'metier.{name[:40]}' is not known.", f"metier.{name}", f"Use {known}.")
        number = kinds is int or kinds == (int, float)
        if not isinstance(given, kinds) or (number and (isinstance(given, bool) or given < 0)):  # type: ignore[arg-type]
            raise _wrong(
                f"'metier.{name}' is {str(given)[:40]!r}.",
                f"metier.{name}",
                "See docs/reference/http.md for its kind.",
            )
    return dict(value)


def _wrong(message: str, param: str, remedy: str) -> InputError:
    return InputError(message, code="bad_request", remedy=remedy, details={"param": param})
