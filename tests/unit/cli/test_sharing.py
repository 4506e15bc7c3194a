"""Sharing: imports and exports name what came in and where it went."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_import(metier: Any, facade: Any, tmp_path: Path) -> None:
    outcome = metier("import", str(tmp_path), "--name", "mine")
    assert (
        outcome.out
        == "Imported sms-spam (specialist, 412 kB).\nLook at it:  metier show sms-spam\n"
    )
    assert facade.calls[-1] == ("import_path", {"path": tmp_path, "name": "mine"})
    document = metier("import", str(tmp_path), "--json").json()
    assert document["imported"][0]["name"] == "sms-spam"


def test_import_of_nothing_is_input(metier: Any) -> None:
    outcome = metier("import", "nowhere")
    assert outcome.code == 2
    assert "There is no file or folder 'nowhere'." in outcome.err


def test_export(metier: Any, tmp_path: Path) -> None:
    words = ("export", "sms-spam", "--to", str(tmp_path))
    assert metier(*words).out.startswith(f"Exported sms-spam to {tmp_path / 'sms-spam'}.\n")
    assert metier(*words, "--json").json() == {
        "name": "sms-spam",
        "path": str(tmp_path / "sms-spam"),
    }
    assert metier("export", "sms-spam").code == 2
