"""Failures: one screen or one document, an exit code for each error, tracebacks only on request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import metier
from metier.cli.failures import InterruptedWorkError
from metier.errors import (
    CorruptError,
    DidNotPassError,
    InputError,
    InternalError,
    MetierError,
    NotFoundError,
    StorageError,
    UnavailableError,
)

SOURCE = Path(metier.__file__).parents[1]


def python(code: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), **more}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DidNotPassError("It lost."), 1),
        (InputError("Row 3 is empty."), 2),
        (NotFoundError("There is none."), 2),
        (UnavailableError("No answer."), 3),
        (StorageError("The disk is full."), 4),
        (CorruptError("A blob is damaged."), 4),
        (InternalError("A defect."), 4),
        (MetierError("Something."), 4),
    ],
)
def test_each_error_has_its_exit_code(metier, facade, error, code) -> None:
    error.remedy = "Mend it."
    facade.failure = error
    outcome = metier("list")
    assert outcome.code == code
    assert outcome.out == ""
    assert outcome.err == f"Error: {error.message}\nWhat to do: Mend it.\n"
    told = metier("list", "--json")
    assert told.code == code
    assert told.json() == {"error": error.as_dict(), "exit_code": code}


def test_a_defect_is_ours_and_leaves_its_traceback_in_a_file(metier, facade) -> None:
    facade.failure = ZeroDivisionError("by zero")
    outcome = metier("list", "--json")
    assert outcome.code == 4
    error = outcome.json()["error"]
    assert error["code"] == "internal"
    assert "ZeroDivisionError: by zero" in error["message"]
    file = Path(error["details"]["traceback"])
    assert "Traceback (most recent call last)" in file.read_text()
    file.unlink()


def test_debug_shows_the_traceback(metier, facade, monkeypatch) -> None:
    facade.failure = InputError("Row 3 is empty.")
    assert "Traceback" not in metier("list").err
    assert "Traceback" in metier("--debug", "list").err
    monkeypatch.setenv("METIER_DEBUG", "1")
    assert "Traceback" in metier("list").err


def test_long_errors_stay_on_one_screen(metier, facade) -> None:
    facade.failure = InputError("word " * 2000)
    assert len(metier("list").err.splitlines()) <= 20


def test_interruption_says_what_was_kept(metier, facade) -> None:
    facade.failure = KeyboardInterrupt()
    outcome = metier("list")
    assert outcome.code == 130
    assert "Interrupted." in outcome.err
    facade.failure = InterruptedWorkError("Nothing was saved.")
    told = metier("list", "--json")
    assert told.code == 130
    assert told.json()["error"]["code"] == "interrupted"
    assert told.json()["error"]["remedy"] == "Nothing was saved."


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "from metier.cli import main\nmain(['completion', 'bash'])"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


def test_json_is_one_document_in_any_encoding() -> None:
    code = (
        "from metier.cli.failures import print_json, tolerate_any_text\n"
        "tolerate_any_text()\nprint_json({'text': 'caf\\u00e9 \\udc80'})"
    )
    for encoding in ("ascii", "utf-8", "latin-1"):
        done = python(code, PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"text": "café \udc80"}
