"""A conversation over a Go template, in the ways that Ollama runs one.

A template that names ``.Messages`` runs once; an older one runs once a turn, its last run ending
where ``.Response`` stands. It knows the names that such templates use; it knows no marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from metier.engines.prompting import limits
from metier.engines.prompting.conversation import placed
from metier.engines.prompting.golang.functions import FUNCTIONS, LAZY
from metier.engines.prompting.golang.lexing import bad
from metier.engines.prompting.golang.parsing import parse
from metier.engines.prompting.golang.running import run
from metier.engines.prompting.golang.tree import (
    Branch,
    Chain,
    Command,
    Dot,
    Output,
    Pipeline,
    Statement,
    fields_of,
)
from metier.engines.prompting.golang.values import Kinds, Listed, Record, Shown
from metier.generating import Message, ToolCall

_RESPONSE = Output(Pipeline((Command((Chain(Dot(), ("Response",), 1),), 1),), 1))


class GoTemplate:
    """A compiled Go template.

    Raises:
        InputError: ``bad_template``, with the line and the construct.
    """

    def __init__(self, text: str) -> None:
        with limits.budgeted(limits.MOST_COMPILING):
            self._tree = parse(text, FUNCTIONS.keys() | LAZY)
        self._body = self._tree.body
        if not {"messages", "response"} & self._tree.names:
            self._body = (*self._body, _RESPONSE)

    @property
    def names(self) -> frozenset[str]:
        """Fields and variables that it names, in lower case."""
        return self._tree.names

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        think: bool | str | None = None,
    ) -> str:
        """The prompt of a conversation; an assistant's message at its end is continued."""
        system, together = collated(messages)
        with limits.budgeted():
            try:
                if "messages" in self.names:
                    return self._whole(system, together, tools, think)
                return self._by_turns(together, think)
            except RecursionError as error:
                raise bad("values are nested too deeply", 1) from error

    def fill(self, prompt: str, suffix: str, think: bool | str | None = None) -> str:
        """The prompt that asks for what stands between ``prompt`` and ``suffix``."""
        data = {"Prompt": prompt, "Suffix": suffix, "Response": "", **_thinking(think)}
        with limits.budgeted():
            return run(self._tree, self._body, data)

    def _whole(
        self,
        system: str,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]],
        think: bool | str | None,
    ) -> str:
        data = {
            "System": system,
            "Messages": [_message(message) for message in messages],
            "Tools": Listed(_tool(tool) for tool in tools) if tools else None,
            "Response": "",
            **_thinking(think),
        }
        return run(self._tree, self._body, data)

    def _by_turns(self, messages: Sequence[Message], think: bool | str | None) -> str:
        parts: list[str] = []
        held = {"System": "", "Prompt": "", "Response": ""}
        size = 0
        for message in messages:
            said = held["Prompt"] or held["Response"]
            if (message.role == "system" and said) or (message.role == "user" and held["Response"]):
                parts.append(run(self._tree, self._body, {**held, **_thinking(think)}))
                held = dict.fromkeys(held, "")
                size = limits.short(size + len(parts[-1]))
            name = {"system": "System", "user": "Prompt", "assistant": "Response"}.get(message.role)
            if name is not None:
                held[name] = placed(message)
        parts.append(run(self._tree, self._opened, {**held, **_thinking(think)}))
        text = "".join(parts)
        if len(text) > limits.MOST_OUTPUT:
            raise limits.too_long(f"a prompt of more than {limits.MOST_OUTPUT} characters")
        return text

    @cached_property
    def _opened(self) -> tuple[Statement, ...]:
        """The statements up to the first output of ``.Response``."""
        return _until_response(self._body)[0]


def _until_response(statements: tuple[Statement, ...]) -> tuple[tuple[Statement, ...], bool]:
    kept: list[Statement] = []
    for statement in statements:
        if isinstance(statement, Output) and "Response" in fields_of(statement.pipeline):
            return (*kept, statement), True
        if isinstance(statement, Branch):
            body, cut = _until_response(statement.body)
            otherwise: tuple[Statement, ...] = ()
            if not cut:
                otherwise, cut = _until_response(statement.otherwise)
            kept.append(replace(statement, body=body, otherwise=otherwise))
            if cut:
                return tuple(kept), True
        else:
            kept.append(statement)
    return tuple(kept), False


