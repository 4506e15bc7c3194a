"""What is wrong with Python files, found by a warm process that only reads.

It knows limits and what an ended reader means; what Python says is explained elsewhere.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from metier.coding import Checked, Diagnostic, SourceFile
from metier.errors import UnavailableError
from metier.sandbox import Limits, Running, plain
from metier.tools.python.explaining import explained
from metier.tools.python.processes import READY

SECONDS_A_FILE = 5.0
"""The longest that one file may be read."""
MOST_CHARACTERS = 1_000_000
"""A larger file is not read."""
_START_SECONDS = 30.0
_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from inside.reading import main; main()"


class Reader:
    """One warm process, started when first asked; safe to use from several threads."""

    def __init__(self) -> None:
        self._running: Running | None = None
        self._turn = threading.Lock()

    def check(self, files: Sequence[SourceFile]) -> Checked:
        """What is wrong with the Python files among ``files``; others are passed over.

        Raises:
            UnavailableError: ``no_reader``: the process does not start.
        """
        started = time.perf_counter()
        found = [each for file in files if file.path.endswith(".py") for each in self._read(file)]
        ok = not any(each.severity == "error" for each in found)
        return Checked(ok, tuple(found), time.perf_counter() - started)

    def close(self) -> None:
        """End the process; a later check would start a new one."""
        with self._turn:
            running, self._running = self._running, None
        if running is not None:
            running.close()

    def _read(self, file: SourceFile) -> list[Diagnostic]:
        if len(file.text) > MOST_CHARACTERS:
            limit = f"It has more than {MOST_CHARACTERS} characters."
            return [Diagnostic("file_too_large", limit, path=file.path)]
        line = json.dumps({"path": file.path, "text": file.text}).encode()
        with self._turn:
            running = self._ready()
            try:
                running.send(line)
                answer = json.loads(running.receive(seconds=SECONDS_A_FILE))
            except UnavailableError as error:
                self._running = None
                running.close()
                return [_stopped(file, error)]
        return [_diagnostic(each) for each in answer]

    def _ready(self) -> Running:
        if self._running is not None and self._running.alive:
            return self._running
        folder = str(Path(__file__).parent)
        running = plain(
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _CODE, folder],
            limits=Limits(
                seconds=SECONDS_A_FILE,
                cpu_seconds=10**6,
                memory_mb=1024,
                output_bytes=10_000_000,
            ),
        )
        try:
            greeting = running.receive(seconds=_START_SECONDS)
        except UnavailableError as error:
            said = running.close().stderr.decode("utf-8", "replace").strip()
            raise UnavailableError(
                f"The process that reads Python files does not start: {said[-300:]}",
                code="no_reader",
                remedy="Install Metier again: pip install metier.",
            ) from error
        assert greeting == READY
        self._running = running
        return running


def _diagnostic(found: dict[str, object]) -> Diagnostic:
    name = str(found.pop("name", ""))
    return explained(Diagnostic(**found), name)  # type: ignore[arg-type]


def _stopped(file: SourceFile, error: UnavailableError) -> Diagnostic:
    if error.code == "sandbox_timeout":
        message = f"Python did not finish reading it within {SECONDS_A_FILE:g} s."
        return Diagnostic("too_slow", message, path=file.path)
    return Diagnostic("reader_ended", "Reading it ended the process that reads.", path=file.path)
