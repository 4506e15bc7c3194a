"""Jinja chat templates, rendered as ``transformers.apply_chat_template`` renders them, but bounded.

The environment is Jinja's immutable sandbox without a loader, without the filters and functions
that no chat template needs, and with everything that can repeat or grow counted against the budget
of ``metier.engines.prompting.limits``. It knows no conversation: variables come from outside.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from metier.engines.prompting import limits
from metier.engines.prompting.limits import (
    MOST_BITS,
    MOST_RANGE,
    Counted,
    bounded,
    short,
    spend,
    too_long,
    weigh,
)
from metier.errors import InputError

_LOOP = "for each"
_KEPT_FILTERS = (
    "abs capitalize count d default dictsort e escape first float forceescape groupby indent int "
    "items last length list lower map max min reject rejectattr reverse round safe select "
    "selectattr sort title trim truncate unique upper"
)
_KEPT_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        "capitalize casefold center count endswith find format index isalnum isalpha isascii "
        "isdecimal isdigit islower isnumeric isspace istitle isupper join ljust lower lstrip "
        "partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip "
        "split splitlines startswith strip swapcase title upper zfill".split()
    ),
    dict: frozenset({"copy", "get", "items", "keys", "values"}),
    list: frozenset({"copy", "count", "index"}),
    tuple: frozenset({"count", "index"}),
    int: frozenset({"bit_length"}),
    float: frozenset({"is_integer"}),
    range: frozenset({"start", "stop", "step", "count", "index"}),
}
_WIDE = re.compile(r"\d{4}|\*")
_WIDE_FIELD = re.compile(r"\{[^{}]*:[^{}]*(?:\{|\d{4})")


class Refusal(Exception):
    """What a template says with ``raise_exception``: the conversation is not one it can render."""


class _Generation(Extension):
    """``{% generation %}`` marks what an assistant said, for training; here it only renders."""

    tags = {"generation"}

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class _Counting(CodeGenerator):
    """Compiles what the sandbox does not intercept into calls that count."""

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        self.write("(environment.step() or ")
        super().visit_Compare(node, frame)
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        self.write("(environment.step() or ")
        super().visit_Getitem(node, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.chained(")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self._built(super().visit_List, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx == "load":
            self._built(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self._built(super().visit_Dict, node, frame)

    def _built(self, visit: Callable[[Any, Frame], None], node: nodes.Expr, frame: Frame) -> None:
        self.write("environment.built(")
        visit(node, frame)
        self.write(")")


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, counting."""

    code_generator_class = _Counting
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            extensions=[_Generation, "jinja2.ext.loopcontrols"],
            finalize=_written,
            cache_size=0,
        )
        self.concat = _concatenated  # type: ignore[assignment]
        self.built = bounded
        self.chained = _chained
        self.step = spend
        self.globals = {
            "range": _range,
            "dict": dict,
            "namespace": Namespace,
            "raise_exception": _refuse,
            "strftime_now": _now,
        }
        self.filters = {name: _guarded(FILTERS[name]) for name in _KEPT_FILTERS.split()}
        self.filters.update(
            {
                _LOOP: Counted,
                "tojson": _json,
                "join": _guarded(_join),
                "sum": _guarded(_sum),
                "string": _guarded(_string),
                "format": _guarded(_percent),
                "replace": _guarded(_replace),
                "center": _guarded(_center),
                "batch": _guarded(_batch),
                "list": _guarded(_list),
            }
        )
        self.tests = {name: _guarded(test) for name, test in self.tests.items()}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _LOOP, [], [], None, None, lineno=loop.lineno)
        for node in tree.find_all(nodes.Node):
            if node.environment is None:
                node.environment = self
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, kept in _KEPT_METHODS.items():
            if isinstance(obj, kind):
                return attr in kept
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None
        pattern = str(value.__self__)

        def fill(*args: Any, **kwargs: Any) -> str:
            if _WIDE_FIELD.search(pattern):
                raise too_long("a text with a field that is too wide")
            largest = max((weigh(item) for item in (*args, *kwargs.values())), default=0)
            short(len(pattern) + pattern.count("{") * (largest + 1000))
            return wrapped(*args, **kwargs)

        return fill

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        spend()
        check = _OPERATORS[operator]
        check(left, right)
        return bounded(self.binop_table[operator](left, right))

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        spend(2)
        if isinstance(obj, Macro | LoopContext):
            budget = limits.current()
            budget.look()
            if isinstance(obj, LoopContext):
                args = tuple(Counted(item) for item in args)
            with budget.deeper():
                return bounded(super().call(context, obj, *args, **kwargs))
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            args = _check_method(owner, obj.__name__, args)
        return bounded(super().call(context, obj, *args, **kwargs))


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or test whose work and result are counted; what Jinja passes to it stays."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        spend(4)
        result = function(*args, **kwargs)
        return result if isinstance(result, bool) else bounded(result)

    return guarded


