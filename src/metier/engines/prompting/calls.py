"""Reads the calls of tools that a model writes, in each family's own notation.

It knows notations and where one ends; it knows no template, no stream and no dialect of an API.
What is not a call is never an error here: the caller gives it on as text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from metier.generating import ToolCall

_JSON_MARK = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]"]', re.DOTALL)
_NAMED = re.compile(
    r"\s*(?:functions\.)?([\w.\-/]+?)(?::\d+)?\s*(?:\[CALL_ID\]\s*(\w+)\s*)?"
    r"(?:\[ARGS\]\s*)?(?=\{)"
)
_SECTIONED = re.compile(
    r"\s*<｜tool▁call▁begin｜>\s*(?:function<｜tool▁sep｜>)?([\w.\-/]+)\s*(?:<｜tool▁sep｜>)?\s*"
    r"(?:```(?:json)?)?\s*(.*?)\s*(?:```)?\s*<｜tool▁call▁end｜>"
    r"|\s*<\|tool_call_begin\|>\s*(?:functions\.)?([\w.\-/]+?)(:\d+)?\s*"
    r"<\|tool_call_argument_begin\|>(.*?)<\|tool_call_end\|>",
    re.DOTALL,
)
_FIRST_KEY = re.compile(r'\s*\[?\s*\{\s*"([^"\\]*)"')
_KEYS = {"name", "type", "function", "parameters", "arguments", "tool_name", "id", "tool_call_id"}
_XML_CALL = re.compile(
    r"\s*<(?:function=|invoke name=)\"?([^>\"\s]+)\"?>(.*?)(?:</(?:function|invoke)>\s*|\Z)",
    re.DOTALL,
)
_XML_FIELD = re.compile(
    r"\s*<parameter(?:=| name=)\"?([^>\"\s]+)\"?[^>]*>\n?(.*?)\n?"
    r"(?:</parameter>|(?=<parameter[= ])|\Z)",
    re.DOTALL,
)
_KEY_FIELD = re.compile(r"\s*<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_KEYED = re.compile(r"\s*([\w.\-/]+)\s*(?=<arg_key>|\Z)")
_PYTHON_CALL = re.compile(r"\s*([A-Za-z_]\w*)\.call\((.*)\)\s*\Z", re.DOTALL)
_PYTHON_FIELD = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(?=[\"\d\[{tfn-])")


class Scan(NamedTuple):
    """What stands at the start of a text: calls, or none (malformed), and how long that is."""

    calls: tuple[ToolCall, ...]
    used: int


Kinds = Mapping[str, Mapping[str, Any]]
"""Name of a tool to the JSON schemas of its parameters by name."""


Scanning = Callable[[str, bool, Kinds], Scan | None]
_MOST_CLOSINGS = 8
_MOST_NAME = 200
_MOST_PYTHON = 64 << 10


@dataclass(frozen=True, slots=True)
class Notation:
    """How a family marks its calls.

    Attributes:
        opening: The mark before; "" where a call is bare JSON at the start of the answer.
        closing: The mark after, or "": it ends with its JSON.
        scan: From what follows ``opening`` to what stands there; ``None``: more is needed.
            A result for a text must stay the result for every longer one.
        ends: A call can only end with one of these characters.
    """

    opening: str
    closing: str
    scan: Scanning
    ends: str = "]}>"


def json_end(text: str, start: int = 0) -> int:
    """Where the JSON object or list that starts at ``start`` ends; -1 if it does not yet."""
    depth = 0
    for mark in _JSON_MARK.finditer(text, start):
        found = mark.group()
        if found in "{[":
            depth += 1
        elif found in "}]":
            depth -= 1
            if depth <= 0:
                return mark.end()
        elif found == '"':
            return -1
    return -1


def call_of(value: Any) -> ToolCall | None:
    """A call from its JSON: ``{"name", "arguments"|"parameters"}``, also inside ``function``."""
    if not isinstance(value, dict):
        return None
    held = value.get("function")
    if isinstance(held, dict):
        value = {**held, "id": value.get("id", "")}
    elif isinstance(held, str) and "name" not in value:
        value = {**value, "name": held}
    name = value.get("name", value.get("tool_name"))
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):
        arguments = loaded(arguments)
    if arguments is None:
        arguments = {}
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    identity = value.get("id") or value.get("tool_call_id") or ""
    return ToolCall(name=name, arguments=arguments, id=str(identity))


def calls_of(text: str) -> tuple[ToolCall, ...]:
    """Calls from JSON: one object or a list of them; none if any is not a call."""
    value = loaded(text)
    found = [call_of(item) for item in (value if isinstance(value, list) else [value])]
    calls = tuple(call for call in found if call is not None)
    return calls if len(calls) == len(found) else ()


def loaded(text: str) -> Any:
    """A value from JSON, or a mark of its own if it is none; control characters are let pass."""
    try:
        return json.loads(text, strict=False, parse_constant=_refused)
    except (ValueError, RecursionError):
        return _BROKEN


def _refused(constant: str) -> Any:
    raise ValueError(constant)


_BROKEN = object()


def marked(closing: str, opening: str = "") -> Scanning:
    """A scan up to a closing mark; one inside a JSON string does not count.

    ``opening`` is a mark that belongs to the body as well.
    """

    def scan(text: str, ended: bool, kinds: Kinds) -> Scan | None:
        found = first = text.find(closing)
        for _ in range(_MOST_CLOSINGS):
            if found < 0:
                break
            body = opening + text[:found]
            calls = read(body + (closing if opening else ""), kinds)
            if calls or not _open_string(body):
                return Scan(calls, found + len(closing))
            found = text.find(closing, found + 1)
        else:
            return Scan((), first + len(closing))
        if not ended:
            return None
        if first >= 0:
            return Scan((), first + len(closing))
        return Scan(read(opening + text, kinds), len(text))

    return scan


def _open_string(body: str) -> bool:
    """Whether a body is JSON that has not ended."""
    return body.lstrip()[:1] in {"{", "["} and json_end(body) < 0


def ended_by_json(text: str, ended: bool, _: Kinds) -> Scan | None:
    """A scan for what ends with its JSON: ``[..]``, ``{..}``, or ``name[ARGS]{..}``."""
    start = len(text) - len(text.lstrip())
    if start == len(text):
        return Scan((), 0) if ended else None
    named = None
    if text[start] not in "{[":
        named = _NAMED.match(text)
        if named is None or named.end() > _MOST_NAME:
            waits = not ended and "{" not in text[:_MOST_NAME] and len(text) < _MOST_NAME
            return None if waits else Scan((), 0)
        start = named.end()
    end = json_end(text, start)
    if end < 0:
        return Scan((), 0) if ended else None
    if named is None:
        return Scan(calls_of(text[start:end]), end)
    arguments = loaded(text[start:end])
    if not isinstance(arguments, dict):
        return Scan((), end)
    return Scan((ToolCall(named[1], arguments, named[2] or ""),), end)


def bare(text: str, ended: bool, kinds: Kinds) -> Scan | None:
    """A scan for calls without any mark: only JSON that starts as a call does is waited for."""
    key = _FIRST_KEY.match(text)
    if key is None or key.end() > _MOST_NAME:
        return None if not ended and len(text) < _MOST_NAME else Scan((), 0)
    if key[1] not in _KEYS:
        return Scan((), 0)
    scan = ended_by_json(text, ended, kinds)
    if scan is None or all(call.name in kinds for call in scan.calls):
        return scan
    return Scan((), scan.used)


def to_the_end(text: str, ended: bool, kinds: Kinds) -> Scan | None:
    """A scan for what only the end of the answer ends (Llama's code and built-in tools)."""
    return Scan(read(text, kinds), len(text)) if ended else None


def read(body: str, kinds: Kinds) -> tuple[ToolCall, ...]:
    """The calls of one marked body, whatever the notation inside; none if it is not one."""
    inner = body.strip()
    if inner.startswith("```"):
        inner = inner.strip("`").removeprefix("json").strip()
    if inner[:1] in {"{", "["}:
        return _objects(inner) or _pythonic(inner, kinds)
    if inner.startswith(("<function=", "<invoke ")):
        return _elements(inner, kinds)
    for reader in (_sectioned, _named, _keyed, _python, _pythonic):
        calls = reader(inner, kinds)
        if calls:
            return calls
    return ()


def _objects(text: str) -> tuple[ToolCall, ...]:
    """JSON values one after another, parted by white space, commas or semicolons."""
    calls: list[ToolCall] = []
    while text:
        end = json_end(text) if text[0] in "{[" else -1
        found = calls_of(text[:end]) if end > 0 else ()
        if not found:
            return ()
        calls += found
        text = text[end:].lstrip(" \n\r\t,;")
    return tuple(calls)


def _elements(text: str, kinds: Kinds) -> tuple[ToolCall, ...]:
    """``<function=name><parameter=key>value</parameter></function>``, or JSON inside."""
    calls = []
    position = 0
    while found := _XML_CALL.match(text, position):
        name, body = found[1], found[2]
        if body.lstrip()[:1] == "{":
            arguments = loaded(body)
        else:
            arguments = _fields(_XML_FIELD, body, kinds.get(name, {}))
        if not isinstance(arguments, dict):
            return ()
        calls.append(ToolCall(name, arguments))
        position = found.end()
    return tuple(calls) if position == len(text) else ()


def _sectioned(text: str, _: Kinds) -> tuple[ToolCall, ...]:
    """DeepSeek's and Kimi's calls, each between marks of its own inside the section."""
    calls = []
    position = 0
    while found := _SECTIONED.match(text, position):
        name, body = found[1] or found[3], found[2] if found[1] else found[5]
        arguments = loaded(body)
        if not isinstance(arguments, dict):
            return ()
        calls.append(ToolCall(name, arguments))
        position = found.end()
    return tuple(calls) if not text[position:].strip() else ()


def _pythonic(text: str, _: Kinds) -> tuple[ToolCall, ...]:
    """``[name(key="value"), …]`` as Python writes calls; arguments are constants."""
    if not text.startswith("[") or len(text) > _MOST_PYTHON:
        return ()
    try:
        tree = ast.parse(text, mode="eval").body
        items = tree.elts if isinstance(tree, ast.List) else []
        calls = [_python_call(item) for item in items]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return ()
    return tuple(calls)


def _python_call(node: ast.expr) -> ToolCall:
    if not isinstance(node, ast.Call) or node.args or not isinstance(node.func, ast.Name):
        raise ValueError("not a call of constants")
    arguments = {field.arg or "": ast.literal_eval(field.value) for field in node.keywords}
    json.dumps(arguments)
    return ToolCall(node.func.id, arguments)


def _keyed(text: str, kinds: Kinds) -> tuple[ToolCall, ...]:
    """``name<arg_key>key</arg_key><arg_value>value</arg_value>``."""
    named = _KEYED.match(text)
    if named is None or (named.end() == len(text) and named[1] not in kinds):
        return ()
    arguments = _fields(_KEY_FIELD, text[named.end() :], kinds.get(named[1], {}))
    return () if arguments is None else (ToolCall(named[1], arguments),)


def _named(text: str, kinds: Kinds) -> tuple[ToolCall, ...]:
    """``name{…}`` and ``name[ARGS]{…}``."""
    scan = ended_by_json(text, True, kinds)
    return scan.calls if scan is not None and not text[scan.used :].strip() else ()


def _python(text: str, _: Kinds) -> tuple[ToolCall, ...]:
    """``name.call(key="value")``, Llama's built-in tools."""
    found = _PYTHON_CALL.match(text)
    if found is None:
        return ()
    arguments: dict[str, Any] = {}
    position = 0
    body = found[2]
    while field := _PYTHON_FIELD.match(body, position):
        try:
            value, position = json.JSONDecoder(strict=False).raw_decode(body, field.end())
        except (ValueError, RecursionError):
            return ()
        arguments[field[1]] = value
        position += len(body[position:]) - len(body[position:].lstrip(" ,"))
    return (ToolCall(found[1], arguments),) if position == len(body) else ()


def _fields(pattern: re.Pattern[str], body: str, schemas: Mapping[str, Any]) -> Any:
    """Fields as an object; a text becomes what the tool's schema says it is. None if malformed."""
    arguments: dict[str, Any] = {}
    position = 0
    while found := pattern.match(body, position):
        arguments[found[1].strip()] = _typed(found[2], schemas.get(found[1].strip(), {}))
        position = found.end()
    return None if body[position:].strip() else arguments


def _typed(text: str, schema: Any) -> Any:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    wanted = {kinds} if isinstance(kinds, str) else set(kinds) if isinstance(kinds, list) else set()
    if wanted == {"string"} or not (wanted or isinstance(schema, dict)):
        return text
    value = loaded(text.strip())
    if value is _BROKEN or ("string" in wanted and not _fits(value, wanted)):
        lowered = text.strip().lower()
        if "boolean" in wanted and lowered in {"true", "false"}:
            return lowered == "true"
        return text
    return text if not wanted and isinstance(value, str | int | float) else value


def _fits(value: Any, wanted: set[str]) -> bool:
    """Whether a value beside texts is what a schema of several types asks for."""
    kinds = {bool: "boolean", dict: "object", list: "array", type(None): "null", float: "number"}
    kind = kinds.get(type(value), "integer")
    return kind in wanted or (kind == "integer" and "number" in wanted)
