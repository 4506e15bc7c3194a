from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import metier
from metier.cli.failures import InterruptedWorkError
from metier.cli.program import COMMANDS, program, wants_json
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
HEAVY = {
    "pydantic", "numpy", "scipy", "sklearn", "onnxruntime", "onnx", "rich", "fastapi", "uvicorn",
    "httpx", "tokenizers", "safetensors", "statsmodels", "jinja2", "sqlite3",
}  # fmt: skip


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


@pytest.mark.parametrize("act", ["import metier", "from metier.cli import main; main(['--help'])"])
def test_cold_start_imports_nothing_heavy(act: str) -> None:
    done = python(f"import sys\n{act}\nprint('#', *sys.modules)")
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.rsplit("#", 1)[1].split()}
    assert loaded & HEAVY == set()
    assert "metier" in loaded


def test_help_names_every_command_and_imports_none_of_them() -> None:
    code = "import sys\nfrom metier.cli import main\nmain(['--help'])\nprint('#', *sys.modules)"
    told, modules = python(code).stdout.rsplit("#", 1)
    for name, entry in COMMANDS.items():
        assert f"  {name} " in told
        assert entry.summary in told
        assert f"metier.cli.{entry.module}" not in modules.split()


def test_the_table_says_what_the_commands_say() -> None:
    with click.Context(program) as root:
        for name, entry in COMMANDS.items():
            command = program.get_command(root, name)
            assert command is not None
            assert command.name == name
            assert command.get_short_help_str(200) == entry.summary


def test_every_command_takes_json() -> None:
    with click.Context(program) as root:
        for name in COMMANDS:
            command = program.get_command(root, name)
            assert command is not None
            assert "--json" in {word for option in command.params for word in option.opts}


def test_module_is_a_door(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "metier", "--version"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        cwd=tmp_path,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"metier {metier.__version__}\n"


def test_unknown_command_names_the_nearest(metier: object) -> None:
    outcome = metier("lst")
    assert outcome.code == 2
    assert "There is no command 'lst'. Did you mean list?" in outcome.err
    assert outcome.out == ""


def test_unknown_option_is_input(metier: object) -> None:
    outcome = metier("list", "--nope", "--json")
    assert outcome.code == 2
    assert outcome.json()["error"]["code"] == "bad_usage"


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
    code = "import sys\nfrom metier.cli import main\nsys.exit(main(['completion', 'bash']))"
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


def test_json_after_a_bare_dash_dash_is_text() -> None:
    assert wants_json(["run", "x", "--json"])
    assert not wants_json(["run", "x", "--", "--json"])
