"""The watch by itself: due by the ledger, one at a time, at the lowest priority, gone at once."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from metier.cli.rounds import SHORTEST, Rounds, check_every
from metier.errors import InputError


class Looked:
    """Says when somebody last looked."""

    def __init__(self, ago: float | None = None) -> None:
        self.every: float | None = None
        self.ago = ago

    def looked(self) -> datetime | None:
        return None if self.ago is None else datetime.now(UTC) - timedelta(seconds=self.ago)


def rounds(watching: Any, script: str, said: list[str], every: float = 3600.0) -> Rounds:
    command = (sys.executable, "-c", script)
    return Rounds(watching, every, said.append, command=command, settling=0.0)


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_the_next_look_is_due_a_period_after_the_last(tmp_path: Path) -> None:
    assert rounds(Looked(), "", []).wait() == 0.0
    assert rounds(Looked(7200), "", []).wait() == 0.0
    assert 1700 < rounds(Looked(1800), "", []).wait() < 1801


def test_it_looks_once_at_low_priority_and_says_what_was_lost(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = (
        "import os, time, sys; time.sleep(.3)\n"
        f"open({str(told)!r}, 'a').write(str(os.getpriority(0, 0)) + ' ')\nsys.exit(1)"
    )
    said: list[str] = []
    watching = Looked()
    with rounds(watching, script, said):
        assert watching.every == 3600.0
        wait_for(lambda: said)
    assert watching.every is None
    assert told.read_text() == "19 "
    assert "lost its route" in said[0]


def test_a_look_that_failed_is_not_tried_again_at_once() -> None:
    said: list[str] = []
    with rounds(Looked(), "raise SystemExit(3)", said):
        wait_for(lambda: said)
        time.sleep(0.3)
    assert len(said) == 1
    assert "exit code 3" in said[0]


def test_a_look_ends_with_the_server(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    said: list[str] = []
    with rounds(Looked(), script, said):
        wait_for(lambda: told.exists() and told.read_text())
    pid = int(told.read_text())
    wait_for(lambda: not _alive(pid))
    assert said == []
    assert not any(thread.name == "watch" for thread in threading.enumerate())


def test_a_program_that_is_not_there_is_said() -> None:
    said: list[str] = []
    with Rounds(Looked(), 60.0, said.append, command=("/not/there",), settling=0.0):  # type: ignore[arg-type]
        wait_for(lambda: said)
    assert "could not start" in said[0]


def test_looking_without_rest_is_refused() -> None:
    assert check_every(SHORTEST) == SHORTEST
    with pytest.raises(InputError):
        check_every(1.0)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
