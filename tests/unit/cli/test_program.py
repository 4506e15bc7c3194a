"""The program: quick to start, one table of commands, and an exit code for every end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import metier
from metier.cli.program import COMMANDS, program, wants_json

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


HELP = "from metier.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"


@pytest.mark.parametrize("act", ["import metier", HELP])
def test_cold_start_imports_nothing_heavy(act: str) -> None:
    done = python(f"import sys\n{act}\nprint('#', *sys.modules)")
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.rsplit("#", 1)[1].split()}
    assert loaded & HEAVY == set()
    assert "metier" in loaded


def test_help_names_every_command_and_imports_none_of_them() -> None:
    told, modules = python(f"import sys\n{HELP}\nprint('#', *sys.modules)").stdout.rsplit("#", 1)
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
        for name in COMMANDS.keys() - {"mcp"}:  # its stdout belongs to the protocol
            command = program.get_command(root, name)
            assert command is not None
            inner = list(command.commands.values()) if isinstance(command, click.Group) else []
            for one in inner or [command]:
                assert "--json" in {word for option in one.params for word in option.opts}


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


def test_unknown_command_names_the_nearest(metier: Any) -> None:
    outcome = metier("lst")
    assert outcome.code == 2
    assert "There is no command 'lst'. Did you mean list?" in outcome.err
    assert outcome.out == ""


def test_unknown_option_is_input(metier: Any) -> None:
    outcome = metier("list", "--nope", "--json")
    assert outcome.code == 2
    assert outcome.json()["error"]["code"] == "bad_usage"


def test_json_after_a_bare_dash_dash_is_text() -> None:
    assert wants_json(["run", "x", "--json"])
    assert not wants_json(["run", "x", "--", "--json"])
