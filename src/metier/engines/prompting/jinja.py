"""Jinja chat templates, rendered as ``transformers.apply_chat_template`` renders them, but bounded.

The environment is Jinja's immutable sandbox without a loader, without the filters and functions
that no chat template needs, and with everything that can repeat or grow counted against the budget
of ``metier.engines.prompting.limits``. It knows no conversation: variables come from outside.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.filters import FILTERS as THEIRS
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from metier.engines.prompting import limits
from metier.engines.prompting.bounding import (
    FILTERS,
    OPERATORS,
    RefusalError,
    chained,
    check_method,
    concatenated,
    fill,
    guarded,
    now,
    refuse,
    small_range,
    written,
)
from metier.engines.prompting.limits import Counted, bounded, spend, too_long
from metier.errors import InputError

_LOOP = "for each"
_KEPT_FILTERS = (
    "abs capitalize count d default dictsort e escape first float forceescape groupby int items "
    "last length lower map max min reject rejectattr reverse safe select selectattr sort title "
    "truncate unique upper"
)
_TEXT_METHODS = (
    "capitalize casefold center count endswith find format index isalnum isalpha isascii "
    "isdecimal isdigit islower isnumeric isspace istitle isupper join ljust lower lstrip "
    "partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip "
    "split splitlines startswith strip swapcase title upper zfill"
)
_KEPT_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(_TEXT_METHODS.split()),
    dict: frozenset({"copy", "get", "items", "keys", "values"}),
    list: frozenset({"copy", "count", "index"}),
    tuple: frozenset({"count", "index"}),
    int: frozenset({"bit_length"}),
    float: frozenset({"is_integer"}),
    range: frozenset({"start", "stop", "step", "count", "index"}),
}


_DICT_NAMES = frozenset(dir(dict))


class _Generation(Extension):
    """``{% generation %}`` marks what an assistant said, for training; here it only renders."""

    tags = {"generation"}  # noqa: RUF012 - Jinja reads it from the class

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for token in stream:
            spend()
            yield token

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class _Counting(CodeGenerator):
    """Compiles what the sandbox does not intercept into calls that count."""

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        spend()
        return super().visit(node, *args, **kwargs)

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802
        self.write("(environment.step() or ")
        super().visit_Compare(node, frame)
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        sliced = isinstance(node.arg, nodes.Slice)
        self.write("(environment.step() or " if sliced else "")
        super().visit_Getitem(node, frame)
        self.write(")" if sliced else "")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.chained(")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self._built(super().visit_List, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx == "load":
            self._built(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
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
            finalize=written,
            cache_size=0,
        )
        self.concat = concatenated  # type: ignore[method-assign]
        self.built = bounded
        self.chained = chained
        self.step = spend
        self.globals = {
            "range": small_range,
            "dict": dict,
            "namespace": Namespace,
            "raise_exception": refuse,
            "strftime_now": now,
        }
        self.filters = {name: guarded(THEIRS[name]) for name in _KEPT_FILTERS.split()}
        self.filters.update(FILTERS)
        self.filters[_LOOP] = Counted
        tests: Mapping[str, Any] = self.tests
        self.tests = {name: guarded(test) for name, test in tests.items()}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _LOOP, [], [], None, None, lineno=loop.lineno)
        for node in tree.find_all(nodes.Node):
            if node.environment is None:
                node.environment = self
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute not in _DICT_NAMES:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, kept in _KEPT_METHODS.items():
            if isinstance(obj, kind):
                return attr in kept
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None
        return functools.partial(fill, str(value.__self__), wrapped)

    def call_binop(self, _context: Any, /, operator: str, left: Any, right: Any) -> Any:
        spend()
        check = OPERATORS[operator]
        check(left, right)
        return bounded(self.binop_table[operator](left, right))

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        spend(2)
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            args = check_method(owner, obj.__name__, args)
            return bounded(super().call(context, obj, *args, **kwargs))
        if isinstance(obj, Macro | LoopContext | BlockReference):
            budget = limits.current()
            budget.look()
            if isinstance(obj, LoopContext):
                args = tuple(Counted(item) for item in args)
            with budget.deeper():
                return bounded(super().call(context, obj, *args, **kwargs))
        return bounded(super().call(context, obj, *args, **kwargs))


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
    with limits.budgeted(limits.MOST_COMPILING):
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
            except RefusalError as error:
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
