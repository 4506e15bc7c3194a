from __future__ import annotations

import json

import pytest

from metier.card import DocumentSource, Machine, SearchCard
from metier.errors import CorruptError

DIGEST = "sha256:" + "0" * 64


def card() -> SearchCard:
    return SearchCard(
        name="docs",
        version="1",
        sources=(DocumentSource(source="a/b@0", files=2, passages=5, files_sha256="0" * 64),),
        passages=5,
        recipe_id=DIGEST,
        build_id=DIGEST,
        system=DIGEST,
        made="2026-11-23",
        seconds=1.0,
        cpu_seconds=1.0,
        machine=Machine(processor="x", cores=2, system="Linux", python="3.12"),
    )


def test_the_same_card_has_the_same_bytes() -> None:
    assert SearchCard.from_bytes(card().to_bytes()) == card()
    assert card().base is None, "by words only"


def test_a_wrong_field_is_named() -> None:
    bad = card().to_dict()
    bad["sources"][0]["files"] = "many"
    with pytest.raises(CorruptError, match=r"sources\.0\.files"):
        SearchCard.from_bytes(json.dumps(bad).encode())
