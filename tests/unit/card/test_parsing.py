"""From bytes to a card of a known kind."""

from __future__ import annotations

import pytest

from metier.card import Interval
from metier.card.parsing import card_of
from metier.errors import CorruptError


def test_what_is_right_is_parsed() -> None:
    assert card_of(Interval, b'{"low": 0, "high": 1}') == Interval(low=0, high=1)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b'{"low": 0}', "high"), (b"{", "document"), (b'{"low": 0, "high": 1, "x": 2}', "x")],
)
def test_what_is_wrong_is_named(data: bytes, words: str) -> None:
    with pytest.raises(CorruptError, match=words) as caught:
        card_of(Interval, data)
    assert caught.value.code == "bad_card"
