"""The warm process that reads answers: parses, compiles and looks for undefined names.

It executes nothing of what it reads. It is a process of its own because a hostile megabyte can keep
a parser busy for minutes; whoever asks sets the time.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

from pyflakes import messages
from pyflakes.checker import Checker

from .lines import open_lines

MOST_FINDINGS = 50
_ERRORS = (
    messages.UndefinedName,
    messages.UndefinedLocal,
    messages.UndefinedExport,
    messages.ReturnOutsideFunction,
    messages.YieldOutsideFunction,
    messages.ContinueOutsideLoop,
    messages.BreakOutsideLoop,
    messages.DefaultExceptNotLast,
    messages.TwoStarredExpressions,
    messages.TooManyExpressionsInStarredAssignment,
)
"""What raises when it is reached; the rest is doubtful."""
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_FOR_TASTE = (
    messages.UnusedImport,
    messages.UnusedVariable,
    messages.RedefinedWhileUnused,
    messages.FStringMissingPlaceholders,
)
"""Warnings that say nothing about whether an answer works; left out."""


def read(path: str, text: str) -> list[dict[str, Any]]:
    """What is wrong with one file: dictionaries with the fields of a ``Diagnostic``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            tree = ast.parse(text, path)
            compile(tree, path, "exec", dont_inherit=True)
        except SyntaxError as error:
            return [_of_syntax(path, text, error)]
        except UnicodeEncodeError:
            return [_whole(path, "bad_characters", "It contains half a character (a surrogate).")]
        except (RecursionError, MemoryError, ValueError, OverflowError) as error:
            name = type(error).__name__
            return [_whole(path, "too_deep", f"Python cannot compile it: {name}: {error}.")]
    found = [_of_warning(path, each) for each in caught]
    try:
        found += [_of_message(path, each) for each in Checker(tree, path).messages if _told(each)]
    except RecursionError:
        found.append(_whole(path, "not_looked_through", "It is nested too deeply.", "warning"))
    found.sort(key=lambda each: (each["severity"], each["line"] or 0, each["column"] or 0))
    return found[:MOST_FINDINGS]


def _told(message: Any) -> bool:
    return not isinstance(message, _FOR_TASTE)


def _of_syntax(path: str, text: str, error: SyntaxError) -> dict[str, Any]:
    code = {"IndentationError": "indentation", "TabError": "tabs"}.get(type(error).__name__)
    end_line, end_column = error.end_lineno, error.end_offset
    if not end_line or (end_line, end_column or 0) <= (error.lineno or 0, error.offset or 0):
        end_line = end_column = None
    return {
        "code": code or "syntax",
        "message": f"{error.msg}.",
        "severity": "error",
        "path": path,
        "line": min(error.lineno or 1, text.count("\n") + 1),
        "column": max(error.offset or 1, 1),
        "end_line": end_line,
        "end_column": max(end_column, 1) if end_column else None,
    }


def _of_warning(path: str, warning: warnings.WarningMessage) -> dict[str, Any]:
    text = str(warning.message)
    return {
        "code": "doubtful_syntax",
        "message": f"{text[:1].upper()}{text[1:]}.",
        "severity": "warning",
        "path": path,
        "line": warning.lineno,
        "column": None,
    }


def _of_message(path: str, message: Any) -> dict[str, Any]:
    text = message.message % message.message_args
    return {
        "code": _CAPITAL.sub("_", type(message).__name__).lower(),
        "message": f"{text[:1].upper()}{text[1:]}.",
        "severity": "error" if isinstance(message, _ERRORS) else "warning",
        "path": path,
        "line": message.lineno,
        "column": message.col + 1,
        "name": str(message.message_args[0]) if message.message_args else "",
    }


def _whole(path: str, code: str, message: str, severity: str = "error") -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "severity": severity,
        "path": path,
        "line": None,
        "column": None,
    }


def main() -> None:
    """Answer one line with one line until there are no more."""
    receive, send = open_lines()
    send(b'"ready"')
    while True:
        try:
            request = json.loads(receive())
        except EOFError:
            return
        send(json.dumps(read(request["path"], request["text"])).encode())
