"""A chat specialist for sums in Python, and tasks whose answers are executed: for several tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier import plugins
from metier.errors import MetierError
from metier.sandbox import detect

RECIPE = """
[specialist]
name = "helper"
task = "chat"
domain = "python"

[base]
ref = "remote:mine"

[answer]
prompt = "You write Python."
tools = ["python"]
repairs = 1

[eval]
names = ["python"]
"""
TASK = """
id = "{name}"
title = "Adding {name}"
cluster = "{name}"
date = 2026-11-23
tool = "python"
prompt = "Write add_{name}(a, b)."

[behaviour]
kind = "asserts"
entry = "solution.py"

[behaviour.options]
tests = ["assert add_{name}(1, 2) == 3"]
names = ["add_{name}"]

[reference]
"solution.py" = "def add_{name}(a, b):\\n    return a + b\\n"

[[mutants]]
why = "subtracts"
find = "a + b"
replace = "a - b"
"""
NAMES = tuple(f"n{number}" for number in range(8))


def sandboxed() -> bool:
    try:
        detect()
    except MetierError:
        return False
    return "python" in plugins.names("tools")


needs_a_sandbox = pytest.mark.skipif(
    not sandboxed(), reason="no sandbox here, or the package is not installed"
)


def write_tasks(folder: Path, names: tuple[str, ...] = NAMES, *, called: str = "tasks") -> Path:
    """A suite of one task a name, in the folder ``called`` so below ``folder``."""
    tasks = folder / called
    tasks.mkdir(exist_ok=True)
    (tasks / "suite.toml").write_text('title = "Sums"\nlicence = "MIT"\n')
    for name in names:
        (tasks / f"{name}.toml").write_text(TASK.format(name=name))
    return tasks
