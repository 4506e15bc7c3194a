"""Tests mirror modules: who changes a module knows where its tests are, and the other way round.

``src/metier/<package>/<module>.py`` has ``tests/unit/<package>/test_<module>.py``. A second file on
one module is called ``test_<module>_<aspect>.py``. A module that holds only names, as many an
``__init__`` does, needs none. Exceptions stand in a table with their reason.
"""

from __future__ import annotations

import ast
from collections.abc import Set
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "metier"
UNIT = ROOT / "tests" / "unit"

TESTED_ELSEWHERE: dict[str, str] = {
    "__init__": "tests/house/test_cold_start.py asks a fresh interpreter what the package offers",
    "making/makers": "a value without a rule of its own; assembly fills it in for every make",
    "__main__": "one line that calls the command line; tests/unit/cli runs it as a process",
}
TESTS_A_WHOLE_PACKAGE: dict[str, str] = {
    "stats/test_null_evals": "equal systems through all of stats, from outcomes to verdicts",
}


def modules() -> set[str]:
    """Modules that hold code, as ``package/module``."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).with_suffix("").as_posix()
        if holds_code(path.read_text(encoding="utf-8")):
            found.add(name)
    return found


def holds_code(source: str) -> bool:
    """Whether a module defines a function or a class."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) for node in ast.walk(ast.parse(source)))


def homes_of(module: str) -> set[str]:
    """Where the tests of a module may be, relative to tests/unit, without suffix.

    Those of a package's ``__init__`` stand beside its folder or in it.
    """
    folder, _, name = module.rpartition("/")
    if name != "__init__":
        return {f"{folder}/test_{name}".lstrip("/")}
    outer, _, package = folder.rpartition("/")
    return {f"{outer}/test_{package}".lstrip("/"), f"{folder}/test_{package}"}


def untested(names: Set[str], tests: Set[str]) -> list[str]:
    """Modules without their test file."""
    return sorted(
        name for name in names if name not in TESTED_ELSEWHERE and not homes_of(name) & tests
    )


def orphans(names: Set[str], tests: Set[str]) -> list[str]:
    """Test files that belong to no module."""
    homes = {home for name in names for home in homes_of(name)}
    return sorted(
        test
        for test in tests
        if test not in homes and not any(test.startswith(f"{home}_") for home in homes)
    )


def all_tests() -> set[str]:
    return {
        path.relative_to(UNIT).with_suffix("").as_posix()
        for path in UNIT.rglob("*.py")
        if path.name.startswith("test_")
    }


def every_module() -> set[str]:
    return {
        path.relative_to(SOURCE).with_suffix("").as_posix() for path in SOURCE.rglob("*.py")
    } - {"__init__"}


def test_the_rules_find_what_they_forbid() -> None:
    assert untested({"store/blobs"}, {"test_blobs"}) == ["store/blobs"]
    assert untested({"store/blobs"}, {"store/test_blobs"}) == []
    assert untested({"server/__init__"}, {"test_server"}) == []
    assert untested({"server/__init__"}, {"server/test_server"}) == []
    assert orphans({"stats"}, {"test_stats", "test_stats_power", "test_power"}) == ["test_power"]


def test_every_module_has_its_test_file() -> None:
    assert untested(modules(), all_tests()) == []


def test_every_test_file_has_its_module() -> None:
    assert orphans(every_module(), all_tests() - TESTS_A_WHOLE_PACKAGE.keys()) == []


def test_exceptions_are_still_needed() -> None:
    assert [name for name in TESTED_ELSEWHERE if not (SOURCE / f"{name}.py").exists()] in (
        [],
        ["__main__"],
    )
