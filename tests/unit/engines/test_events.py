"""Server-sent events: the same data in whatever portions the bytes come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.engines import events
from metier.engines.events import EventReader
from metier.errors import UnavailableError

TEXTS = st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), max_size=6)


def read(*portions: bytes) -> list[str]:
    reader = EventReader()
    return [data for portion in portions for data in reader.feed(portion)] + reader.end()


@given(
    texts=TEXTS,
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(0, 500), max_size=8),
)
def test_portions_change_nothing(texts, ending, cuts) -> None:
    whole = "".join(f"data: {text}{ending}{ending}" for text in texts).encode()
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    portions = [whole[first:last] for first, last in pairwise(edges)]
    assert read(*portions) == texts


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b": comment\n\ndata: a\n\n", ["a"]),
        (b"event: ping\nid: 1\nretry: 5\n\n", []),
        (b"event: x\ndata: a\ndata: b\n\n", ["a\nb"]),
        (b"data: a\n", ["a"]),
        (b"data: a", ["a"]),
        (b"data\n\n", [""]),
        (b"nonsense\n\n", []),
        (b"", []),
        (b"data: \xff\n\n", ["\ufffd"]),
        ("data: a\u2028b\x85c\n\n".encode(), ["a\u2028b\x85c"]),
    ],
)
def test_odd_streams(stream, found) -> None:
    assert read(stream) == found


def test_many_lines_of_one_event_are_limited_too(monkeypatch) -> None:
    monkeypatch.setattr(events, "LONGEST_EVENT", 1000)
    lines = b"".join(b"data: " + b"x" * 100 + b"\n" for _ in range(100))
    with pytest.raises(UnavailableError):
        EventReader().feed(lines)
