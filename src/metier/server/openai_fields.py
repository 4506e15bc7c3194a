"""OpenAI's dialect, request side: fields of a body into the values of ``metier.generating``.

Pure translation: no I/O, no framework. A field that is wrong, or that asks for something that
cannot be done, is refused with a sentence that names it; ``null`` is a field that was not given.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from metier.errors import InputError
from metier.generating import Constraint, Message, Options, Role, ToolCall

MOST_MESSAGES = 2000
MOST_TOOLS = 512
MOST_STOPS = 16
MOST_CHOICES = 8
MOST_TOP_LOGPROBS = 20
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_EFFORTS: Mapping[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
    "ultra": "max",
}


def wrong(message: str, param: str, remedy: str, code: str = "bad_request") -> InputError:
    """The error that names a field."""
    return InputError(message, code=code, remedy=remedy, details={"param": param})


def model_of(asked: Mapping[str, Any]) -> str:
    """The name in ``model``."""
    model = asked.get("model")
    if not isinstance(model, str) or not model.strip():
        raise wrong("'model' is missing or not text.", "model", "GET /v1/models lists them.")
    return model


def number(asked: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    """A number between ``low`` and ``high``, or ``None``."""
    value = asked.get(name)
    if value is None:
        return None
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not low <= value <= high:
        raise wrong(
            f"'{name}' is {str(value)[:40]!r}.", name, f"It is a number from {low:g} to {high:g}."
        )
    return float(value)


def whole(asked: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number between ``low`` and ``high``, or ``None``."""
    value = asked.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise wrong(
            f"'{name}' is {str(value)[:40]!r}.", name, f"A whole number from {low} to {high}."
        )
    return value


def flag(asked: Mapping[str, Any], name: str, *, otherwise: bool = False) -> bool:
    """True or false; ``otherwise`` if the field is not given."""
    value = asked.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, bool):
        raise wrong(f"'{name}' is {str(value)[:40]!r}.", name, "It is true or false.")
    return value


def wants_usage(asked: Mapping[str, Any]) -> bool:
    """Whether ``stream_options.include_usage`` is true."""
    options = asked.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise wrong("'stream_options' is no object.", "stream_options", "Mend or drop it.")
    return flag(options, "include_usage")


def texts(asked: Mapping[str, Any], name: str, most: int) -> tuple[str, ...] | None:
    """A text or a list of at most ``most`` texts, or ``None``."""
    value = asked.get(name)
    if value is None:
        return None
    listed: Sequence[Any] = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise wrong(f"'{name}' is not a text or a list of texts.", name, "Mend or drop it.")
    if len(listed) > most:
        raise wrong(f"'{name}' has {len(listed):,} texts.", name, f"Give {most:,} at most.")
    for text in listed:
        check_text(text, name)
    return tuple(listed)


