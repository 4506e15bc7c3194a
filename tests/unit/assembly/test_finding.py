"""Finding over one home: what is installed is found, and named one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.assembly import Metier
from metier.errors import NotFoundError
from metier.finding import Query
from metier.settings import Settings


def test_what_is_installed_is_found(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path))
    metier.install_starters(lambda _: None)
    found = metier.find(Query(words="banking"))
    assert [hit.entry.name for hit in found.hits] == ["banking-intents"]
    assert found.hits[0].installed == "banking-intents"
    assert found.hits[0].proof is None, "a starter's evidence is a claim until measured here"


def test_an_entry_by_name(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path))
    metier.install_starters(lambda _: None)
    assert metier.entry("here", "sveltekit").entry.task == "chat"
    with pytest.raises(NotFoundError) as told:
        metier.entry("here", "svelte-kit")
    assert told.value.code == "no_entry"
    assert "sveltekit" in told.value.message
