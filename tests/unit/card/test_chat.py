from __future__ import annotations

import json

import pytest

from metier.card import ChatCard, Row
from metier.errors import CorruptError

DIGEST = "sha256:" + "0" * 64


def card(**changes: object) -> ChatCard:
    fields = {
        "name": "kit",
        "version": "1",
        "tools": ("svelte",),
        "bases": (("some-model", "not measured"),),
        "rows": (Row(role="specialist", name="kit on svelte", note="no base"),),
        "recipe_id": DIGEST,
        "build_id": DIGEST,
        "system": DIGEST,
        "made": "2026-11-23",
    }
    return ChatCard.model_validate({**fields, **changes})


def test_the_same_card_has_the_same_bytes() -> None:
    assert ChatCard.from_bytes(card().to_bytes()) == card()
    assert card().to_dict()["task"] == "chat"
    assert card().evidence == ()


@pytest.mark.parametrize("change", [{"task": "classify"}, {"labels": ["a"]}, {"made": None}])
def test_fields_of_another_task_are_refused(change: dict[str, object]) -> None:
    bad = card().to_dict() | change
    with pytest.raises(CorruptError, match=next(iter(change))) as caught:
        ChatCard.from_bytes(json.dumps(bad).encode())
    assert caught.value.code == "bad_card"
