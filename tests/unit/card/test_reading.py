"""Which kind of card some bytes are."""

from __future__ import annotations

import pytest

from metier.card import ChatCard, read_card
from metier.errors import CorruptError
from stand_in.cards import banking

CHAT = ChatCard(
    name="coder",
    version="1",
    recipe_id="sha256:" + "1" * 64,
    build_id="sha256:" + "2" * 64,
    system="sha256:" + "3" * 64,
    made="2026-11-23",
)


def test_the_task_decides() -> None:
    assert read_card(CHAT.to_bytes()) == CHAT
    assert read_card(banking().to_bytes()).name == banking().name


def test_a_card_that_names_no_task_classifies() -> None:
    data = banking().to_bytes().replace(b'"task":"classify",', b"")
    assert read_card(data).task == "classify"


@pytest.mark.parametrize("data", [b"nonsense", b"[]", b'{"task": "paint"}', b'{"task": 3}'])
def test_what_is_no_card_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptError) as caught:
        read_card(data)
    assert caught.value.code == "bad_card"
