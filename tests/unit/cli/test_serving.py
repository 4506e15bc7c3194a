"""Serving: the port that was asked for or the next free one, and no open door without a key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metier.cli.serving import serve_nearby
from metier.errors import UnavailableError


def taken(*ports: int) -> Callable[[int, Callable[[], None]], None]:
    def serve(port: int, ready: Callable[[], None]) -> None:
        if port in ports:
            raise UnavailableError(f"Port {port} is taken.", code="port_taken")
        ready()

    return serve


def test_the_port_that_was_asked_for_if_it_is_free() -> None:
    used: list[int] = []
    serve_nearby(11434, taken(), used.append)
    assert used == [11434]


def test_the_next_free_port_if_it_is_taken() -> None:
    used: list[int] = []
    serve_nearby(11434, taken(11434, 11435), used.append)
    assert used == [11436]


def test_no_port_at_all_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="the 20 after it are taken") as raised:
        serve_nearby(11434, taken(*range(11434, 11500)), print)
    assert raised.value.code == "no_port"


def test_the_last_port_has_no_next() -> None:
    with pytest.raises(UnavailableError) as raised:
        serve_nearby(65_535, taken(65_535), print)
    assert raised.value.code == "no_port"


def test_other_troubles_are_not_hidden() -> None:
    def serve(_port: int, _ready: Callable[[], None]) -> None:
        raise UnavailableError("Something else.", code="other")

    with pytest.raises(UnavailableError, match="Something else"):
        serve_nearby(11434, serve, print)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "0.0.0.0"), "lets others in and needs a key."),
        (("--api-key-file", "nowhere"), "cannot be read."),
        (("--api-key-file", "EMPTY"), "is empty."),
        (("--port", "0"), "0 is not in the range"),
    ],
)
def test_wrong_words_are_input(metier: Any, tmp_path: Path, words: Any, told: str) -> None:
    empty = tmp_path / "key"
    empty.write_text("\n")
    outcome = metier("up", *(str(empty) if word == "EMPTY" else word for word in words))
    assert outcome.code == 2
    assert told in " ".join(outcome.err.split())
