"""Ollama's requests that ask a model: JSON into questions.

Pure translation: no I/O, no framework. What is not there, null, or not known is as if it had not
been said; what has the wrong type is refused by its name.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metier.errors import InputError
from metier.generating import Constraint, Loading, Message, Options, Question, Role, ToolCall
from metier.reference import Reference, parted
from metier.server.ollama_options import keep_alive, options, think, wrong

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_DATA_URL = re.compile(r"data:[a-zA-Z0-9.+/;=-]{0,100};base64,")
_SURROGATE = re.compile(rb"\\u[dD]")
MOST_MESSAGES = 5000


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request of ``/api/generate`` or ``/api/chat``.

    Attributes:
        name: The model as the caller wrote it; answers repeat it.
        model: The same without Ollama's default parts.
        question: What is asked; meaningless when ``empty``.
        loading: How the model is to be loaded.
        keep_alive: Seconds; see ``ollama_options.keep_alive``.
        stream: Whether the answer comes line by line.
        empty: Nothing is asked: the model is loaded, or unloaded when ``keep_alive`` is 0.
        raw: The prompt goes to the model as it is.
    """

    name: str
    model: str
    question: Question
    loading: Loading
    keep_alive: float | None
    stream: bool
    empty: bool
    raw: bool = False


@dataclass(frozen=True, slots=True)
class AskedVectors:
    """A checked request of ``/api/embed`` or ``/api/embeddings``; ``dimensions`` 0 is all."""

    name: str
    model: str
    texts: tuple[str, ...]
    loading: Loading
    keep_alive: float | None
    truncate: bool = True
    dimensions: int = 0


def parse_body(body: bytes) -> dict[str, Any]:
    """A JSON object; raises InputError (``not_json``)."""
    if not body.strip():
        raise wrong("missing request body", "body", "not_json")
    try:
        value = json.loads(body)
        if _SURROGATE.search(body):
            # Half a character becomes the replacement character, as in Go; no text with one
            # travels on, because it could not be encoded again.
            sent = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
            value = json.loads(sent.decode("utf-16", "replace"))
    except (ValueError, RecursionError) as error:
        raise wrong(f"The body is not JSON: {str(error)[:200]}", "body", "not_json") from error
    if not isinstance(value, dict):
        raise wrong("The body is not a JSON object", "body", "not_json")
    return value


def model_of(asked: Mapping[str, Any]) -> str:
    """The name under ``model``, or under the older ``name``; raises InputError."""
    name = text(asked, "model") or text(asked, "name")
    if not name:
        raise wrong("model is required", "model", "bad_name")
    return name


def stored_name(name: str) -> str:
    """The name without Ollama's default host, namespace and tag; raises InputError (``bad_name``).

    Behind an ``@`` may stand what a chat specialist writes with (``sveltekit@remote:NAME``).
    """
    front, base = parted(name)
    front, at, side = front.partition("@")
    front = front.removeprefix("https://").removeprefix("http://")
    parts = front.split("/")
    if len(parts) == 3 and parts[0].lower() == "registry.ollama.ai":
        parts = parts[1:]
    if len(parts) == 2 and parts[0].lower() == "library":
        parts = parts[1:]
    stored = Reference.parse("/".join(parts) + at + side).familiar
    return f"{stored}@{base}" if base else stored


def parse_generate(asked: Mapping[str, Any]) -> Asked:
    """The checked request of ``/api/generate``; raises InputError naming what is wrong."""
    name = model_of(asked)
    prompt, raw = text(asked, "prompt"), flag(asked, "raw", otherwise=False)
    system, template = text(asked, "system"), text(asked, "template")
    context, suffix = _context(asked.get("context")), text(asked, "suffix")
    pictures = _pictures(asked.get("images"), "images")
    if raw and (template or system or context):
        raise wrong("raw mode does not support template, system, or context", "raw", "bad_request")
    if pictures and (raw or suffix):
        raise wrong(
            "images go with a prompt that a template renders, not with raw or suffix",
            "images",
            "bad_request",
        )
    shared, loading = _shared(asked)
    if raw or suffix:
        question = Question(prompt=prompt, suffix=None if raw else suffix or None, **shared)
    else:
        said = (Message("system", system),) if system else ()
        question = Question(
            messages=(*said, Message("user", prompt, pictures=pictures)),
            context=context,
            template=template or None,
            **shared,
        )
    return Asked(
        name=name,
        model=stored_name(name),
        question=question,
        loading=loading,
        keep_alive=keep_alive(asked.get("keep_alive")),
        stream=flag(asked, "stream", otherwise=True),
        empty=not prompt,
        raw=raw,
    )


def parse_chat(asked: Mapping[str, Any]) -> Asked:
    """The checked request of ``/api/chat``; raises InputError naming what is wrong."""
    name = model_of(asked)
    said = messages(asked.get("messages"))
    shared, loading = _shared(asked)
    question = Question(messages=said, tools=_tools(asked.get("tools")), **shared)
    return Asked(
        name=name,
        model=stored_name(name),
        question=question,
        loading=loading,
        keep_alive=keep_alive(asked.get("keep_alive")),
        stream=flag(asked, "stream", otherwise=True),
        empty=not said,
    )


def parse_embed(asked: Mapping[str, Any]) -> AskedVectors:
    """The checked request of ``/api/embed``; raises InputError."""
    given = asked.get("input")
    texts = [given] if isinstance(given, str) and given else given or []
    if not isinstance(texts, list) or not all(isinstance(item, str) for item in texts):
        raise wrong("invalid input type: a text or a list of texts", "input", "bad_request")
    return _vectors(asked, tuple(texts))