def check_text(text: str, where: str) -> str:
    """The text; raises InputError if it has half a surrogate pair, which no encoding can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise wrong(
            f"'{where}' has half a surrogate pair at character {error.start}.",
            where,
            "Send whole characters.",
        ) from error
    return text


def options(asked: Mapping[str, Any], *, most_tokens: int | None) -> Options:
    """How to sample. Temperature and ``top_p`` are 1 if not given, as OpenAI has it."""
    temperature = number(asked, "temperature", 0, 2)
    top_p = number(asked, "top_p", 0, 1)
    stops = texts(asked, "stop", MOST_STOPS)
    return Options(
        temperature=1.0 if temperature is None else temperature,
        top_p=1.0 if top_p is None else top_p,
        top_k=whole(asked, "top_k", 0, 1_000_000),
        min_p=number(asked, "min_p", 0, 1),
        repeat_penalty=number(asked, "repeat_penalty", 0, 10),
        presence_penalty=number(asked, "presence_penalty", -2, 2),
        frequency_penalty=number(asked, "frequency_penalty", -2, 2),
        seed=_seed(asked),
        num_predict=most_tokens,
        stop=None if stops is None else tuple(stop for stop in stops if stop),
        logit_bias=_bias(asked.get("logit_bias")),
    )


def most_tokens(asked: Mapping[str, Any], *names: str) -> int | None:
    """The first of the fields that is given; -1 is no limit."""
    for name in names:
        value = whole(asked, name, -1, 10_000_000)
        if value == 0:
            raise wrong(f"'{name}' is 0.", name, "Ask for at least one token.")
        if value is not None:
            return value
    return None


def _seed(asked: Mapping[str, Any]) -> int | None:
    seed = whole(asked, "seed", -(2**63), 2**64 - 1)
    if seed is None or seed == -1:
        return None
    return seed % 2**32 if seed % 2**32 != 2**32 - 1 else 0


def _bias(value: object) -> Mapping[int, float] | None:
    if value is None:
        return None
    remedy = 'Write {"TOKEN": NUMBER}, tokens by number, from -100 to 100.'
    if not isinstance(value, dict) or len(value) > 2048:
        raise wrong("'logit_bias' is no object of at most 2,048 tokens.", "logit_bias", remedy)
    found: dict[int, float] = {}
    for token in value:
        amount = number(value, token, -100, 100)
        if not token.isascii() or not token.isdigit() or len(token) > 9 or amount is None:
            raise wrong(f"'logit_bias' names {token[:40]!r}.", "logit_bias", remedy)
        found[int(token)] = amount
    return found


def think(asked: Mapping[str, Any]) -> bool | str | None:
    """What ``reasoning_effort`` or ``reasoning.effort`` asks for."""
    effort, where = asked.get("reasoning_effort"), "reasoning_effort"
    reasoning = asked.get("reasoning")
    if effort is None and reasoning is not None:
        if not isinstance(reasoning, dict):
            raise wrong("'reasoning' is no object.", "reasoning", 'Write {"effort": "low"}.')
        effort, where = reasoning.get("effort"), "reasoning.effort"
    if effort is None:
        return None
    if not isinstance(effort, str) or effort not in _EFFORTS:
        raise wrong(
            f"'{where}' is {str(effort)[:40]!r}.", where, f"It is one of {', '.join(_EFFORTS)}."
        )
    return _EFFORTS[effort]


def constraint(asked: Mapping[str, Any]) -> Constraint | None:
    """What ``response_format`` (or llama.cpp's ``grammar``) says the answer must be."""
    grammar = asked.get("grammar")
    form = asked.get("response_format")
    if grammar is not None:
        if not isinstance(grammar, str) or form is not None:
            raise wrong(
                "'grammar' is not text, or stands beside 'response_format'.",
                "grammar",
                "Give one of them.",
            )
        return Constraint("grammar", check_text(grammar, "grammar"))
    if form is None:
        return None
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        schema = form.get("schema")
        return Constraint("json") if schema is None else Constraint("schema", _schema(schema))
    if kind == "json_schema":
        named = form.get("json_schema")
        schema = named.get("schema") if isinstance(named, dict) else None
        if schema is None and isinstance(named, dict) and named.get("strict") is not True:
            return Constraint("json")
        return Constraint("schema", _schema(schema))
    raise wrong(
        f"'response_format.type' is {str(kind)[:40]!r}.",
        "response_format",
        "It is text, json_object or json_schema.",
    )


def _schema(schema: object) -> object:
    if not isinstance(schema, dict):
        raise wrong(
            "'response_format' has no schema that is an object.",
            "response_format",
            'Write {"type": "json_schema", "json_schema": {"name": "…", "schema": {…}}}.',
        )
    return schema


def tools(asked: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The functions that may be called."""
    for old in ("functions", "function_call"):
        if asked.get(old) is not None:
            raise wrong(f"'{old}' is not read.", old, "Use 'tools' and 'tool_choice'.")
    given = asked.get("tools")
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_TOOLS:
        raise wrong(f"'tools' is no list of at most {MOST_TOOLS}.", "tools", "Mend it.")
    for place, tool in enumerate(given):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict):
            function = {}
        name = function.get("name")
        if not isinstance(name, str) or not name:
            raise wrong(
                f"tools[{place}] is no function with a name.",
                f"tools[{place}]",
                'Write {"type": "function", "function": {"name": "…", "parameters": {…}}}.',
            )
        parameters = function.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            raise wrong(
                f"tools[{place}].function.parameters is no schema.",
                f"tools[{place}].function.parameters",
                "It is a JSON schema: an object.",
            )
    return tuple(given)


def tool_choice(asked: Mapping[str, Any], offered: Sequence[Mapping[str, Any]]) -> str:
    """``auto``, ``none``, ``required`` or the name of the function that must be called."""
    choice = asked.get("tool_choice")
    if choice is None:
        return "auto"
    if isinstance(choice, dict):
        function = choice.get("function")
        choice = function.get("name") if isinstance(function, dict) else None
        names = [tool["function"]["name"] for tool in offered]
        if choice not in names:
            raise wrong(
                f"'tool_choice' names {str(choice)[:60]!r}, which is not among the tools.",
                "tool_choice",
                f"The tools are: {', '.join(names)[:300] or 'none'}.",
            )
        return str(choice)
    if choice not in ("auto", "none", "required"):
        raise wrong(
            f"'tool_choice' is {str(choice)[:40]!r}.",
            "tool_choice",
            "It is auto, none, required, or names a function.",
        )
    if choice == "required" and not offered:
        raise wrong("'tool_choice' is required without tools.", "tool_choice", "Give 'tools'.")
    return str(choice)


def messages(asked: Mapping[str, Any]) -> tuple[Message, ...]:
    """The conversation."""
    given = asked.get("messages")
    if not isinstance(given, list) or not given:
        raise wrong("'messages' is missing or empty.", "messages", "Give at least one message.")
    if len(given) > MOST_MESSAGES:
        raise wrong(
            f"'messages' has {len(given):,} entries; {MOST_MESSAGES:,} are read.",
            "messages",
            "Leave out the oldest.",
        )
    found: list[Message] = []
    called: dict[str, str] = {}
    for place, item in enumerate(given):
        message = _message(item, f"messages[{place}]", called)
        called |= {call.id: call.name for call in message.tool_calls if call.id}
        found.append(message)
    return tuple(found)


def _message(item: object, where: str, called: Mapping[str, str]) -> Message:
    if not isinstance(item, dict):
        raise wrong(f"{where} is no object.", where, 'Write {"role": "user", "content": "…"}.')
    role = _ROLES.get(str(item.get("role")).lower())
    if role is None:
        raise wrong(
            f"{where}.role is {str(item.get('role'))[:40]!r}.",
            f"{where}.role",
            f"It is one of {', '.join(_ROLES)}.",
        )
    calls = _calls(item.get("tool_calls"), f"{where}.tool_calls")
    thinking = item.get("reasoning", item.get("reasoning_content"))
    optional = role == "assistant"
    text, pictures = _content(item.get("content"), f"{where}.content", optional=optional)
    if pictures and role not in ("user", "tool"):
        raise wrong(f"{where} has a picture.", where, "Pictures stand in messages of the user.")
    call_id = _optional(item.get("tool_call_id"), f"{where}.tool_call_id")
    return Message(
        role,
        text,
        thinking=check_text(thinking, where) if isinstance(thinking, str) else "",
        pictures=pictures,
        tool_calls=calls,
        tool_name=_optional(item.get("name"), f"{where}.name") or called.get(call_id, "")
        if role == "tool"
        else "",
        tool_call_id=call_id,
    )


def _optional(value: object, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(f"{where} is not text.", where, "Mend or drop it.")
    return check_text(value, where)


def _calls(given: object, where: str) -> tuple[ToolCall, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_TOOLS:
        raise wrong(f"{where} is no list.", where, "Mend or drop it.")
    found: list[ToolCall] = []
    for place, call in enumerate(given):
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if function is None or not isinstance(name, str):
            raise wrong(f"{where}[{place}] names no function.", where, "Mend it.")
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except (ValueError, RecursionError):
                arguments = None
        if not isinstance(arguments, dict):
            raise wrong(
                f"{where}[{place}].function.arguments is not a JSON object in a text.",
                f"{where}[{place}].function.arguments",
                'Write "{\\"city\\": \\"Paris\\"}".',
            )
        found.append(ToolCall(name, arguments, _optional(call.get("id"), f"{where}[{place}].id")))
    return tuple(found)


def _content(content: object, where: str, *, optional: bool) -> tuple[str, tuple[bytes, ...]]:
    if isinstance(content, str):
        return check_text(content, where), ()
    if content is None and optional:
        return "", ()
    if not isinstance(content, list):
        raise wrong(f"{where} is not text.", where, "Give a text or a list of parts.")
    pieces: list[str] = []
    pictures: list[bytes] = []
    for place, part in enumerate(content):
        here = f"{where}[{place}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("text", "input_text", "output_text", "refusal"):
            text = part.get("text", part.get("refusal"))
            if not isinstance(text, str):
                raise wrong(f"{here}.text is not text.", here, "Mend it.")
            pieces.append(check_text(text, here))
        elif kind in ("image_url", "input_image"):
            pictures.append(_picture(part.get("image_url"), here))
        else:
            raise wrong(
                f"{here} is of type {str(kind)[:40]!r}; text and image_url are read.",
                here,
                'Write {"type": "text", "text": "…"}.',
            )
    return "\n".join(pieces), tuple(pictures)


def _picture(given: object, where: str) -> bytes:
    address = given.get("url") if isinstance(given, dict) else given
    remedy = "Send the picture itself: data:image/png;base64,…"
    if not isinstance(address, str):
        raise wrong(f"{where} has no address of a picture.", where, remedy)
    head, comma, body = address.partition(",")
    if not head.lower().startswith("data:"):
        raise wrong(f"{where} names {address[:40]!r}; this server fetches nothing.", where, remedy)
    if not comma or not head.lower().endswith(";base64"):
        raise wrong(f"{where} is no base64 data address.", where, remedy)
    try:
        picture = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong(f"{where} is not base64.", where, remedy) from error
    if not picture:
        raise wrong(f"{where} is an empty picture.", where, remedy)
    return picture
