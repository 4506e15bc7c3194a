"""Constraints as fields of a request, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from metier.engines.prompting.constraints import call_schema, constraint_fields, forced_tools
from metier.errors import InputError
from metier.generating import Constraint, Question


def tool(name: str, parameters: Any = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


F = tool("f", {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
G = tool("g")


def test_nothing_asked() -> None:
    assert constraint_fields(Question(tools=(F,))) == {}
    assert constraint_fields(Question(tools=(F,), tool_choice="none")) == {}


def test_json_schema_and_grammar() -> None:
    assert constraint_fields(Question(constraint=Constraint("json"))) == {
        "json_schema": {"type": "object"}
    }
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}}
    assert constraint_fields(Question(constraint=Constraint("schema", schema))) == {
        "json_schema": schema
    }
    grammar = 'root ::= "a"'
    assert constraint_fields(Question(constraint=Constraint("grammar", grammar))) == {
        "grammar": grammar
    }


def test_a_named_tool_is_one_schema() -> None:
    question = Question(tools=(F, G), tool_choice="f")
    assert forced_tools(question) == (F,)
    schema = constraint_fields(question)["json_schema"]
    assert schema["properties"]["name"] == {"const": "f"}
    assert schema["properties"]["arguments"] == F["function"]["parameters"]
    assert schema["required"] == ["name", "arguments"]
    assert schema["additionalProperties"] is False
    assert schema["x-guidance"]["whitespace_flexible"] is False


def test_required_is_any_of_them() -> None:
    schema = constraint_fields(Question(tools=(F, G), tool_choice="required"))["json_schema"]
    assert [option["properties"]["name"]["const"] for option in schema["anyOf"]] == ["f", "g"]
    assert schema["anyOf"][1]["properties"]["arguments"] == {"type": "object"}
    assert call_schema([{"function": 3}])["properties"]["name"] == {"const": ""}


def test_a_definition_inside_parameters_is_found_from_the_top() -> None:
    inner = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/x"}, "b": {"$ref": "#"}},
        "$defs": {"x": {"type": "integer"}},
    }
    schema = call_schema([F, tool("g", inner)])
    assert schema["anyOf"][0]["properties"]["arguments"] == F["function"]["parameters"]
    assert schema["anyOf"][1]["properties"]["arguments"] == {"$ref": "#/$defs/parameters0"}
    moved = schema["$defs"]["parameters0"]
    assert moved["properties"]["a"] == {"$ref": "#/$defs/parameters0/$defs/x"}
    assert moved["properties"]["b"] == {"$ref": "#/$defs/parameters0"}
    assert moved["$defs"]["x"] == {"type": "integer"}


@pytest.mark.parametrize("choice", ["h", "required"])
def test_a_tool_that_is_not_there(choice: str) -> None:
    tools = (F,) if choice == "h" else ()
    with pytest.raises(InputError, match="tool_choice") as caught:
        constraint_fields(Question(tools=tools, tool_choice=choice))
    assert caught.value.code == "bad_tool_choice"


def deep() -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(100):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("schema", "text"),
        ("schema", [1]),
        ("schema", deep()),
        ("schema", {"$ref": "https://example.org/schema"}),
        ("schema", {"anyOf": [{"$ref": "file:///etc/passwd"}]}),
        ("schema", {"const": {1, 2}}),
        ("schema", {"const": float("nan")}),
        ("schema", {"enum": ["x" * 300_000]}),
        ("schema", {"anyOf": [{"type": "array", "minItems": 10**9}]}),
        ("schema", {"type": "array", "maxItems": 1e12}),
        ("grammar", 3),
        ("grammar", "x" * 300_000),
        ("grammar", " %llguidance {}\nstart: /a(/"),
    ],
)
def test_what_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        constraint_fields(Question(constraint=Constraint(kind, value)))
    assert caught.value.code == "bad_grammar"
