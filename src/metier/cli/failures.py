"""How a run that goes wrong ends: one screen or one JSON document, and an exit code.

It knows which exit code each error of the tree has and where a traceback is put. It mends
nothing, and it never shows a traceback unless asked.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import textwrap
import traceback
from typing import Any, TextIO

import click

from metier.errors import (
    DidNotPassError,
    InputError,
    InternalError,
    MetierError,
    UnavailableError,
)

DID_NOT_PASS = 1
BAD_INPUT = 2
UNAVAILABLE = 3
OURS = 4
INTERRUPTED = 130
BROKEN_PIPE = 141

_EXIT_CODES: tuple[tuple[type[MetierError], int], ...] = (
    (DidNotPassError, DID_NOT_PASS),
    (InputError, BAD_INPUT),
    (UnavailableError, UNAVAILABLE),
)


class InterruptedWorkError(Exception):
    """The user pressed Ctrl-C; ``kept`` says in a sentence what there is now."""

    def __init__(self, kept: str) -> None:
        super().__init__(kept)
        self.kept = kept


def exit_code(error: MetierError) -> int:
    """The exit code of an error: 1 did not pass, 2 input, 3 unavailable, else 4."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), OURS)


def report(error: Exception, *, as_json: bool, debug: bool) -> int:
    """Tell the user about ``error`` and return the exit code.

    Args:
        error: What ended the command.
        as_json: Print ``{"error": {...}, "exit_code": n}`` on stdout instead of words on stderr.
        debug: Show the traceback too (on stderr).
    """
    if isinstance(error, click.exceptions.Abort | InterruptedWorkError):
        kept = error.kept if isinstance(error, InterruptedWorkError) else None
        facts = {"message": "Interrupted.", "code": "interrupted", "remedy": kept}
        _tell(facts, INTERRUPTED, as_json=as_json)
        return INTERRUPTED
    if isinstance(error, MetierError):
        if debug:
            traceback.print_exception(error, file=sys.stderr)
        _tell(error.as_dict(), exit_code(error), as_json=as_json)
        return exit_code(error)
    if isinstance(error, click.ClickException):
        _tell(_usage_facts(error), BAD_INPUT, as_json=as_json)
        return BAD_INPUT
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    _tell(_defect(error).as_dict(), OURS, as_json=as_json)
    return OURS


def print_json(document: Any) -> None:
    """Print one JSON document on stdout; ASCII only where stdout is not UTF-8."""
    text = json.dumps(document, ensure_ascii=not is_utf8(sys.stdout), indent=2)
    click.echo(text)


def is_utf8(stream: TextIO) -> bool:
    """Whether a stream takes every character."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf8")


def tolerate_any_text() -> None:
    """Let stdout and stderr write what their encoding lacks as an escape, never as an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def close_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _tell(facts: dict[str, Any], code: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"error": facts, "exit_code": code})
        return
    heading = "" if facts["code"] == "interrupted" else "Error: "
    lines = _wrapped(f"{heading}{facts['message']}")
    if facts.get("remedy"):
        lines += _wrapped(facts["remedy"] if not heading else f"What to do: {facts['remedy']}")
    click.echo("\n".join(lines[:20]), err=True)


def _wrapped(text: str, width: int = 78) -> list[str]:
    return [
        line
        for part in text.splitlines()
        for line in textwrap.wrap(
            part, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    ]


def _usage_facts(error: click.ClickException) -> dict[str, Any]:
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else None
    remedy = f"See {command or 'metier'} --help."
    return {
        "message": error.format_message(),
        "code": "bad_usage",
        "remedy": remedy,
        "retryable": False,
        "details": {},
    }


def _defect(error: Exception) -> InternalError:
    handle, path = tempfile.mkstemp(prefix="metier-traceback-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        traceback.print_exception(error, file=file)
    return InternalError(
        f"A defect of Metier: {type(error).__name__}: {error}.",
        remedy=f"This is not your doing. The traceback is in {path}: please report it.",
        details={"traceback": path},
    )
