"""What the proofs of the store share: the fork server, and the modules beside this file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import served

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
WORKER = HERE / "store_worker.py"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.Served]:
    """A real ``metier up`` over tiny local models; see ``served``."""
    folder = tmp_path_factory.mktemp("served")
    served.stock(folder / "home", folder / "models")
    with served.served(folder / "home", "--log-requests") as running:
        yield running


class Workers:
    """The test's end of the fork server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(self, do: str, **job: Any) -> int:
        """Start a job and return its process id."""
        pid: int = self._ask({"do": do, **job})["pid"]
        return pid

    def wait(self, pid: int) -> tuple[int, Any]:
        """Exit status (-9 when killed) and what it said."""
        answer = self._ask({"do": "wait", "pid": pid})
        return answer["ended"], answer["said"]

    def run(self, do: str, **job: Any) -> tuple[int, Any]:
        """Start a job and wait for it."""
        return self.wait(self.start(do, **job))


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """A fork server that lives as long as the session."""
    with subprocess.Popen(
        [sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Workers(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=30)