def collated(messages: Sequence[Message]) -> tuple[str, tuple[Message, ...]]:
    """All system texts, and the messages with neighbours of one role joined (not tools')."""
    system = [message.text for message in messages if message.role == "system"]
    together: list[Message] = []
    for message in messages:
        last = together[-1] if together else None
        if last is None or last.role != message.role or message.role == "tool":
            together.append(message)
            continue
        together[-1] = replace(
            last,
            text=f"{_marked(last)}\n\n{_marked(message)}",
            thinking=last.thinking or message.thinking,
            pictures=last.pictures + message.pictures,
            tool_calls=last.tool_calls + message.tool_calls,
        )
    return "\n\n".join(system), tuple(together)


def _marked(message: Message) -> str:
    """A text in which each of its pictures has its place, so that it can be joined to another."""
    missing = len(message.pictures) - message.text.count("[img]")
    return "[img]" * max(0, missing) + message.text


def _thinking(think: bool | str | None) -> dict[str, Any]:
    level = think if isinstance(think, str) else "medium" if think else ""
    return {"Think": bool(think), "ThinkLevel": level, "IsThinkSet": think is not None}


def _message(message: Message) -> Record:
    text = placed(message)
    return Record(
        {
            "Role": message.role,
            "Content": text,
            "Thinking": message.thinking,
            "Images": [""] * len(message.pictures),
            "ToolCalls": [_call(i, call) for i, call in enumerate(message.tool_calls)],
            "ToolName": message.tool_name,
            "ToolCallID": message.tool_call_id,
        },
        {"role": message.role, "content": text},
    )


def _call(index: int, call: ToolCall) -> Record:
    arguments = Shown(call.arguments)
    function = Record(
        {"Index": index, "Name": call.name, "Arguments": arguments},
        {"index": index, "name": call.name, "arguments": arguments},
    )
    return Record({"ID": call.id, "Function": function}, {"id": call.id, "function": function})


def _tool(tool: Mapping[str, Any]) -> Record:
    held = tool.get("function")
    function = held if isinstance(held, Mapping) else {}
    described = _function(function)
    kind = str(tool.get("type", "function"))
    return Record(
        {"Type": kind, "Items": tool.get("items"), "Function": described},
        {"type": kind, "function": described},
    )


def _function(function: Mapping[str, Any]) -> Record:
    name, described = str(function.get("name", "")), str(function.get("description") or "")
    given = function.get("parameters")
    parameters = given if isinstance(given, Mapping) else {}
    properties = _properties(parameters.get("properties"))
    required = parameters.get("required")
    fields = {
        "Type": str(parameters.get("type") or "object"),
        "Defs": parameters.get("$defs"),
        "Items": parameters.get("items"),
        "Required": list(required) if isinstance(required, list | tuple) else [],
        "Properties": properties,
    }
    names = {"Type": "type", "Defs": "$defs", "Items": "items", "Required": "required"}
    shown = {names[key]: value for key, value in fields.items() if key in names and value}
    rest = {k: v for k, v in parameters.items() if k not in {*names.values(), "properties"}}
    schema = Record(fields, {**shown, "properties": properties, **rest})
    return Record(
        {"Name": name, "Description": described, "Parameters": schema},
        {"name": name, "description": described, "parameters": schema},
    )


def _properties(given: Any) -> Shown:
    held = given if isinstance(given, Mapping) else {}
    return Shown({str(name): _property(schema) for name, schema in held.items()})


def _property(given: Any) -> Record:
    schema = given if isinstance(given, Mapping) else {}
    kinds = schema.get("type")
    held = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list | tuple) else []
    choices = schema.get("anyOf")
    several = choices if isinstance(choices, list | tuple) else []
    inner = schema.get("properties")
    fields: dict[str, Any] = {
        "AnyOf": [_property(item) for item in several],
        "Type": Kinds(str(item) for item in held),
        "Items": schema.get("items"),
        "Description": str(schema.get("description") or ""),
        "Enum": list(schema["enum"]) if isinstance(schema.get("enum"), list | tuple) else [],
        "Properties": _properties(inner) if isinstance(inner, Mapping) else None,
        "Required": schema.get("required") or [],
    }
    names = ("AnyOf", "Type", "Items", "Description", "Enum", "Properties", "Required")
    keys = [name[0].lower() + name[1:] for name in names]
    shown = {key: fields[name] for key, name in zip(keys, names, strict=True) if fields[name]}
    return Record(fields, {**shown, **{k: v for k, v in schema.items() if k not in keys}})
