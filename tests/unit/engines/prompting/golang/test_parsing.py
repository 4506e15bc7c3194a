"""Grammar, scopes and nesting: what is refused says the line and the construct."""

from __future__ import annotations

import pytest

from metier.engines.prompting.golang.functions import FUNCTIONS, LAZY
from metier.engines.prompting.golang.parsing import parse
from metier.engines.prompting.golang.tree import Branch, Output, Tree, Written
from metier.errors import InputError


def tree(source: str) -> Tree:
    return parse(source, FUNCTIONS.keys() | LAZY)


def test_names_are_collected_in_lower_case() -> None:
    found = tree("{{ if .System }}{{ range $i, $m := $.Messages }}{{ $m.Role }}{{ end }}{{ end }}")
    assert {"system", "messages", "role"} <= found.names


def test_statements() -> None:
    found = tree("a{{ .B }}{{ with .C }}x{{ else with .D }}y{{ else }}z{{ end }}")
    text, output, branch = found.body
    assert isinstance(text, Written)
    assert isinstance(output, Output)
    assert isinstance(branch, Branch)
    assert branch.kind == "with"
    assert isinstance(branch.otherwise[0], Branch)


def test_definitions_stand_apart() -> None:
    found = tree('{{ define "t" }}a{{ end }}{{ block "u" . }}b{{ end }}')
    assert set(found.defined) == {"t", "u"}
    assert len(found.body) == 1


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        ("{{ if .A }}\nx", "not closed", 1),
        ("a\n{{ end }}", "end without a block", 2),
        ("{{ else }}", "else without a block", 1),
        ("{{ if .A }}{{ else }}{{ else }}{{ end }}", "not closed", 1),
        ("{{ if .A }}{{ else range .B }}{{ end }}", "else range", 1),
        ("{{ }}", "empty", 1),
        ("{{ if }}x{{ end }}", "missing", 1),
        ("{{ .A | }}", "missing", 1),
        ("{{ nonsense .A }}", "nonsense is not known", 1),
        ("{{ $x }}", r"\$x is not declared", 1),
        ("{{ $x = 1 }}", r"\$x is not declared", 1),
        ("{{ if .A }}{{ $x := 1 }}{{ end }}\n{{ $x }}", "not declared", 2),
        ("{{ range $a, $b, $c := .A }}{{ end }}", "not declared|not expected", 1),
        ("{{ (.A }}", "bracket is not closed", 1),
        ("{{ .A ) }}", "not expected", 1),
        ('{{ "a" "b" }}', "takes arguments", 1),
        ("{{ .A | 1 }}", "before", 1),
        ("{{ break }}", "outside of a range", 1),
        ("{{ range .A }}{{ continue 1 }}{{ end }}", "outside", 1),
        ("{{ template .A }}", "name in quotes", 1),
        ('{{ "\\q" }}', "escape", 1),
        ('{{ "\\uD800" }}', "no character", 1),
        ("{{ 99999999999999999999 }}", "too large", 1),
        ("{{ 1.A }}", "constant has no field|not expected|space is missing", 1),
        ("{{ end", "not closed", 1),
        ("{{ if .A }}" * 99 + "{{ end }}" * 99, "inside each other", 1),
        ("{{ " + "(" * 99 + ".A" + ")" * 99 + " }}", "inside each other", 1),
        ("{{ if .A }}" + "{{ else if .A }}" * 99 + "{{ end }}", "in a row|inside each other", 1),
    ],
)
def test_what_is_not_valid(source: str, said: str, line: int) -> None:
    with pytest.raises(InputError, match=said) as caught:
        tree(source)
    assert caught.value.code == "bad_template"
    assert caught.value.details == {"line": line}
