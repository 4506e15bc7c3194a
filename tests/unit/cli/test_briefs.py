"""A chat specialist or a pack on one screen: what it has, what is not measured, what comes next."""

from __future__ import annotations

from pathlib import Path

import pytest

import talking
from metier.assembly import Metier
from metier.cli.briefs import brief_lines


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home: Path = tmp_path_factory.mktemp("briefs") / "home"
    return talking.opened(home)


def told(metier: Metier, name: str) -> list[str]:
    return [line.plain for line in brief_lines(metier.show(name), 92)]


def test_a_chat_specialist(metier: Metier) -> None:
    lines = told(metier, "helper")
    assert lines[0].startswith("helper  chat, python, made ")
    text = "\n".join(lines)
    assert "reads        notes" in text
    assert "checks with  python" in text
    assert "any; some-model" in text
    assert "not measured: it takes a base" in text
    assert "metier eval helper --on python --base remote:NAME" in text
    assert lines[-1] == 'metier run helper --base remote:NAME "your question"'


def test_a_pack(metier: Metier) -> None:
    lines = told(metier, "notes")
    assert lines[0].startswith("notes  search, 2 passages, made ")
    assert any(line.split() == ["documents", "notes@1", "2", "2"] for line in lines)
    assert any("by words only" in line for line in lines)
    assert lines[-1] == 'metier run notes "how do I …"'
