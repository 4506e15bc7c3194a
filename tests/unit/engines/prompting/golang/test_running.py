"""Statements over values, and the limits."""

from __future__ import annotations

import time
from typing import Any

import pytest

from metier.engines.prompting.golang.functions import FUNCTIONS, LAZY
from metier.engines.prompting.golang.parsing import parse
from metier.engines.prompting.golang.running import run
from metier.engines.prompting.golang.values import Record
from metier.engines.prompting.limits import budgeted
from metier.errors import InputError

DATA: dict[str, Any] = {
    "Name": "n",
    "None": None,
    "List": ["a", "b", "c"],
    "Empty": [],
    "Map": {"y": 2, "x": 1},
    "Record": Record({"Field": {"k": ["v"]}}, {"f": 1}),
}


def written(source: str, data: Any = DATA) -> str:
    tree = parse(source, FUNCTIONS.keys() | LAZY)
    with budgeted():
        return run(tree, tree.body, data)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ .Name }}{{ .Missing }}", "n<no value>"),
        (
            "{{ if .Name }}a{{ else }}b{{ end }}{{ if .Missing }}a{{ else if .List }}c{{ end }}",
            "ac",
        ),
        ("{{ range .List }}{{ . }},{{ end }}", "a,b,c,"),
        ("{{ range $i, $e := .List }}{{ $i }}{{ $e }}{{ end }}", "0a1b2c"),
        ("{{ range $e := .List }}{{ $e }}{{ end }}", "abc"),
        ("{{ range $k, $v := .Map }}{{ $k }}{{ $v }}{{ end }}", "x1y2"),
        (
            "{{ range .Empty }}x{{ else }}none{{ end }}{{ range .None }}x{{ else }}nil{{ end }}",
            "nonenil",
        ),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ('{{ range .List }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}', "ac"),
        ('{{ range .List }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ end }}', "a"),
        (
            "{{ with .Map }}{{ .x }}{{ $.Name }}{{ end }}{{ with .None }}x{{ else }}y{{ end }}",
            "1ny",
        ),
        ("{{ with $x := .Name }}{{ $x }}{{ end }}{{ if $y := .Name }}{{ $y }}{{ end }}", "nn"),
        ('{{ $s := "" }}{{ range .List }}{{ $s = printf "%s%s" $s . }}{{ end }}{{ $s }}', "abc"),
        ("{{ $s := 1 }}{{ if true }}{{ $s := 2 }}{{ end }}{{ $s }}", "1"),
        ("{{ $l := eq (len (slice .List 1)) 2 }}{{ $l }}", "true"),
        ('{{ .Name | printf "%s-%s" "a" | len }}', "3"),
        (
            '{{ and .Name .None .Missing }}{{ or .None .Name }}{{ and 1 2 }}{{ or 0 "" }}',
            "<no value>n2",
        ),
        ("{{ and .None (index .List 9) }}{{ or 1 (index .List 9) }}", "<no value>1"),
        ("{{ .None | or .Empty | not }}", "true"),
        (
            "{{ .Record.Field.k }}{{ index .Record.Field.k 0 }}{{ (index .List 0 | print) }}",
            "[v]va",
        ),
        (
            '{{ define "t" }}<{{ . }}{{ $ }}>{{ end }}{{ template "t" .Name }}{{ template "t" }}',
            "<nn><<no value><no value>>",
        ),
        ('{{ block "b" .Name }}[{{ . }}]{{ end }}', "[n]"),
        (
            "{{ true }}{{ eq nil nil }}{{ 'a' }}{{ 0x10 }}{{ -1.5 }}{{ `r\\n` }}{{ \"\\u00e9\" }}",
            "truetrue9716-1.5r\\né",
        ),
        ("{{ currentDate | len }}", "10"),
        ("{{ .None.Deep.Deeper }}", "<no value>"),
        ("a {{- /* c */ -}} b", "ab"),
    ],
)
def test_statements(source: str, expected: str) -> None:
    assert written(source) == expected


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        ("\n{{ .Name.Deeper }}", "string has no field Deeper", 2),
        ("{{ .Record.Other }}", "no field Other", 1),
        ("a\n\n{{ index .List 7 }}", "index: index 7", 3),
        ("{{ range .Name }}{{ end }}", "range over string", 1),
        ("{{ len 3 }}", "len: len of int", 1),
        ('{{ template "no" }}', "'no' is not defined", 1),
        ("{{ eq .Name }}", "eq", 1),
        ("{{ .Name | .List }}", "takes arguments", 1),
        ("{{ .Name .List }}", "takes arguments", 1),
        ("{{ and }}", "and needs", 1),
        ("{{ not }}", "not: ", 1),
    ],
)
def test_errors_name_line_and_construct(source: str, said: str, line: int) -> None:
    with pytest.raises(InputError, match=said) as caught:
        written(source)
    assert caught.value.code == "bad_template"
    assert caught.value.details == {"line": line}


@pytest.mark.parametrize(
    "source",
    [
        "{{ range 99999 }}{{ range 99999 }}{{ end }}{{ end }}",
        "{{ range 999999999 }}{{ end }}",
        '{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" . }}',
        '{{ $s := "x" }}{{ range 99 }}{{ $s = print $s $s }}{{ end }}',
        '{{ $s := "x" }}{{ range 99 }}{{ $s = printf "%s%s" $s $s }}{{ end }}',
        '{{ range 99999 }}{{ printf "%9999d" 1 }}{{ end }}',
        "{{ range 99999 }}{{ json $.Map }}{{ range 99999 }}{{ json $.Map }}{{ end }}{{ end }}",
        "{{ range 99999 }}" + "x" * 1000 + "{{ end }}",
    ],
)
def test_limits(source: str) -> None:
    start = time.thread_time()
    with pytest.raises(InputError) as caught:
        written(source)
    assert caught.value.code in {"template_too_slow", "template_too_long"}
    assert time.thread_time() - start < 0.5
