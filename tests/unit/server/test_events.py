"""Server-sent events."""

from __future__ import annotations

from metier.server.events import event


def test_an_event_is_one_line_of_json() -> None:
    assert event({"a": "x\ny"}) == b'data: {"a":"x\\ny"}\n\n'
    assert event(1, "step") == b"event: step\ndata: 1\n\n"
