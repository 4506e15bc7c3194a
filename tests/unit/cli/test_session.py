"""The session: the façade is opened once, and only when a command asks for it."""

from __future__ import annotations

from typing import Any

from metier.cli.session import Session


def test_the_facade_is_opened_once_and_only_when_asked(facade: Any) -> None:
    opened: list[Any] = []

    def opener() -> Any:
        opened.append(facade)
        return facade

    session = Session(opener)
    assert opened == []
    assert session.metier is session.metier is facade
    assert opened == [facade]
