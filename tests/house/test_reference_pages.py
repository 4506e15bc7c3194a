"""Reference pages are complete: every error class and every setting of the code stands on its page.

The pages of the command line and of HTTP are checked where those are tested.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metier import errors
from metier.card import Card, ChatCard, SearchCard

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
SETTINGS = ROOT / "src" / "metier" / "settings.py"


def first_cells(text: str) -> list[list[str]]:
    """The code spans in the first cell of every table row."""
    rows = re.findall(r"^\| (`.*?) \|", text, re.M)
    return [re.findall(r"`([^`]+)`", row) for row in rows]


def error_classes() -> dict[str, str]:
    """Every class of the error tree but its root, with its default code."""
    waiting, found = [errors.MetierError], {}
    while waiting:
        for kind in waiting.pop().__subclasses__():
            if kind.__module__ == errors.__name__:
                found[kind.__name__] = kind.default_code
                waiting.append(kind)
    return found


def test_every_error_stands_on_its_page() -> None:
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.M))
    assert len(rows) >= 7
    assert rows == error_classes()


def test_every_setting_stands_on_its_page() -> None:
    if not SETTINGS.exists():
        pytest.skip("the settings are not part of this tree")
    variable = r"\b((?:METIER|HF)_[A-Z_]+|NO_COLOR)\b"
    read = set(re.findall(variable, SETTINGS.read_text(encoding="utf-8")))
    for path in (ROOT / "src").rglob("*.py"):
        read.update(re.findall(r'envvar="(\w+)"', path.read_text(encoding="utf-8")))
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    told = {name for row in first_cells(page) for name in row}
    assert told == read


def test_every_field_of_the_card_stands_on_its_page() -> None:
    page = (ROOT / "docs" / "formats" / "card.md").read_text(encoding="utf-8")
    told = {name for row in first_cells(page) for name in row}
    kinds = (Card, ChatCard, SearchCard)
    assert {name for kind in kinds for name in kind.model_fields} == told
