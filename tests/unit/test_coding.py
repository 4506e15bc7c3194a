from __future__ import annotations

from metier.coding import Checked, Diagnostic

ERROR = Diagnostic(code="a", message="Wrong.", path="A.svelte", line=1, column=2)
WARNING = Diagnostic(code="b", message="Doubtful.", severity="warning")


def test_a_diagnostic_is_told_without_empty_fields() -> None:
    assert ERROR.as_dict() == {
        "code": "a", "message": "Wrong.", "severity": "error", "path": "A.svelte", "line": 1,
        "column": 2,
    }  # fmt: skip
    assert WARNING.as_dict().keys() == {"code", "message", "severity"}


def test_warnings_stop_nothing() -> None:
    assert Checked(ok=False, diagnostics=(WARNING, ERROR)).errors == (ERROR,)
    assert Checked(ok=True, diagnostics=(WARNING,)).errors == ()
