"""The functions of the language and of Ollama."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from metier.engines.prompting.golang.functions import FUNCTIONS
from metier.engines.prompting.golang.values import Kinds, Record


def call(name: str, *values: Any) -> Any:
    return FUNCTIONS[name](*values)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("%s-%d", "a", 7), "a-7"),
        (("%5d|%-5d|%05d|%+d", 1, 2, -3, 4), "    1|2    |-0003|+4"),
        (("%.2f|%6.1f|%g", 1.0, 2.25, 3.5), "1.00|   2.2|3.5"),
        (("%q|%v|%t|%%", "a", [1], True), '"a"|[1]|true|%'),
        (("a%*s", 3, ""), "a   "),
        (("%.*f", 1, 2.0), "2.0"),
        (("%x|%X|%c|%T", 255, 255, 65, "a"), "ff|FF|A|string"),
        (("%x", "hi"), "6869"),
        (("%.2s", "abc"), "ab"),
        (("%s", 7), "%!s(int=7)"),
        (("%d", "a"), "%!d(string=a)"),
        (("%s",), "%!s(MISSING)"),
        (("a", 1), "a%!(EXTRA int=1)"),
        (("%v", None), "<nil>"),
    ],
)
def test_printf(arguments: tuple[Any, ...], text: str) -> None:
    assert call("printf", *arguments) == text


def test_print_puts_spaces_between_what_is_no_text() -> None:
    assert call("print", 1, 2, "a", 3, "b") == "1 2a3b"
    assert call("println", 1, "a") == "1 a\n"


def test_comparing() -> None:
    assert call("eq", "a", "b", "a")
    assert call("eq", 1, 1.0)
    assert call("eq", None, None)
    assert not call("eq", None, "a")
    assert call("eq", Kinds(["string"]), "string")
    assert call("ne", "a", "b")
    assert call("lt", 1, 2)
    assert call("le", "a", "a")
    assert call("gt", 2.5, 1)
    assert call("ge", 1, 1)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("eq", ("a",)),
        ("eq", ("a", 1)),
        ("eq", ([1], [1])),
        ("lt", ("a", 1)),
        ("lt", (True, False)),
        ("len", (1,)),
        ("index", (1, 0)),
        ("index", ([1], "a")),
        ("slice", ({"a": 1}, 0)),
        ("printf", (1,)),
        ("printf", ("%*d", "a", 1)),
    ],
)
def test_wrong_values_are_type_errors(name: str, values: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        call(name, *values)


def test_index_and_slice() -> None:
    assert call("index", {"a": [1, 2]}, "a", 1) == 2
    assert call("index", {"a": 1}, "b") is None
    assert call("index", "é", 0) == 0xC3
    assert call("slice", [1, 2, 3], 1) == [2, 3]
    assert call("slice", "abc", 1, 2) == "b"
    for name, values in (("index", ([1], 1)), ("slice", ([1], 2)), ("slice", ("ab", 2, 1))):
        with pytest.raises(LookupError):
            call(name, *values)


def test_widths_are_bounded() -> None:
    with pytest.raises(ValueError, match="width"):
        call("printf", "%99999999d", 1)


def test_dates_json_and_html() -> None:
    assert call("currentDate") == call("currentDate", "%Y") == date.today().isoformat()
    assert call("yesterdayDate") == (date.today() - timedelta(days=1)).isoformat()
    assert call("json", None) == "null"
    assert call("json", {"a": "<"}) == '{"a":"\\u003c"}'
    assert call("html", "<'&\">") == "&lt;&#39;&amp;&#34;&gt;"
    assert call("not", "") is True


def test_typescript_types() -> None:
    def of(*kinds: str) -> Record:
        return Record({"AnyOf": [], "Type": Kinds(kinds)}, {})

    assert call("toTypeScriptType", of("integer")) == "number"
    assert call("toTypeScriptType", of("string", "null")) == "string | null"
    assert call("toTypeScriptType", of("array")) == "any[]"
    assert call("toTypeScriptType", of()) == "any"
    assert call("toTypeScriptType", "x") == "any"
    either = Record({"AnyOf": [of("object"), of("boolean")], "Type": Kinds()}, {})
    assert call("toTypeScriptType", either) == "Record<string, any> | boolean"
