"""Progress: lines that only grow where nobody looks, nothing at all where a program reads."""

from __future__ import annotations

from typing import Any

import pytest

from metier.cli import progress
from metier.cli.progress import climbing, working
from metier.messages import Progress


def test_lines_only_grow_and_stages_are_said_once(capsys: Any) -> None:
    with climbing(("linear",), quiet=False) as shown:
        for done in range(100):
            shown.report(Progress("encode", f"{done} texts encoded.", done / 100))
        shown.report(Progress("eval", ""))
        shown.say("Stopping.")
    told = capsys.readouterr()
    assert told.out == ""
    lines = ["0 texts encoded.", "Asking the sealed questions", "Stopping."]
    assert told.err.splitlines() == lines


def test_a_rung_is_a_line(capsys: Any, make: Any) -> None:
    with climbing(("linear",), quiet=False) as shown:
        shown.report(Progress("rung", "Made.", data=make.card().ladder[1].model_dump()))
    assert capsys.readouterr().err.startswith("linear: 90.2 % (89.4 to 91.0), 0.31 ms/text")


def test_long_work_gives_a_sign_of_life(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.0)
    with working(quiet=False) as shown:
        shown.report(Progress("eval", "Asking.", 0.1, 60.0))
        shown.report(Progress("eval", "Still asking.", 0.2, 50.0))
    assert capsys.readouterr().err.splitlines()[1] == "Still asking. (about 50 s left)"


def test_quiet_is_quiet(capsys: Any) -> None:
    with working(quiet=True) as worked, climbing(("linear",), quiet=True) as shown:
        worked.report(Progress("eval", "Asking."))
        shown.report(Progress("eval", "Asking."))
        shown.say("Stopping.")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
