from __future__ import annotations

import pytest

from metier.card import Interval
from metier.card.parsing import card_of
from metier.errors import CorruptError


def test_a_document_becomes_its_kind() -> None:
    assert card_of(Interval, b'{"low": 0.1, "high": 0.2}') == Interval(low=0.1, high=0.2)


@pytest.mark.parametrize(
    ("data", "where"),
    [(b'{"low": 1}', "high"), (b'{"low": 1, "high": 2, "x": 3}', "x"), (b"{", "")],
)
def test_the_field_that_is_wrong_is_named(data: bytes, where: str) -> None:
    with pytest.raises(CorruptError, match=f"{where}:" if where else "the document") as caught:
        card_of(Interval, data)
    assert caught.value.code == "bad_card"
