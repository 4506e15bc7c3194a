"""The card of a chat specialist."""

from __future__ import annotations

import pytest

from metier.card import ChatCard
from metier.errors import CorruptError

CARD = ChatCard(
    name="sveltekit",
    version="1",
    packs=("svelte-docs",),
    tools=("svelte",),
    recipe_id="sha256:" + "1" * 64,
    build_id="sha256:" + "2" * 64,
    system="sha256:" + "3" * 64,
    made="2026-11-23",
)


def test_a_card_survives_its_bytes() -> None:
    assert ChatCard.from_bytes(CARD.to_bytes()) == CARD


def test_another_task_is_no_chat_card() -> None:
    data = CARD.to_bytes().replace(b'"task":"chat"', b'"task":"search"')
    with pytest.raises(CorruptError, match="task"):
        ChatCard.from_bytes(data)


def test_it_claims_nothing_by_itself() -> None:
    assert CARD.evidence == ()
    assert CARD.rows == ()
