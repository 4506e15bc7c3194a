from __future__ import annotations

from metier.features import fold
from metier.router.elsewhere import requests_elsewhere


def test_they_are_many_and_distinct_and_always_the_same() -> None:
    found = requests_elsewhere()
    assert len(found) > 1_500
    assert len({fold(text) for text in found if fold(text)}) > 0.99 * len(found)
    assert found is requests_elsewhere()


def test_no_frame_is_left_open() -> None:
    for text in requests_elsewhere():
        assert "{}" not in text
        assert "{name}" not in text
        assert text.strip()