def parse_embeddings(asked: Mapping[str, Any]) -> AskedVectors:
    """The checked request of the older ``/api/embeddings``; raises InputError."""
    prompt = text(asked, "prompt")
    return _vectors(asked, (prompt,) if prompt else ())


def _vectors(asked: Mapping[str, Any], texts: tuple[str, ...]) -> AskedVectors:
    name = model_of(asked)
    _, loading = options(asked.get("options"))
    return AskedVectors(
        name=name,
        model=stored_name(name),
        texts=texts,
        loading=loading,
        keep_alive=keep_alive(asked.get("keep_alive")),
        truncate=flag(asked, "truncate", otherwise=True),
        dimensions=max(0, whole(asked, "dimensions")),
    )


def _shared(asked: Mapping[str, Any]) -> tuple[dict[str, Any], Loading]:
    sampling: Options
    sampling, loading = options(asked.get("options"))
    top = whole(asked, "top_logprobs")
    if not 0 <= top <= 20:
        raise wrong("top_logprobs must be between 0 and 20", "top_logprobs", "bad_request")
    shared = {
        "constraint": _constraint(asked.get("format")),
        "think": think(asked.get("think")),
        "options": sampling,
        "logprobs": flag(asked, "logprobs", otherwise=False),
        "top_logprobs": top,
        "truncate": flag(asked, "truncate", otherwise=True),
        "shift": flag(asked, "shift", otherwise=False),
    }
    return shared, loading


def messages(value: Any) -> tuple[Message, ...]:
    """The messages of a conversation, roles in lower case; raises InputError."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong("messages must be an array", "messages", "bad_request")
    if len(value) > MOST_MESSAGES:
        raise wrong(
            f"messages has {len(value):,} entries; {MOST_MESSAGES:,} are read",
            "messages",
            "bad_request",
        )
    return tuple(_message(item, f"messages[{place}]") for place, item in enumerate(value))


def _message(value: Any, where: str) -> Message:
    if not isinstance(value, dict):
        raise wrong(f"{where} must be an object", where, "bad_request")
    role = _ROLES.get(text(value, "role", where).lower())
    if role is None:
        raise wrong(
            f"{where}.role is {str(value.get('role'))[:40]!r}; it is one of {', '.join(_ROLES)}",
            f"{where}.role",
            "bad_request",
        )
    return Message(
        role=role,
        text=text(value, "content", where),
        thinking=text(value, "thinking", where),
        pictures=_pictures(value.get("images"), f"{where}.images"),
        tool_calls=_calls(value.get("tool_calls"), f"{where}.tool_calls"),
        tool_name=text(value, "tool_name", where),
        tool_call_id=text(value, "tool_call_id", where),
    )


def _calls(value: Any, where: str) -> tuple[ToolCall, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong(f"{where} must be an array", where, "bad_request")
    return tuple(_call(item, f"{where}[{place}]") for place, item in enumerate(value))


def _call(value: Any, where: str) -> ToolCall:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict):
        raise wrong(f"{where}.function must be an object", where, "bad_request")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        # OpenAI's shape; some programs carry a conversation from one dialect into the other.
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            arguments = None
    elif arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise wrong(f"{where}.function.arguments must be an object", where, "bad_request")
    identifier = value.get("id")
    return ToolCall(
        name=text(function, "name", where),
        arguments=arguments,
        id=identifier if isinstance(identifier, str) else "",
    )


def _tools(value: Any) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong("tools must be an array", "tools", "bad_request")
    tools = []
    for place, tool in enumerate(value):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise wrong(
                f"tools[{place}].function must be an object with a name", "tools", "bad_request"
            )
        tools.append({**tool, "type": tool.get("type") or "function"})
    return tuple(tools)


def _constraint(value: Any) -> Constraint | None:
    if value is None or value == "":
        return None
    if value == "json":
        return Constraint("json")
    if isinstance(value, dict):
        return Constraint("schema", value)
    raise wrong(
        f'invalid format: {json.dumps(value)[:80]}; expected "json" or a valid JSON Schema object',
        "format",
        "bad_request",
    )


def _context(value: Any) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 2**31 for item in value
    ):
        raise wrong("context must be an array of tokens", "context", "bad_request")
    return tuple(value)


def _pictures(value: Any, where: str) -> tuple[bytes, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong(f"{where} must be an array", where, "bad_request")
    return tuple(_picture(item, f"{where}[{place}]") for place, item in enumerate(value))


def _picture(value: Any, where: str) -> bytes:
    if isinstance(value, str) and value:
        opening = _DATA_URL.match(value)
        try:
            return base64.b64decode(value[opening.end() :] if opening else value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _no_picture(where) from error
    raise _no_picture(where)


def _no_picture(where: str) -> InputError:
    return wrong(f"{where} is not base64 of a picture's bytes", where, "bad_request")


def text(asked: Mapping[str, Any], field: str, where: str = "") -> str:
    """A text, "" if it was not said; raises InputError."""
    value = asked.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        place = f"{where}.{field}" if where else field
        raise wrong(f"{place} must be a string", place, "bad_request")
    return value


def flag(asked: Mapping[str, Any], field: str, *, otherwise: bool) -> bool:
    """A truth value; raises InputError."""
    value = asked.get(field)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise wrong(f"{field} must be true or false", field, "bad_request")
    return value


def whole(asked: Mapping[str, Any], field: str) -> int:
    """A whole number, 0 if it was not said; raises InputError."""
    value = asked.get(field)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        raise wrong(f"{field} must be an integer", field, "bad_request")
    return value
