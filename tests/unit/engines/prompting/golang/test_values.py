"""Truth, length, printing and JSON as Go has them."""

from __future__ import annotations

from typing import Any

import pytest

from metier.engines.prompting.golang.values import (
    Kinds,
    Listed,
    Record,
    Shown,
    go_json,
    kind,
    length,
    text_of,
    truth,
)

RECORD = Record({"A": 1}, {"b": 1, "a": 2})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<no value>"),
        (True, "true"),
        (3, "3"),
        (3.0, "3"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (float("inf"), "+Inf"),
        ("é", "é"),
        ([1, "a"], "[1 a]"),
        ({"b": 1, "a": [2]}, "map[a:[2] b:1]"),
        (Shown({"b": 1, "a": 2}), '{"a":2,"b":1}'),
        (Listed([RECORD]), '[{"b":1,"a":2}]'),
        (RECORD, '{"b":1,"a":2}'),
        (Kinds(["string"]), "string"),
        (Kinds(["string", "null"]), "[string null]"),
    ],
)
def test_printing(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_json_escapes_as_go_does() -> None:
    assert go_json({"a": "<é&>\u2028", "n": None, "f": 2.0}) == (
        '{"a":"\\u003cé\\u0026\\u003e\\u2028","f":2,"n":null}'
    )


def test_truth() -> None:
    assert [truth(value) for value in (0, "", [], {}, None, False, 0.0)] == [False] * 7
    assert all(truth(value) for value in (1, "a", [0], {"a": 0}, True, RECORD))


def test_length_is_in_bytes() -> None:
    assert length("é") == 2
    assert length({"a": 1}) == 1
    with pytest.raises(TypeError, match="int"):
        length(1)


def test_kinds_have_names() -> None:
    assert [kind(value) for value in (None, True, 1, 1.5, "", [], {}, RECORD)] == [
        "nil",
        "bool",
        "int",
        "float64",
        "string",
        "list",
        "map",
        "a record",
    ]
