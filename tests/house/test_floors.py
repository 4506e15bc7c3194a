"""The floors: that the contracts in .importlinter hold, and that they can be broken.

``lint-imports`` checks the tree in ``make test``. Here the contracts are shown bad edits, each of
which must break the contract that forbids it, and a second reader, built on the syntax tree alone,
finds what an import graph cannot see: modules imported by name, and names taken from the package's
front door.
"""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "metier"
STRANGERS_FROM = 2


def floors() -> list[tuple[frozenset[str], bool]]:
    """The floors of the contract, lowest first: units, and whether they are strangers."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter", encoding="utf-8")
    lines = config["importlinter:contract:floors"]["layers"].strip().splitlines()
    found = []
    for line in reversed(lines):
        units = [unit.strip(" ()") for unit in line.replace("|", ":").split(":")]
        found.append((frozenset(units), ":" not in line))
    return found


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a module imports from Metier, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            names = [
                argument.value
                for argument in node.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "metier":
                yield node.lineno, name


def violations(unit: str, source: str) -> list[str]:
    """Imports of ``unit`` that do not go down."""
    level = {name: number for number, (units, _) in enumerate(floors()) for name in units}
    strangers = [alone for _, alone in floors()]
    if unit not in level:
        return [f"1: {unit} stands on no floor; name it in .importlinter"]
    found = []
    for line, name in imported(ast.parse(source)):
        target = [*name.split("."), ""][1]
        if target in (unit, "__version__"):
            continue
        if target not in level:
            found.append(f"{line}: {name} comes through the front door; import the module")
        elif level[target] > level[unit] or (
            level[target] == level[unit] and strangers[level[unit]]
        ):
            found.append(f"{line}: {unit} may not import {name}")
    return found


@pytest.mark.parametrize(
    ("unit", "source"),
    [
        ("store", "def f():\n    from metier.engines import linear"),
        ("store", "def f():\n    import metier.settings"),
        ("evals", "import importlib\nimportlib.import_module('metier.training.ladder')"),
        ("stats", "from metier import Metier"),
        ("store", "from metier import make"),
        ("drawer", "import json"),
        ("card", "if TYPE_CHECKING:\n    from metier.stats import Verdict"),
    ],
)
def test_an_import_that_does_not_go_down_is_found(unit: str, source: str) -> None:
    assert violations(unit, source)


@pytest.mark.parametrize(
    ("unit", "source"),
    [
        ("engines", "from metier.messages import Prediction\nfrom metier.engines.linear import x"),
        ("manifest", "from metier.reference import Digest"),
        ("server", "from metier.version import __version__"),
        ("cli", "import metier.assembly"),
    ],
)
def test_an_import_that_goes_down_passes(unit: str, source: str) -> None:
    assert violations(unit, source) == []


def test_every_import_goes_down() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        unit = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if unit == "__init__":
            continue
        problems = violations(unit, path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}:{problem}" for problem in problems]
    assert not found, "\n".join(found)


def test_every_unit_stands_in_the_explanation() -> None:
    page = (ROOT / "docs" / "explanation" / "floors.md").read_text(encoding="utf-8")
    units = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in PACKAGE.rglob("*.py")}
    assert [unit for unit in sorted(units) if f"`{unit}`" not in page] == []


def test_units_are_strangers_from_floor_two_up() -> None:
    for number, (units, alone) in enumerate(floors()):
        assert alone or number < STRANGERS_FROM, f"floor {number}: {sorted(units)}"


BAD_EDITS = {
    "floors": ("ledger.py", "def f():\n    import metier.settings"),
    "new unit": ("drawer.py", ""),
    "statistics": ("stats/__init__.py", "from metier.features import x"),
    "evals": ("evals/__init__.py", "def f():\n    from metier.heads import x"),
    "scikit-learn": ("evals/sealed.py", "def f():\n    import sklearn.linear_model"),
    "torch": ("training/__init__.py", "import torch"),
    "database": ("hub.py", "import sqlite3"),
}
BROKEN = (
    "Floors: imports go down only",
    "Statistics cannot see a model",
    "Evals cannot see how a model is made",
    "sklearn, joblib: known to training",
    "torch, transformers",
    "sqlite3: known to ledger",
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts over the package in ``folder``."""
    program = (
        "import sys; sys.path.insert(0, 'src'); "
        "from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_contracts_break_on_bad_edits(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".importlinter", tmp_path)
    package = tmp_path / "src" / "metier"
    package.mkdir(parents=True)
    for name in ("__init__", *floors()[0][0]):
        (package / f"{name}.py").write_text('"""Nothing."""\n', encoding="utf-8")
    for name in ("features", "heads"):
        (package / f"{name}.py").write_text("x = 1\n", encoding="utf-8")
    (package / "settings.py").write_text("", encoding="utf-8")
    clean = lint(tmp_path)
    assert clean.returncode == 0, clean.stdout + clean.stderr

    for where, text in BAD_EDITS.values():
        (package / where).parent.mkdir(exist_ok=True)
        (package / where).parent.joinpath("__init__.py").touch()
        (package / where).write_text(text, encoding="utf-8")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    for contract in BROKEN:
        assert any(line.startswith(contract) for line in broken), (contract, broken)
    assert "metier.drawer" in done.stdout
