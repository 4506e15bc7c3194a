"""Templates that attack: each is refused within the time, and nothing of Python is reached."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from metier.engines.prompting.jinja import compile_jinja
from metier.errors import InputError

DOUBLING = (
    "{%% set n = namespace(v=%s) %%}{%% for i in range(99) %%}{%% set n.v = %s %%}{%% endfor %%}"
)
ESCAPES = {
    "class of a text": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "class by subscript": "{{ ''['__class__']['__mro__'] }}",
    "globals of a function (CVE-2024-34359)": (
        "{% for x in ().__class__.__base__.__subclasses__() %}{% if 'warning' in x.__name__ %}"
        "{{ x()._module.__builtins__['__import__']('os').popen('id').read() }}"
        "{% endif %}{% endfor %}"
    ),
    "globals of raise_exception": "{{ raise_exception.__globals__['sys'] }}",
    "globals of range's sandbox": "{{ range.__init__.__globals__ }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "joiner": "{{ joiner.__init__.__globals__.os }}",
    "namespace": "{{ namespace.__init__.__globals__ }}",
    "namespace instance": "{{ namespace(a=1)._Namespace__attrs }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "lipsum bomb": "{{ lipsum(n=1000000) }}",
    "self": "{{ self._TemplateReference__context.environment }}",
    "self init": "{{ self.__init__.__globals__.__builtins__ }}",
    "environment of a macro": "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "function of a macro": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "loop context": "{% for x in [1] %}{{ loop._iterator.gi_frame }}{% endfor %}",
    "format reaches attributes": "{{ '{0.__class__.__init__}'.format(namespace(a=1)) }}",
    "format_map": "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "format by attr filter (CVE-2024-56326)": "{{ ('{0.__class__}' | attr('format'))(1) }}",
    "format by map": "{{ ['{0.__class__}'] | map('format', 1) | map('attr', '__class__') | list }}",
    "format held in a variable": "{% set f = '{0.__class__}'.format %}{{ f(raise_exception) }}",
    "attr filter": "{{ '' | attr('__class__') }}",
    "attribute of map": "{{ [''] | map(attribute='__class__') | first | attr('__mro__') }}",
    "attribute of sort": "{{ ['']|sort(attribute='__class__.__mro__.x')|first }}{{ 1/0 }}",
    "undefined": "{{ x.__class__.__init__.__globals__ }}",
    "generator frame": "{% set g = [1]|map('string') %}{{ g.gi_frame.f_globals }}",
    "import": "{% import 'os' as os %}",
    "include": "{% include '/etc/passwd' %}",
    "extends": "{% extends 'x' %}",
    "changing a list": "{{ [1].append(2) }}",
    "changing a dict": "{{ {}.update({1: 2}) }}",
    "encode": "{{ 'a'.encode('utf-16') }}",
    "to_bytes": "{{ (1).to_bytes(1000000000, 'big') }}",
    "debug": "{% debug %}",
    "urlize": "{{ ('a.' * 1000) | urlize }}",
    "pprint": "{{ 1 | pprint }}",
    "xmlattr (CVE-2024-34064)": "{{ {'a b': 1} | xmlattr }}",
}
BOMBS = {
    "range": "{% for i in range(10**9) %}{% endfor %}",
    "nested ranges": (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    ),
    "filtered loop": (
        "{% for i in range(99999) %}{% for j in range(99999) if j < 0 %}{% endfor %}{% endfor %}"
    ),
    "recursive loop": (
        "{% for i in [1] recursive %}{% if loop.depth < 9 %}{{ loop(range(99999)) }}{% endif %}"
        "{% endfor %}"
    ),
    "text times": "{{ 'a' * 10**10 }}",
    "list times": "{{ [1] * 10**10 }}",
    "list of lists times": "{{ [[1] * 1000] * 10**4 }}",
    "tuple times": "{{ (1, 2) * 10**9 }}",
    "power": "{{ 10**(10**10) }}",
    "power of powers": "{{ (2**4000)**4000 }}",
    "doubling text": DOUBLING % ("'x'", "n.v + n.v"),
    "doubling text by ~": DOUBLING % ("'x'", "n.v ~ n.v"),
    "doubling text by join": DOUBLING % ("'x'", "[n.v, n.v] | join"),
    "doubling text by format": DOUBLING % ("'x'", "'%s%s' % (n.v, n.v)"),
    "doubling text by format()": DOUBLING % ("'x'", "'{0}{0}'.format(n.v)"),
    "doubling text by the filter": DOUBLING % ("'x'", "'%s%s' | format(n.v, n.v)"),
    "doubling text by replace": DOUBLING % ("'x'", "n.v.replace('x', 'xx')"),
    "doubling text by the replace filter": DOUBLING % ("'x'", "n.v | replace('x', 'xx')"),
    "doubling list": DOUBLING % ("[1]", "n.v + n.v"),
    "doubling by nesting": DOUBLING % ("[1]", "[n.v, n.v]"),
    "doubling dicts": DOUBLING % ("[1]", "{'a': n.v, 'b': n.v}"),
    "doubling dict()": DOUBLING % ("[1]", "dict(a=n.v, b=n.v)"),
    "doubling tuples": DOUBLING % ("(1,)", "(n.v, n.v)"),
    "deep nesting": DOUBLING % ("[1]", "[n.v]"),
    "comparing shared lists": (
        "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}"
        "{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}"
    ),
    "repeated comparison": (
        "{% set a = range(99999) | list %}{% set b = range(99999) | list %}"
        + "{% if a == b %}{% endif %}" * 3000
    ),
    "repeated slices": "{% set a = range(99999) | list %}" + "{% set b = a[:] %}" * 2500,
    "sum of lists": "{{ [[1]] | sum(start=[]) }}",
    "width in %": "{{ '%1000000000d' % 1 }}",
    "width by star": "{{ '%*d' % (1000000000, 1) }}",
    "width in the format filter": "{{ '%1000000000d' | format(1) }}",
    "width in format()": "{{ '{:1000000000}'.format(1) }}",
    "width in format() by argument": "{{ '{:{}}'.format(1, 1000000000) }}",
    "center": "{{ 'a' | center(10**10) }}",
    "ljust": "{{ 'a'.ljust(10**10) }}",
    "zfill": "{{ 'a'.zfill(10**10) }}",
    "indent": "{{ 'a\nb' | indent(10**10) }}",
    "json indent": "{{ [[1]] | tojson(indent=10**9) }}",
    "json indent text": "{{ [[1]] * 9999 | tojson(indent='x' * 99999) }}",
    "batch": "{{ [1] | batch(10**9, 0) | list }}",
    "slice filter": "{{ [1] | slice(10**9) | list }}",
    "join of a generator": "{{ range(99999) | map('string') | map('center', 9999) | join }}",
    "join method": "{{ ''.join(range(99999) | map('string') | map('center', 9999)) }}",
    "joining by a long separator": "{{ range(99999) | join('x' * 99999) }}",
    "replace nothing": "{{ ('a' * 99999).replace('', 'b' * 99999) }}",
    "endless round": "{{ 1 | round(-10**9) }}",
    "strip by many characters": "{{ ('a' * 2000000).strip('b' * 2000000 ~ 'a') }}",
    "rfind": "{{ ('a' * 2000000).rfind('b' ~ 'a' * 1000000) }}",
    "macro recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "macro fan": (
        "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(50) }}"
    ),
    "mutual macros": (
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}"
    ),
    "caller recursion": (
        "{% macro m() %}{{ caller() }}{% call m() %}x{% endcall %}{% endmacro %}"
        "{% call m() %}x{% endcall %}"
    ),
    "block recursion": "{% block a %}{{ self.a() }}{% endblock %}",
    "captured blocks": (
        "{% set x %}{% for i in range(99999) %}{{ 'a' * 9999 }}{% endfor %}{% endset %}"
    ),
    "long output": "{% for i in range(99999) %}{{ 'a' * 9999 }}{% endfor %}",
    "long data": "{% for i in range(99999) %}" + "a" * 1000 + "{% endfor %}",
    "many texts": "".join(f"{{% set a{i} = 'x' * 1999999 ~ '{i}' %}}" for i in range(900)),
    "sort": "{% for i in range(9999) %}{% set a = range(99999) | sort(reverse=true) %}{% endfor %}",
    "unique": "{% for i in range(9999) %}{% set a = range(99999) | unique | list %}{% endfor %}",
    "tests": (
        "{% for i in range(9999) %}{{ range(99999) | select('odd') | list | length }}{% endfor %}"
    ),
    "loop.cycle": "{% for i in range(99999) %}{{ loop.cycle('a' * 9999, 'b' * 9999) }}{% endfor %}",
    "namespace as an iterable": "{{ namespace([1, 2]) }}",
}


def outcome(template: str) -> str:
    """The code of the error, or what was rendered."""
    try:
        return compile_jinja(template)({"messages": []})
    except InputError as error:
        return error.code


@pytest.mark.parametrize("name", ESCAPES)
def test_no_way_out(name: str) -> None:
    assert outcome(ESCAPES[name]) in {"bad_template", "template_too_long", ""}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_stopped(name: str) -> None:
    start = time.thread_time()
    assert outcome(BOMBS[name]) in {"bad_template", "template_too_slow", "template_too_long"}
    assert time.thread_time() - start < 1.5


def test_the_clock_stops_a_loop_in_any_thread() -> None:
    found: list[tuple[str, float]] = []

    def work() -> None:
        start = time.thread_time()
        code = outcome(BOMBS["nested ranges"])
        found.append((code, time.thread_time() - start))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found[0][0] == "template_too_slow"
    assert found[0][1] < 0.3


NESTED = {
    "brackets": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "lists": "{{ " + "[" * 20_000 + "]" * 20_000 + " }}",
    "not": "{{ " + "not " * 20_000 + "1 }}",
    "sums": "{{ " + "1+" * 30_000 + "1 }}",
    "minus": "{{ " + "-" * 50_000 + "1 }}",
    "filters": "{{ 1" + "|abs" * 20_000 + " }}",
    "attributes": "{{ a" + ".b" * 30_000 + " }}",
    "ifs": "{% if 1 %}" * 5_000 + "{% endif %}" * 5_000,
    "elifs": "{% if 0 %}" + "{% elif 0 %}" * 9_000 + "{% endif %}",
    "conditionals": "{{ " + "1 if 0 else " * 9_000 + "1 }}",
    "loops": "{% for a in b %}" * 4_000 + "{% endfor %}" * 4_000,
    "macros": "{% macro a() %}" * 4_000 + "{% endmacro %}" * 4_000,
    "open actions": "{{ " * 40_000,
    "open comments": "{#" * 60_000,
    "spaces": " " * 60_000 + "{%" + " " * 60_000,
    "lines": "\n{%- if 1 -%}\n" * 4_000,
    "quotes": "{{ '" + "\\'" * 60_000,
    "numbers": "{{ 1" + "_1" * 60_000 + " }}",
    "raw": "{% raw %}" * 12_000,
}


@pytest.mark.parametrize("name", NESTED)
def test_nesting_neither_crashes_nor_hangs(name: str) -> None:
    start = time.thread_time()
    with pytest.raises(InputError):
        compile_jinja(NESTED[name])({})
    assert time.thread_time() - start < 4


def test_nested_templates_do_not_end_the_process() -> None:
    program = (
        "import sys\n"
        "from metier.engines.prompting.jinja import compile_jinja\n"
        "from metier.errors import MetierError\n"
        "for line in sys.stdin.read().split('\\0'):\n"
        "    try:\n"
        "        compile_jinja(line)({})\n"
        "    except MetierError as error:\n"
        "        pass\n"
        "sys.stdout.write('alive')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        input="\0".join(NESTED.values()),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert result.stdout == "alive"