def _written(value: Any) -> Any:
    """What stands between ``{{`` and ``}}``, before it is made a text."""
    spend()
    if not isinstance(value, str):
        weigh(value)
    return value


def _concatenated(parts: Iterable[str]) -> str:
    held = list(parts)
    short(sum(map(len, held)))
    return "".join(held)


def _chained(*parts: Any) -> Any:
    """The operator ``~``."""
    spend()
    for part in parts:
        weigh(part)
    texts = [part if isinstance(part, str) else str(part) for part in parts]
    short(sum(map(len, texts)))
    return "".join(texts)


def _plus(left: Any, right: Any) -> None:
    if isinstance(left, str) and isinstance(right, str):
        short(len(left) + len(right))


def _times(left: Any, right: Any) -> None:
    for held, count in ((left, right), (right, left)):
        if isinstance(count, int) and isinstance(held, str | list | tuple):
            weight = weigh(held)
            if count > 0 and weight * count > 2 * limits.MOST_OUTPUT:
                raise too_long("a repetition that is too long")
            if not isinstance(held, str) and len(held) * count > limits.MOST_ITEMS:
                raise too_long("a repetition that is too long")
    if isinstance(left, int) and isinstance(right, int):
        _few_bits(left.bit_length() + right.bit_length())


def _power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _few_bits(left.bit_length() * abs(right))


def _few_bits(bits: int) -> None:
    if bits > MOST_BITS:
        raise too_long("a number that is too large")


def _modulo(left: Any, right: Any) -> None:
    if isinstance(left, str):
        if _WIDE.search(left):
            raise too_long("a text with a field that is too wide")
        short(len(left) + left.count("%") * (weigh(right) + 1000))


_OPERATORS: Mapping[str, Callable[[Any, Any], None]] = {
    "+": _plus,
    "*": _times,
    "**": _power,
    "%": _modulo,
}


