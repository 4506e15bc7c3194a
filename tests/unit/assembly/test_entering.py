"""Entries of what is installed: which fact of a card or a listing becomes which field."""

from __future__ import annotations

from pathlib import Path

from local_models import install_local
from metier.assembly import Metier
from metier.assembly.entering import entry_of, upstream_of
from metier.settings import Settings
from tiny_gguf import tiny_model


def test_a_specialist_by_its_card(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path))
    metier.install_starters(lambda _: None)
    entry = entry_of(metier.show("banking-intents"))
    assert (entry.kind, entry.task, entry.domain) == ("specialist", "classify", "banking")
    assert "card_arrival" in entry.also
    assert entry.evidence
    assert entry.base == "all-minilm-l6-v2"


def test_a_model_by_its_header(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path / "home"))
    install_local(metier.fleet, "tiny", tiny_model(tmp_path))
    entry = entry_of(metier.show("tiny"), metier.models.listing("tiny"))
    assert (entry.kind, entry.task) == ("model", "chat")
    assert entry.parameters
    assert entry.size_bytes == metier.show("tiny").size_bytes
    assert upstream_of(metier.show("tiny")) == ""
