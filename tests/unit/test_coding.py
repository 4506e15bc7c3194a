"""The shapes of code work."""

from __future__ import annotations

from metier.coding import Checked, Diagnostic, Judged


def test_a_diagnostic_is_written_without_empty_fields() -> None:
    item = Diagnostic("rune", "no", path="A.svelte", line=2)
    assert item.as_dict() == {
        "code": "rune",
        "message": "no",
        "severity": "error",
        "path": "A.svelte",
        "line": 2,
    }


def test_only_errors_stop_an_answer() -> None:
    warning = Diagnostic("a11y", "hm", severity="warning")
    error = Diagnostic("rune", "no")
    assert Checked(False, (warning, error)).errors == (error,)


def test_an_unscored_judgement_is_no_failure() -> None:
    assert Judged("unscored").standing != "failed"
