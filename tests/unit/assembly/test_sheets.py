"""What show tells of a specialist; of local models see test_models."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.assembly import Metier
from metier.assembly.sheets import plain, proofs_of
from metier.formats import LongArray
from metier.settings import Settings


@pytest.fixture
def metier(tmp_path: Path) -> Metier:
    opened = Metier.open(Settings(home=tmp_path))
    opened.install_starters(lambda _: None)
    return opened


def test_a_classifier_tells_its_proofs(metier: Metier) -> None:
    sheet = metier.models.sheet("banking-intents")
    assert sheet.metadata["general.architecture"] == "specialist"
    assert sheet.metadata["metier.task"] == "classify"
    assert sheet.proofs
    assert all(" n " in proof and "difference" in proof for proof in sheet.proofs)
    assert sheet.context == 0


def test_a_chat_specialist_tells_its_prompt(metier: Metier) -> None:
    sheet = metier.models.sheet("sveltekit")
    assert "Svelte" in sheet.system
    assert sheet.listing.task == "chat"
    assert sheet.proofs == ()


def test_lists_that_were_passed_over_are_null() -> None:
    found = plain({"a": LongArray("string", 5), "b": (1, 2), "c": "x"})
    assert found == {"a": None, "b": [1, 2], "c": "x"}
    assert proofs_of(None) == ()
