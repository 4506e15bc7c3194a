"""Jinja templates: what transformers renders, and what is refused with its line."""

from __future__ import annotations

from typing import Any

import pytest

from metier.engines.prompting.jinja import compile_jinja
from metier.errors import InputError

TOOL = {"type": "function", "function": {"name": "f", "description": "a < b & 'c' é"}}


def rendered(text: str, **variables: Any) -> str:
    return compile_jinja(text)(variables)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ 'a' + 'b' }}{{ 'n' ~ 1 ~ none }}", "abn1None"),
        (
            "{% for x in [1, 2, 3] %}\n  {% if x == 2 %}\n{{ x }}!\n  {% endif %}\n{% endfor %}",
            "2!\n",
        ),
        (
            (
                "{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}"
                "{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}"
            ),
            "02",
        ),
        (
            (
                "{% set ns = namespace(n=0) %}"
                "{% for x in [1, 2] %}{% set ns.n = ns.n + x %}{% endfor %}"
                "{{ ns.n }}"
            ),
            "3",
        ),
        (
            "{{ tool | tojson }}",
            '{"type": "function", "function": {"name": "f", "description": "a < b & \'c\' é"}}',
        ),
        ("{{ [1, {'a': none}] | tojson(indent=2) }}", '[\n  1,\n  {\n    "a": null\n  }\n]'),
        ("{{ {'b': 1, 'a': 2} | tojson(separators=(',', ':'), sort_keys=true) }}", '{"a":2,"b":1}'),
        ("{{ tool.function.name }}{{ tool['type'] }}{{ tool.get('x', 'none') }}", "ffunctionnone"),
        ("{{ missing }}{{ missing is defined }}{{ tool.items() | length }}", "False2"),
        ("{{ '  a '.strip().upper() }}{{ 'a,b'.split(',')[1] }}{{ 'abc'[::-1] }}", "Abcba"),
        (
            "{% macro m(x, y='d') %}<{{ x }}{{ y }}>{% endmacro %}{{ m(1) }}{{ m('a', y=2) }}",
            "<1d><a2>",
        ),
        (
            (
                "{% macro tree(n) %}{{ n }}{% if n %}{{ tree(n - 1) }}{% endif %}{% endmacro %}"
                "{{ tree(3) }}"
            ),
            "3210",
        ),
        (
            (
                "{% for a in [[1, [2]], [3]] recursive %}"
                "{% if a is iterable %}({{ loop(a) }}){% else %}{{ a }}{% endif %}{% endfor %}"
            ),
            "(1(2))(3)",
        ),
        (
            "{% for a in 'xyz' %}{{ loop.index }}{{ loop.last }}{{ loop.length }} {% endfor %}",
            "1False3 2False3 3True3 ",
        ),
        ("{% for k, v in tool.items() %}{{ k }};{% endfor %}", "type;function;"),
        ("{% for k in tool %}{{ loop.length }}{{ loop.nextitem }} {% endfor %}", "2function 2 "),
        (
            "{{ [3, 1, 2] | sort | join('-') }}{{ ['a', 'b'] | map('upper') | list }}",
            "1-2-3['A', 'B']",
        ),
        ("{{ [{'r': 'u'}, {'r': 's'}] | selectattr('r', 'equalto', 's') | list }}", "[{'r': 's'}]"),
        ("{{ [{'r': 'u'}, {'r': 's'}] | map(attribute='r') | join(',') }}", "u,s"),
        ("{{ [{'r': {'q': 1}}] | join(', ', attribute='r.q') }}", "1"),
        ("{{ 'a-b' | replace('-', '+') }}{{ ' x ' | trim }}{{ 'x' | center(3) }}|", "a+bx x |"),
        ("{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}", "a\n    b\n\n    c|  a\n  b"),
        (
            "{{ '%s-%03d' | format('a', 7) }}{{ '%s' % 'b' }}{{ '{} {x}'.format(1, x=2) }}",
            "a-007b1 2",
        ),
        ("{{ 2.5 | round }}{{ 7 // 2 }}{{ 2 ** 10 }}{{ 7 % 4 }}{{ 3 * 'ab' }}", "2.0310243ababab"),
        (
            "{{ [1, 2, 3, 4, 5] | batch(2, 0) | list }}{{ [1, 2] | sum }}",
            "[[1, 2], [3, 4], [5, 0]]3",
        ),
        ("{% generation %}a{% endgeneration %}{% if not x %}b{% endif %}", "ab"),
        ("{%- set a, b = 1, 2 -%} {{ a }}{{ b }}{{ (1, 2)[0] }}", "121"),
        ("{{ strftime_now('%Y') | length }}{{ dict(a=1).a }}", "41"),
        ("{% set x %}block{{ 1 }}{% endset %}{{ x | upper }}", "BLOCK1"),
        ("{% filter upper %}ab{% endfilter %}", "AB"),
        ("{{ 'x' in 'xyz' and 1 < 2 <= 2 and not none }}", "True"),
        ("{% block body %}b{% endblock %}{{ self.body() }}", "bb"),
        ("{{ '<b>' | e }}{{ '<b>' | safe }}", "&lt;b&gt;<b>"),
        ("a\n", "a"),
    ],
)
def test_what_templates_use(template: str, expected: str) -> None:
    assert rendered(template, tool=TOOL) == expected


@pytest.mark.parametrize(
    ("template", "line", "said"),
    [
        ("a\nb\n{{ 1 / 0 }}", 3, "division by zero"),
        ("{% for x in y %}", 1, "nexpected end"),
        ("a\n{% nonsense %}", 2, "nonsense"),
        ("\n\n{{ a.b.c }}", 3, "undefined"),
        ("{{ 'a' + 1 }}", 1, "concatenate"),
        ("{% macro m(x) %}\n{{ x.y.z }}\n{% endmacro %}\n{{ m(1) }}", 2, "attribute"),
        ("{{ x | no_such_filter }}", 1, "no_such_filter"),
    ],
)
def test_errors_name_the_line(template: str, line: int, said: str) -> None:
    with pytest.raises(InputError) as caught:
        rendered(template)
    assert caught.value.code == "bad_template"
    assert caught.value.details == {"line": line}
    assert said in caught.value.message
    assert caught.value.remedy


def test_a_refused_conversation_says_why() -> None:
    with pytest.raises(InputError, match="roles must alternate") as caught:
        rendered("{{ raise_exception('roles must alternate') }}")
    assert caught.value.code == "bad_template"
