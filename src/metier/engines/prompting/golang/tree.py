"""The tree of a Go template: what statements and expressions hold.

It knows no text and no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, number, truth value or ``nil``."""

    value: Any


@dataclass(frozen=True, slots=True)
class Dot:
    """``.``, what is looked at."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of something: of the dot, of a variable, of a pipeline in brackets."""

    of: Operand
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``, a variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function's name."""

    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """One operand, or a function and what it is given."""

    operands: tuple[Operand, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the result of the one before; it may set variables."""

    commands: tuple[Command, ...]
    line: int
    names: tuple[str, ...] = ()
    declares: bool = False


Operand = Constant | Dot | Chain | Variable | Function | Pipeline


@dataclass(frozen=True, slots=True)
class Written:
    """Text between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """A pipeline whose result is written, unless it sets a variable."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range``."""

    kind: str
    pipeline: Pipeline
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """``template "name" pipeline``, another template run here."""

    name: str
    pipeline: Pipeline | None
    line: int


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``, out of a range or to its next turn."""

    kind: str


Statement = Written | Output | Branch | Call | Jump


@dataclass(frozen=True, slots=True)
class Tree:
    """A template and the templates that it defines.

    Attributes:
        body: Its statements.
        defined: Name to statements.
        names: Every field's and variable's name in lower case.
    """

    body: tuple[Statement, ...]
    defined: dict[str, tuple[Statement, ...]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()


def fields_of(pipeline: Pipeline) -> Iterator[str]:
    """Names of the fields that a pipeline takes, not those inside brackets."""
    for command in pipeline.commands:
        for operand in command.operands:
            if isinstance(operand, Chain):
                yield from operand.names
