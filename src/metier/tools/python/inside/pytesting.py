"""Runs a task's test files with pytest, in the process that holds the tests.

It knows pytest; the answer is imported through the stand-in modules that are already installed.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from .peers import GoneError
from .testing import TestGate
from .verdicts import verdict


class _Noting:
    """Notes how each test ended."""

    def __init__(self) -> None:
        self.passed = 0
        self.collected: list[str] = []
        self.failure: tuple[str, str] | None = None
        self.broken: str | None = None
        self.seen: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All tests that there are."""
        self.collected = [item.nodeid for item in session.items]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected."""
        if report.failed and self.broken is None:
            self.broken = _last(str(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test."""
        if report.failed and self.failure is None:
            self.failure = (report.nodeid, _last(str(report.longrepr)))
        if report.when == "call" and not report.failed:
            self.passed += report.passed
        if report.when == "teardown":
            self.seen.add(report.nodeid)


def run_pytest(order: Mapping[str, Any], gate: TestGate) -> dict[str, Any]:
    """Write the test files, run them, and pass only if every test ran and none failed."""
    paths = []
    for number, text in enumerate(order["tests"], start=1):
        path = Path(f"test_task_{number}.py" if len(order["tests"]) > 1 else "test_task.py")
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
        gate.own.add(path.stem)
    noting = _Noting()
    options = ["-q", "-x", "-p", "no:cacheprovider", "--rootdir", str(Path.cwd()), "--tb=short"]
    out = io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(out):
            status = int(pytest.main([*options, *paths], plugins=[noting]))
    except GoneError as error:
        return verdict("behaviour", f"The answer's process ended: {error}.")
    if noting.broken is not None:
        named = any(f"from {name!r}" in noting.broken for name in order["modules"])
        stage = "behaviour" if named else "tests"
        return verdict(stage, f"The tests could not be collected: {noting.broken}.")
    if noting.failure is not None:
        name, why = noting.failure
        step = noting.collected.index(name) + 1 if name in noting.collected else None
        return verdict("behaviour", f"{name}: {why}.", step)
    if not noting.collected:
        return verdict("tests", "The task's test file has no tests.")
    if status != 0 or noting.passed == 0 or noting.seen != set(noting.collected):
        return verdict("behaviour", f"Not every test ran to its end (pytest ended with {status}).")
    return verdict(None)


def _last(text: str) -> str:
    """The lines of a report that say what was wrong."""
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    plain = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(marked[:4] or plain[-1:])[:600].rstrip(".")