def _check_method(owner: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a text's method that would make too long a text; generators become lists."""
    if name in {"center", "ljust", "rjust", "zfill"} and args and isinstance(args[0], int):
        short(args[0])
    elif name == "replace" and len(args) > 1:
        _short_replacement(owner, args[0], args[1])
    elif name == "join" and args:
        items = list(Counted(args[0]))
        short(sum(weigh(item) for item in items) + len(owner) * len(items))
        return (items, *args[1:])
    return args


def _short_replacement(text: str, old: Any, new: Any) -> None:
    if isinstance(old, str) and isinstance(new, str):
        found = text.count(old) if old else len(text) + 1
        short(len(text) + found * max(0, len(new) - len(old)))


def _join(value: Any, d: Any = "", attribute: Any = None) -> str:
    items = list(Counted(value))
    if attribute is not None:
        for part in str(attribute).split("."):
            items = [_field(item, part) for item in items]
    separator = _string(d)
    texts = []
    total = 0
    for item in items:
        texts.append(_string(item))
        total = short(total + len(texts[-1]) + len(separator))
    return separator.join(texts)


def _field(item: Any, name: str) -> Any:
    if isinstance(item, Mapping):
        return item.get(name, "")
    if isinstance(item, list | tuple) and name.isdigit() and int(name) < len(item):
        return item[int(name)]
    return ""


def _sum(iterable: Any, attribute: Any = None, start: Any = 0) -> Any:
    total = start
    for item in Counted(iterable):
        value = item if attribute is None else _field(item, str(attribute))
        if not isinstance(value, int | float) or not isinstance(total, int | float):
            raise TypeError("sum takes numbers")
        total = bounded(total + value)
    return total


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    weigh(value)
    return str(value)


def _percent(value: Any, *args: Any, **kwargs: Any) -> str:
    pattern = _string(value)
    filling: Any = kwargs or args
    _modulo(pattern, list(filling.values()) if kwargs else list(filling))
    return pattern % filling


def _replace(s: Any, old: Any, new: Any, count: int | None = None) -> str:
    text = _string(s)
    _short_replacement(text, str(old), str(new))
    return text.replace(str(old), str(new), -1 if count is None else count)


def _center(value: Any, width: int = 80) -> str:
    return _string(value).center(short(width))


def _batch(value: Any, linecount: int, fill_with: Any = None) -> list[list[Any]]:
    if not 0 < linecount <= 10_000:
        raise too_long("batches that are too large")
    items = list(Counted(value))
    rows = [items[start : start + linecount] for start in range(0, len(items), linecount)]
    if rows and fill_with is not None:
        rows[-1] += [fill_with] * (linecount - len(rows[-1]))
    return rows


def _list(value: Any) -> list[Any]:
    return list(Counted(value))


def _json(
    value: Any,
    ensure_ascii: bool = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    """JSON as transformers writes it: nothing escaped for HTML, letters as they are."""
    spend(4)
    weight = weigh(value)
    if isinstance(indent, int):
        short(weight + (weight >> 2) * min(max(indent, 0), limits.MOST_OUTPUT))
    elif isinstance(indent, str):
        short(weight + (weight >> 2) * len(indent))
    text = json.dumps(
        value,
        ensure_ascii=bool(ensure_ascii),
        indent=indent,
        separators=tuple(separators) if separators else None,
        sort_keys=bool(sort_keys),
    )
    short(len(text))
    return text


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MOST_RANGE:
        raise too_long(f"a range of more than {MOST_RANGE} numbers")
    return numbers


def _refuse(message: Any) -> None:
    raise Refusal(str(message)[:1000])


def _now(format: str) -> str:
    if len(str(format)) > 200:
        raise too_long("a date that is too long")
    return datetime.now().strftime(str(format))


@functools.cache
def _environment() -> _Environment:
    return _Environment()


Renderer = Callable[[Mapping[str, Any]], str]


def compile_jinja(text: str) -> Renderer:
    """A function from variables to text.

    Raises:
        InputError: ``bad_template``, with the line; the function raises it too, and
            ``template_too_slow`` and ``template_too_long``.
    """
    with limits.budgeted(10 * limits.MOST_SECONDS):
        try:
            template = _environment().from_string(text)
        except jinja2.TemplateSyntaxError as error:
            raise _bad(error.message or "it is not Jinja", error.lineno) from error
        except _FAILURES as error:
            raise _bad(_said(error), None) from error

    def render(variables: Mapping[str, Any]) -> str:
        with limits.budgeted():
            try:
                return _collected(template, variables)
            except Refusal as error:
                raise _bad(f"it refuses the conversation: {error}", None) from error
            except _FAILURES as error:
                raise _bad(_said(error), _line(template, error.__traceback__)) from error

    return render


_FAILURES = (
    jinja2.TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def _collected(template: jinja2.Template, variables: Mapping[str, Any]) -> str:
    context = template.new_context(dict(variables))
    parts: list[str] = []
    length = 0
    for part in template.root_render_func(context):
        parts.append(part)
        length += len(part)
        if length > limits.MOST_OUTPUT:
            raise too_long(f"a prompt of more than {limits.MOST_OUTPUT} characters")
    return "".join(parts)


def _line(template: jinja2.Template, trace: TracebackType | None) -> int | None:
    """The template's line where an error came from."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _said(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:500].rstrip(".")


def _bad(what: str, line: int | None) -> InputError:
    where = "" if line is None else f" in line {line}"
    return InputError(
        f"The chat template cannot be used{where}: {what}.",
        code="bad_template",
        remedy="Correct the template, or give another by TEMPLATE in a Modelfile.",
        details={} if line is None else {"line": line},
    )
