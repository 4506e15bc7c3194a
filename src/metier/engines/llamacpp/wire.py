"""What travels between the two processes: lines of JSON, and the values as plain data.

It knows how each value of :mod:`metier.generating` is said in JSON and back; what is at its
default is left out. It knows neither process.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from metier import errors
from metier.errors import InternalError, MetierError
from metier.generating import (
    Constraint,
    Message,
    Options,
    Piece,
    Question,
    Taken,
    TokenChance,
    ToolCall,
    Voice,
    Written,
)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def pack(value: Mapping[str, Any]) -> bytes:
    """One line of JSON with its newline; lone surrogates become escapes."""
    try:
        return _encode(value).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class Lines:
    """Cuts what arrives into lines; a line that is not whole waits for its rest."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def add(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, without their newlines."""
        *whole, rest = data.split(b"\n")
        if whole:
            whole[0] = b"".join((*self._parts, whole[0]))
            self._parts.clear()
        if rest:
            self._parts.append(rest)
        return whole


def _said(value: Any, defaults: Any) -> dict[str, Any]:
    """The fields of a flat value that differ from their defaults."""
    return {
        name: found
        for name in value.__dataclass_fields__
        if (found := getattr(value, name)) != getattr(defaults, name)
    }


def from_call(call: ToolCall) -> dict[str, Any]:
    """A call as plain data."""
    return {"name": call.name, "arguments": dict(call.arguments), "id": call.id}


def to_call(plain: Mapping[str, Any]) -> ToolCall:
    """A call from plain data."""
    return ToolCall(plain["name"], plain["arguments"], plain["id"])


def from_message(message: Message) -> dict[str, Any]:
    """A message as plain data; pictures in base64."""
    plain = _said(message, Message("user", ""))
    plain["role"] = message.role
    if message.pictures:
        plain["pictures"] = [base64.b64encode(data).decode() for data in message.pictures]
    if message.tool_calls:
        plain["tool_calls"] = [from_call(call) for call in message.tool_calls]
    return plain


def to_message(plain: Mapping[str, Any]) -> Message:
    """A message from plain data."""
    known = {"text": "", **plain}
    known["pictures"] = tuple(base64.b64decode(text) for text in plain.get("pictures", ()))
    known["tool_calls"] = tuple(to_call(call) for call in plain.get("tool_calls", ()))
    return Message(**known)


def from_options(options: Options) -> dict[str, Any]:
    """Options as plain data."""
    plain = _said(options, _NO_OPTIONS)
    if options.logit_bias is not None:
        plain["logit_bias"] = list(options.logit_bias.items())
    return plain


def to_options(plain: Mapping[str, Any]) -> Options:
    """Options from plain data."""
    known = dict(plain)
    if "stop" in known:
        known["stop"] = tuple(known["stop"])
    if "logit_bias" in known:
        known["logit_bias"] = {int(token): float(bias) for token, bias in known["logit_bias"]}
    return Options(**known)


def from_question(question: Question) -> dict[str, Any]:
    """A question as plain data."""
    plain = _said(question, _NO_QUESTION)
    if question.messages:
        plain["messages"] = [from_message(message) for message in question.messages]
    if question.options != _NO_OPTIONS:
        plain["options"] = from_options(question.options)
    if question.constraint is not None:
        plain["constraint"] = [question.constraint.kind, question.constraint.value]
    if question.tools:
        plain["tools"] = [dict(tool) for tool in question.tools]
    return plain


def to_question(plain: Mapping[str, Any]) -> Question:
    """A question from plain data."""
    known = dict(plain)
    known["messages"] = tuple(to_message(message) for message in plain.get("messages", ()))
    known["options"] = to_options(plain.get("options", {}))
    known["context"] = tuple(plain.get("context", ()))
    known["tools"] = tuple(plain.get("tools", ()))
    if "constraint" in known:
        known["constraint"] = Constraint(*plain["constraint"])
    return Question(**known)


def from_voice(voice: Voice) -> dict[str, Any]:
    """A voice as plain data."""
    plain = _said(voice, _NO_VOICE)
    if voice.adapters:
        plain["adapters"] = dict(voice.adapters)
    if voice.options != _NO_OPTIONS:
        plain["options"] = from_options(voice.options)
    return plain


def to_voice(plain: Mapping[str, Any]) -> Voice:
    """A voice from plain data."""
    return Voice(**{**plain, "options": to_options(plain.get("options", {}))})


def from_chance(chance: TokenChance) -> list[Any]:
    """A token's chance as plain data."""
    return [
        chance.token,
        chance.logprob,
        base64.b64encode(chance.raw).decode(),
        [from_chance(other) for other in chance.top],
    ]


def to_chance(plain: list[Any]) -> TokenChance:
    """A token's chance from plain data."""
    token, logprob, raw, top = plain
    return TokenChance(
        token, logprob, base64.b64decode(raw), tuple(to_chance(other) for other in top)
    )


def from_piece(piece: Piece) -> dict[str, Any]:
    """A piece as plain data, what is empty left out."""
    plain: dict[str, Any] = {}
    if piece.text:
        plain["text"] = piece.text
    if piece.thinking:
        plain["thinking"] = piece.thinking
    if piece.tool_calls:
        plain["calls"] = [from_call(call) for call in piece.tool_calls]
    if piece.chances:
        plain["chances"] = [from_chance(chance) for chance in piece.chances]
    return plain


def to_piece(plain: Mapping[str, Any]) -> Piece:
    """A piece from plain data."""
    return Piece(
        plain.get("text", ""),
        plain.get("thinking", ""),
        tuple(to_call(call) for call in plain.get("calls", ())),
        tuple(to_chance(chance) for chance in plain.get("chances", ())),
    )


def from_written(written: Written) -> dict[str, Any]:
    """An answer as plain data."""
    taken = written.taken
    return {
        **from_piece(
            Piece(written.text, written.thinking, written.tool_calls, written.chances)
        ),
        "finish": written.finish,
        "truncated": written.truncated,
        "context": written.context,
        "taken": [
            taken.total, taken.load, taken.prompt, taken.writing,
            taken.tokens_in, taken.tokens_cached, taken.tokens_out,
        ],
    }  # fmt: skip


def to_written(plain: Mapping[str, Any]) -> Written:
    """An answer from plain data."""
    piece = to_piece(plain)
    return Written(
        piece.text,
        piece.thinking,
        piece.tool_calls,
        piece.chances,
        plain["finish"],
        plain["truncated"],
        tuple(plain["context"]),
        Taken(*plain["taken"]),
    )


def from_error(error: MetierError) -> dict[str, Any]:
    """An error as plain data, its kind by name."""
    return {"kind": type(error).__name__, **error.as_dict()}


def to_error(plain: Mapping[str, Any]) -> MetierError:
    """An error from plain data; an unknown kind is ours to mend."""
    kind = getattr(errors, plain["kind"], InternalError)
    known = kind if isinstance(kind, type) and issubclass(kind, MetierError) else InternalError
    return known(
        plain["message"],
        code=plain["code"],
        remedy=plain["remedy"],
        retryable=plain["retryable"],
        details=plain["details"],
    )


_NO_OPTIONS = Options()
_NO_QUESTION = Question()
_NO_VOICE = Voice()
