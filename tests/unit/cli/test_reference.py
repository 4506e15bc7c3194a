"""The reference page: it is what the command definitions say, for every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.cli.program import COMMANDS
from metier.cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_definitions_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "Write it again: python -m metier.cli.reference > docs/reference/cli.md"
    )


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_its_section(name: str) -> None:
    assert f"\n## metier {name}\n" in reference()
