"""Reading calls in each notation; what is none is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.engines.prompting.calls import (
    bare,
    call_of,
    calls_of,
    ended_by_json,
    json_end,
    loaded,
    marked,
    read,
    to_the_end,
)

KINDS = {
    "f": {
        "s": {"type": "string"},
        "n": {"type": "integer"},
        "b": {"type": "boolean"},
        "o": {"type": "object"},
        "m": {"type": ["string", "null"]},
        "free": {},
    }
}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"name": "f", "arguments": {"a": 1}}', [("f", {"a": 1})]),
        ('{"name": "f", "parameters": {"a": 1}}', [("f", {"a": 1})]),
        ('{"name": "f", "arguments": "{\\"a\\": 1}"}', [("f", {"a": 1})]),
        ('{"name": "f", "arguments": null}', [("f", {})]),
        ('{"name": "f"}', [("f", {})]),
        ('{"function": {"name": "f", "arguments": {}}, "id": "x"}', [("f", {})]),
        ('{"type": "function", "function": "f", "parameters": {"a": 1}}', [("f", {"a": 1})]),
        ('{"tool_name": "f", "parameters": {}}', [("f", {})]),
        ('[{"name": "f"}, {"name": "g"}]', [("f", {}), ("g", {})]),
        ('{"name": "f"}\n{"name": "g"}', [("f", {}), ("g", {})]),
        ('```json\n{"name": "f"}\n```', [("f", {})]),
        ('{"name": "f", "arguments": {"a": "line\nline"}}', [("f", {"a": "line\nline"})]),
        (
            (
                "<function=f><parameter=s>1</parameter><parameter=n>2</parameter>"
                "<parameter=b>True</parameter><parameter=o>{}</parameter></function>"
            ),
            [("f", {"s": "1", "n": 2, "b": True, "o": {}})],
        ),
        ("<function=f>\n<parameter=m>null</parameter>\n</function>", [("f", {"m": None})]),
        ("<function=f><parameter=m>12</parameter></function>", [("f", {"m": "12"})]),
        ("<function=f><parameter=n>many</parameter></function>", [("f", {"n": "many"})]),
        ("<function=f><parameter=free>[1]</parameter></function>", [("f", {"free": [1]})]),
        ('<function=f>{"a": 1}</function>', [("f", {"a": 1})]),
        ("<function=f></function><function=f></function>", [("f", {}), ("f", {})]),
        ('<invoke name="f"><parameter name="s">x</parameter></invoke>', [("f", {"s": "x"})]),
        ("f\n<arg_key>s</arg_key>\n<arg_value>x</arg_value>", [("f", {"s": "x"})]),
        ("f", [("f", {})]),
        ('f{"a": 1}', [("f", {"a": 1})]),
        ('f.call(s="x", n=2)', [("f", {"s": "x", "n": 2})]),
        ('[f(s="x", n=[1, None]), g()]', [("f", {"s": "x", "n": [1, None]}), ("g", {})]),
        ("", []),
        ("unknown", []),
        ("{", []),
        ('{"name": 3}', []),
        ('{"name": "f", "arguments": [1]}', []),
        ('{"name": "f", "arguments": {"a": NaN}}', []),
        ('[{"name": "f"}, 3]', []),
        ("<function=f><parameter=s>x</parameter> rest", []),
        ("<function=f></function> rest", []),
        ('f.call(s=__import__("os"))', []),
        ('[f(__import__("os"))]', []),
        ("[f(s={1, 2})]", []),
        ("[" * 5000 + "]" * 5000, []),
        ('{"a":' * 5000 + "1" + "}" * 5000, []),
    ],
)
def test_bodies(body: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    assert [(call.name, dict(call.arguments)) for call in read(body, KINDS)] == expected


def test_identities_are_kept() -> None:
    call = call_of({"name": "f", "id": 7})
    assert call is not None
    assert call.id == "7"
    assert calls_of('[{"tool_name": "f", "tool_call_id": "0"}]')[0].id == "0"


def test_where_json_ends() -> None:
    assert json_end('{"a": "}"} x') == 10
    assert json_end('[{"a": "\\"]"}]') == 14
    assert json_end('{"a": "') == -1
    assert json_end("{}}") == 2
    assert json_end("x") == -1


def test_loading_refuses_what_json_does_not_know() -> None:
    broken = loaded("x")
    assert loaded("Infinity") is broken
    assert loaded('"a\tb"') == "a\tb"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.text()
    | st.builds(
        lambda before, value, after: f"{before}{value!r}{after}",
        st.sampled_from(["", "f", "f[ARGS]", "<function=f>", "[f(", '{"name": "f", "arguments":']),
        VALUES,
        st.sampled_from(["", "}", "</function>", ")]", "</tool_call>"]),
    )
)
def test_no_body_raises(body: str) -> None:
    read(body, KINDS)
    for scan in (bare, ended_by_json, to_the_end, marked("</tool_call>"), marked("</f>", "<f")):
        early, late = scan(body, False, KINDS), scan(body, True, KINDS)
        assert late is not None
        assert 0 <= late.used <= len(body)
        assert early is None or early == late


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{}[]":,\\ nameargumtsf1<>/_tolc'), st.integers(0, 40))
def test_a_scan_stays_what_it_is(body: str, cut: int) -> None:
    for scan in (bare, ended_by_json, marked("</tool_call>")):
        early = scan(body[:cut], False, KINDS)
        assert early is None or early == scan(body, False, KINDS)
