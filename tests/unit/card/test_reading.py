from __future__ import annotations

import pytest

from metier.card import ChatCard, read_card
from metier.errors import CorruptError

DIGEST = "sha256:" + "0" * 64
CHAT = ChatCard(
    name="kit", version="1", recipe_id=DIGEST, build_id=DIGEST, system=DIGEST, made="2026-11-23"
)


def test_the_task_decides() -> None:
    assert read_card(CHAT.to_bytes()) == CHAT


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"task": "paint"}', "'paint' is not one of classify, classify-image, chat, search"),
        (b'{"task": 3}', "'3' is not one of"),
        (b"{", "not JSON"),
        (b"[]", "not valid"),
        (b'{"name": "a card of the first release names no task"}', "version"),
    ],
)
def test_what_is_no_card_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(CorruptError, match=told) as caught:
        read_card(data)
    assert caught.value.code == "bad_card"
