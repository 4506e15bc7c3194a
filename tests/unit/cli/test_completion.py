"""Completion: each shell has its script, and commands, names and options are offered."""

from __future__ import annotations

from typing import Any

import pytest

from metier.cli import main
from metier.cli.program import COMMANDS
from metier.cli.session import Session
from metier.errors import StorageError


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(metier: Any, shell: str) -> None:
    outcome = metier("completion", shell)
    assert outcome.code == 0
    assert "_METIER_COMPLETE" in outcome.out
    assert f"{shell}_complete" in outcome.out
    document = metier("completion", shell, "--json").json()
    assert document["script"] in outcome.out
    assert "metier completion" in document["install"]


def test_another_shell_is_input(metier: Any) -> None:
    assert metier("completion", "tcsh").code == 2


@pytest.fixture
def offered(facade: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """What bash is offered after ``metier WORDS``; the last word is being typed."""

    def complete(*words: str) -> set[str]:
        monkeypatch.setenv("_METIER_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["metier", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit):
            main([], obj=Session(lambda: facade))
        return {line.split(",", 1)[1] for line in capsys.readouterr().out.split()}

    return complete


def test_commands_complete(offered: Any) -> None:
    assert offered("co") == {name for name in COMMANDS if name.startswith("co")}


def test_names_complete(offered: Any) -> None:
    assert offered("run", "ba") == {"banking-intents"}
    assert offered("compare", "sms-spam", "all") == {"all-minilm-l6-v2"}


def test_options_complete(offered: Any) -> None:
    assert offered("make", "--dr") == {"--drop-leaks"}


def test_a_store_that_cannot_be_read_offers_nothing(offered: Any, facade: Any) -> None:
    facade.failure = StorageError("The store is damaged.")
    assert offered("run", "ba") == set()
