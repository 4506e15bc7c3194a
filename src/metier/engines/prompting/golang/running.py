"""Runs a Go template's tree over values, within the budget of ``limits``.

It knows what each statement does; it knows neither words nor what the values mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metier.engines.prompting import limits
from metier.engines.prompting.golang.functions import FUNCTIONS, LAZY
from metier.engines.prompting.golang.lexing import bad
from metier.engines.prompting.golang.tree import (
    Branch,
    Call,
    Chain,
    Command,
    Constant,
    Dot,
    Function,
    Jump,
    Operand,
    Output,
    Pipeline,
    Statement,
    Tree,
    Variable,
    Written,
)
from metier.engines.prompting.golang.values import Record, kind, text_of, truth

_NOTHING = object()
_Jumped = str | None


def run(tree: Tree, body: tuple[Statement, ...], data: Mapping[str, Any]) -> str:
    """What a template writes.

    Args:
        tree: The template, for what it defines.
        body: The statements to run, those of the tree or a part of them.
        data: What stands in the dot.

    Raises:
        InputError: ``bad_template`` with the line, ``template_too_slow``, ``template_too_long``.
    """
    runner = _Runner(tree, limits.current())
    runner.block(body, data)
    return "".join(runner.parts)


class _Runner:
    def __init__(self, tree: Tree, budget: limits.Budget) -> None:
        self._tree = tree
        self._budget = budget
        self._variables: list[tuple[str, Any]] = []
        self._size = 0
        self.parts: list[str] = []

    def block(self, body: tuple[Statement, ...], data: Any) -> None:
        """A whole template: its own variables, ``$`` the dot."""
        outer, self._variables = self._variables, [("$", data)]
        self._list(body, data)
        self._variables = outer

    def _list(self, statements: tuple[Statement, ...], dot: Any) -> _Jumped:
        for statement in statements:
            self._budget.spend()
            if isinstance(statement, Written):
                self._write(statement.text)
            elif isinstance(statement, Output):
                value = self._pipeline(statement.pipeline, dot)
                if not statement.pipeline.names:
                    self._write(text_of(value))
            elif isinstance(statement, Branch):
                jumped = self._branch(statement, dot)
                if jumped is not None:
                    return jumped
            elif isinstance(statement, Jump):
                return statement.kind
            else:
                self._call(statement, dot)
        return None

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > limits.MOST_OUTPUT:
            raise limits.too_long(f"a prompt of more than {limits.MOST_OUTPUT} characters")
        self.parts.append(text)

    def _branch(self, branch: Branch, dot: Any) -> _Jumped:
        mark = len(self._variables)
        if branch.kind == "range":
            self._range(branch, dot)
            jumped = None
        else:
            value = self._pipeline(branch.pipeline, dot)
            inner = value if branch.kind == "with" else dot
            if truth(value):
                jumped = self._list(branch.body, inner)
            else:
                jumped = self._list(branch.otherwise, dot)
        del self._variables[mark:]
        return jumped

    def _range(self, branch: Branch, dot: Any) -> None:
        value = self._evaluate(branch.pipeline, dot)
        names = branch.pipeline.names
        mark = len(self._variables)
        count = 0
        for key, item in _pairs(value, branch.line):
            count += 1
            self._budget.spend(2)
            values = (item,) if len(names) == 1 else (key, item)
            for name, held in zip(names, values, strict=False):
                self._set(name, held, declares=branch.pipeline.declares)
            jumped = self._list(branch.body, item)
            del self._variables[mark:]
            if jumped == "break":
                break
        if not count:
            self._list(branch.otherwise, dot)

    def _call(self, call: Call, dot: Any) -> None:
        body = self._tree.defined.get(call.name)
        if body is None:
            raise bad(f"the template {call.name!r} is not defined", call.line)
        value = None if call.pipeline is None else self._pipeline(call.pipeline, dot)
        with self._budget.deeper():
            self.block(body, value)

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        """A pipeline's value, put into its variable if it has one."""
        value = self._evaluate(pipeline, dot)
        for name in pipeline.names:
            self._set(name, value, declares=pipeline.declares)
        return value

    def _evaluate(self, pipeline: Pipeline, dot: Any) -> Any:
        value: Any = _NOTHING
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        return value

    def _set(self, name: str, value: Any, *, declares: bool) -> None:
        if not declares:
            for index in range(len(self._variables) - 1, -1, -1):
                if self._variables[index][0] == name:
                    self._variables[index] = (name, value)
                    return
        self._variables.append((name, value))

    def _command(self, command: Command, dot: Any, final: Any) -> Any:
        first = command.operands[0]
        if not isinstance(first, Function):
            if len(command.operands) > 1 or final is not _NOTHING:
                raise bad("only a function takes arguments", command.line)
            return self._operand(first, dot)
        return self._function(first.name, command, dot, final)

    def _function(self, name: str, command: Command, dot: Any, final: Any) -> Any:
        given = command.operands[1:]
        if name in LAZY:
            return self._lazy(name, given, command, dot, final)
        arguments = [self._operand(operand, dot) for operand in given]
        if final is not _NOTHING:
            arguments.append(final)
        self._budget.spend(2)
        try:
            return FUNCTIONS[name](*arguments)
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            said = str(error).strip("'\"") if "<lambda>" not in str(error) else "wrong arguments"
            raise bad(f"{name}: {said[:300]}", command.line) from error

    def _lazy(
        self, name: str, given: tuple[Operand, ...], command: Command, dot: Any, final: Any
    ) -> Any:
        """``and`` and ``or``: the first value that decides, the rest not evaluated."""
        value: Any = _NOTHING
        for operand in given:
            value = self._operand(operand, dot)
            if truth(value) == (name == "or"):
                return value
        value = value if final is _NOTHING else final
        if value is _NOTHING:
            raise bad(f"{name} needs a value", command.line)
        return value

    def _operand(self, operand: Operand, dot: Any) -> Any:
        if isinstance(operand, Chain):
            value = self._operand(operand.of, dot)
            for name in operand.names:
                value = _field(value, name, operand.line)
            return value
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Variable):
            return self._value(operand.name)
        if isinstance(operand, Dot):
            return dot
        if isinstance(operand, Pipeline):
            self._budget.spend()
            return self._evaluate(operand, dot)
        return self._function(operand.name, Command((operand,), 0), dot, _NOTHING)

    def _value(self, name: str) -> Any:
        for held, value in reversed(self._variables):
            if held == name:
                return value
        return None


def _pairs(value: Any, line: int) -> Iterable[tuple[Any, Any]]:
    """What a range goes over: index and item, key and value (in order of keys), or numbers."""
    if isinstance(value, dict):
        return [(key, value[key]) for key in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        return enumerate(value)
    if value is None:
        return ()
    if isinstance(value, int) and not isinstance(value, bool):
        if value > limits.MOST_RANGE:
            raise limits.too_long(f"a range of more than {limits.MOST_RANGE} numbers")
        return ((number, number) for number in range(value))
    raise bad(f"range over {kind(value)}", line)


def _field(value: Any, name: str, line: int) -> Any:
    if isinstance(value, Record):
        if not value.has(name):
            raise bad(f"there is no field {name}", line)
        return value[name]
    if isinstance(value, dict):
        return value.get(name)
    if value is None:
        return None
    raise bad(f"{kind(value)} has no field {name}", line)
