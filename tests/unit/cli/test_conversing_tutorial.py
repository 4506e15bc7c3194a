"""The commands of the tutorial on SvelteKit are commands: every word of them is understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from metier.cli.program import program

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tutorial" / "sveltekit.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.S | re.M)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.strip()]


def test_the_tutorial_has_commands() -> None:
    assert len(COMMANDS) > 10
    assert all(line.startswith("metier ") for line in COMMANDS)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_word_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    with click.Context(program, help_option_names=["-h", "--help"]) as root:
        command = program.get_command(root, words[0])
        assert command is not None
        command.make_context(words[0], words[1:], parent=root, resilient_parsing=False)
