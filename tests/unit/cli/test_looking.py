"""A pack on the command line: the passages, or one JSON document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import talking
from metier.assembly import Metier
from metier.cli.looking import look_up


@pytest.fixture
def metier(tmp_path: Path) -> Metier:
    return talking.opened(tmp_path / "home")


def test_passages_with_their_places(metier: Metier, capsys: pytest.CaptureFixture[str]) -> None:
    look_up(metier, "notes", "sort a list", top=1, as_json=False)
    out = capsys.readouterr().out
    assert out.startswith("[1] Lists")
    assert "sorted(items)" in out
    assert "[2]" not in out


def test_nothing_found_is_said(metier: Metier, capsys: pytest.CaptureFixture[str]) -> None:
    look_up(metier, "notes", "zzzz qqqq", top=None, as_json=False)
    assert capsys.readouterr().out == "notes has nothing on this.\n"


def test_json(metier: Metier, capsys: pytest.CaptureFixture[str]) -> None:
    look_up(metier, "notes", "bracket", top=None, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["query"] == "bracket"
    assert document["passages"][0]["path"] == "errors.md"
