from __future__ import annotations

from metier.tools.python.inside.peers import GoneError
from metier.tools.python.inside.verdicts import shown, told, verdict


class Rude:
    def __repr__(self) -> str:
        raise SystemExit


class Gone:
    def __repr__(self) -> str:
        raise GoneError


def test_values_are_shown_in_a_line() -> None:
    assert shown([1, "a"]) == "[1, 'a']"
    assert len(shown("x" * 10_000)) <= 200
    assert len(shown([[list(range(100))] * 100] * 100)) <= 400
    assert shown(Rude()) == "(repr raised SystemExit)"
    assert shown(Gone()) == "(its process ended)"


def test_errors_are_told_with_their_place() -> None:
    error = ValueError("no")
    assert told(error) == "ValueError: no"
    error.add_note("solution.py, line 3")
    assert told(error) == "ValueError: no (solution.py, line 3)"
    assert told(KeyError()) == "KeyError"


def test_a_verdict_is_passed_failed_or_none() -> None:
    assert verdict(None)["standing"] == "passed"
    assert verdict("load", "why", 2) == {
        "standing": "failed",
        "stage": "load",
        "why": "why",
        "step": 2,
    }
    assert verdict("tests", "broken")["standing"] == "unscored"
    assert verdict("tests")["stage"] is None
