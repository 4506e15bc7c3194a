"""The card of a document pack."""

from __future__ import annotations

import pytest

from metier.card import SearchCard
from metier.errors import CorruptError

FACTS = {
    "name": "notes",
    "version": "1",
    "sources": [{"source": "folder", "files": 2, "passages": 5, "files_sha256": "0" * 64}],
    "passages": 5,
    "recipe_id": "sha256:" + "1" * 64,
    "build_id": "sha256:" + "2" * 64,
    "system": "sha256:" + "3" * 64,
    "made": "2026-11-23",
    "seconds": 1.0,
    "cpu_seconds": 1.0,
    "machine": {"processor": "p", "cores": 2, "system": "s", "python": "3.11"},
}


def test_a_card_survives_its_bytes() -> None:
    card = SearchCard.model_validate(FACTS)
    assert SearchCard.from_bytes(card.to_bytes()) == card
    assert card.to_dict()["task"] == "search"


def test_without_an_encoder_there_is_no_base() -> None:
    assert SearchCard.model_validate(FACTS).base is None


def test_a_card_without_sources_is_refused() -> None:
    card = SearchCard.model_validate(FACTS)
    data = card.to_bytes().replace(b'"passages":5,"recipe_id"', b'"passages":"x","recipe_id"')
    with pytest.raises(CorruptError, match="passages"):
        SearchCard.from_bytes(data)
