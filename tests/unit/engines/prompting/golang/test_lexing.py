"""Text, actions, trimming and comments."""

from __future__ import annotations

import pytest

from metier.engines.prompting.golang.lexing import Action, Text, lex
from metier.errors import InputError


def shape(source: str) -> list[object]:
    """Texts as they are, actions as lists of their words."""
    return [
        item.text if isinstance(item, Text) else [word.text for word in item.words]
        for item in lex(source)
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", []),
        ("plain } {", ["plain } {"]),
        ("a {{ .B }} c", ["a ", [".B"], " c"]),
        ("a {{- .B -}} \n c", ["a", [".B"], "c"]),
        ("a \n {{- /* note */ -}} \n c", ["a", "c"]),
        ("a {{/* note }} */}} c", ["a ", " c"]),
        ("{{-3}}", [["-3"]]),
        ("{{ `raw }} \\n` | len }}", [["`raw }} \\n`", "|", "len"]]),
        ('{{ "a}}\\"b" }}', [['"a}}\\"b"']]),
        ("{{$x:=.A.B}}", [["$x", ":=", ".A", ".B"]]),
        ("{{ (index .A 0).B }}", [["(", "index", ".A", "0", ")", ".B"]]),
        ("{{ 'x' 1.5e3 0x1F . $ }}", [["'x'", "1.5e3", "0x1F", ".", "$"]]),
        ("{{.A -}} b {{- .C}}", [[".A"], "b", [".C"]]),
    ],
)
def test_texts_and_words(source: str, expected: list[object]) -> None:
    assert shape(source) == expected


def test_lines_are_counted() -> None:
    actions = [
        item
        for item in lex("\n{{ .A }}\n\n{{\n.B }}{{/* \n\n */}}{{ .C }}")
        if isinstance(item, Action)
    ]
    assert [action.line for action in actions] == [2, 4, 7]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a\n{{ .A", "not closed"),
        ('{{ "a\nb" }}', "not expected"),
        ("{{ /* a }}", "comment"),
        ("{{/* a */ .B }}", "comment"),
        ("{{ ` }}", "not expected"),
        ("{{ & }}", "not expected"),
    ],
)
def test_what_is_not_valid(source: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        list(lex(source))
    assert caught.value.code == "bad_template"
    assert caught.value.details["line"] >= 1
