"""What an answer must be, as the fields of llama.cpp's completion request; forced calls as schemas.

It knows the request's fields ``json_schema`` and ``grammar``; it knows no grammar's syntax.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from metier.errors import InputError
from metier.generating import Question

MOST_CONSTRAINT = 256 << 10
_MOST_DEPTH = 64
_MOST_ITEMS = 100_000  # the engine unrolls them: a thousand million take its memory
_SPACING = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""Spaces as models write them in calls, and no others: the engine's grammars read this key."""


def forced_tools(question: Question) -> tuple[Mapping[str, Any], ...]:
    """The tools of which one must be called; none if calling is left to the model.

    Raises:
        InputError: ``bad_tool_choice`` if there is no such tool.
    """
    if question.tool_choice in {"auto", "none"}:
        return ()
    if question.tool_choice == "required":
        chosen = tuple(question.tools)
    else:
        chosen = tuple(t for t in question.tools if _name(t) == question.tool_choice)
    if not chosen:
        names = ", ".join(_name(tool) for tool in question.tools) or "none"
        raise InputError(
            f"tool_choice asks for {question.tool_choice!r}, but the tools are: {names}.",
            code="bad_tool_choice",
            remedy="Give the tool in `tools`, or choose auto.",
        )
    return chosen


def constraint_fields(question: Question) -> dict[str, Any]:
    """Fields to add to a completion request, so that the answer is what the question asks for.

    Raises:
        InputError: ``bad_grammar`` (not a schema or grammar, or too large), ``bad_tool_choice``.
    """
    forced = forced_tools(question)
    if forced:
        return {"json_schema": _checked(call_schema(forced))}
    constraint = question.constraint
    if constraint is None:
        return {}
    if constraint.kind == "json":
        return {"json_schema": {"type": "object"}}
    if constraint.kind == "schema":
        return {"json_schema": _checked(constraint.value)}
    if not isinstance(constraint.value, str) or len(constraint.value) > MOST_CONSTRAINT:
        raise _bad(f"a grammar is a text of at most {MOST_CONSTRAINT} characters")
    if constraint.value.lstrip().startswith("%llguidance"):
        # The engine drops one that it cannot build, without a word.
        raise _bad("it is no GBNF")
    return {"grammar": constraint.value}


def call_schema(tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of one call of one of ``tools``; ``calls.calls_of`` reads what fits it.

    Parameters that refer to themselves stand under ``$defs``, and what they refer to moves along.
    """
    definitions: dict[str, Any] = {}
    calls = [_schema(tool, definitions) for tool in tools]
    schema = calls[0] if len(calls) == 1 else {"anyOf": calls}
    schema = {**schema, "$defs": definitions} if definitions else schema
    return {**schema, "x-guidance": dict(_SPACING)}


def _schema(tool: Mapping[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function", tool)
    parameters = function.get("parameters") if isinstance(function, Mapping) else None
    if not isinstance(parameters, Mapping) or not parameters:
        parameters = {"type": "object"}
    _check(parameters)
    moved = f"parameters{len(definitions)}"
    arguments = _moved(parameters, f"#/$defs/{moved}")
    if arguments != parameters:
        definitions[moved] = arguments
        arguments = {"$ref": f"#/$defs/{moved}"}
    return {
        "type": "object",
        "properties": {"name": {"const": _name(tool)}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _moved(schema: Any, place: str) -> Any:
    """A schema whose references to itself still hold when it stands at ``place``."""
    if isinstance(schema, Mapping):
        moved = {key: _moved(value, place) for key, value in schema.items()}
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            moved["$ref"] = place + reference[1:]
        return moved
    return [_moved(item, place) for item in schema] if isinstance(schema, list | tuple) else schema


def _name(tool: Mapping[str, Any]) -> str:
    function = tool.get("function", tool)
    return str(function.get("name", "")) if isinstance(function, Mapping) else ""


def _checked(schema: Any) -> Any:
    """A schema that the engine may see: JSON, of bounded size and depth, closed in itself."""
    _check(schema)
    try:
        size = len(json.dumps(schema, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise _bad(f"it is not JSON: {error}") from error
    if size > MOST_CONSTRAINT:
        raise _bad(f"it is longer than {MOST_CONSTRAINT} characters")
    return schema


def _check(schema: Any) -> None:
    """Refuse what is no schema, too deep, or refers to something outside."""
    if not isinstance(schema, Mapping | bool):
        raise _bad("a schema is a JSON object")
    pending: list[tuple[Any, int]] = [(schema, 1)]
    while pending:
        held, depth = pending.pop()
        if depth > _MOST_DEPTH:
            raise _bad(f"it is nested more than {_MOST_DEPTH} deep")
        if isinstance(held, Mapping):
            reference = held.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                raise _bad(f"$ref {reference[:100]!r} points outside of it")
            for word in ("minItems", "maxItems"):
                items = held.get(word)
                if isinstance(items, int | float) and items > _MOST_ITEMS:
                    raise _bad(f"{word} is over {_MOST_ITEMS:,}")
            pending += [(value, depth + 1) for value in held.values()]
        elif isinstance(held, list | tuple):
            pending += [(value, depth + 1) for value in held]


def _bad(what: str) -> InputError:
    return InputError(
        f"The format of the answer cannot be used: {what}.",
        code="bad_grammar",
        remedy="Give a JSON schema whose $ref stay inside it, or a GBNF grammar.",
    )
