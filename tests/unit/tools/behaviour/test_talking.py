import json
from typing import Any

import pytest

from metier.errors import UnavailableError
from metier.tools.behaviour.talking import Conversation, Lost, Threw


class Scripted:
    """A process that answers as told: a harness whose replies a cheat has written."""

    def __init__(self, change: dict[str, Any] | bytes | UnavailableError) -> None:
        self._change = change
        self._asked: dict[str, Any] = {}
        self._nonce = ""

    def send(self, line: bytes) -> None:
        self._asked = json.loads(line)
        self._nonce = self._asked.get("nonce", self._nonce)

    def receive(self, *, seconds: float) -> bytes:
        if isinstance(self._change, UnavailableError):
            raise self._change
        if isinstance(self._change, bytes):
            return self._change
        honest = {"nonce": self._nonce, "turn": self._asked["turn"], "errors": 0, "pending": 0}
        return json.dumps({**honest, "meddled": "", "result": 7, **self._change}).encode()


def asked(change: dict[str, Any] | bytes | UnavailableError) -> Any:
    talk = Conversation(Scripted(change), seconds=1.0)  # type: ignore[arg-type]
    return talk.ask("prepare")


def test_an_honest_reply_is_believed() -> None:
    assert asked({}) == 7


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "0" * 32},
        {"turn": 2},
        {"turn": "1"},
        {"meddled": "x"},
        b"passed",
        b"[]",
        b"7",
        b"",
    ],
)
def test_other_replies_are_meddling(change: dict[str, Any] | bytes) -> None:
    with pytest.raises(Lost, match="meddles"):
        asked(change)


def test_what_the_answer_threw() -> None:
    with pytest.raises(Threw, match="TypeError: a b"):
        asked({"thrown": {"name": "TypeError", "message": "a\n\tb"}})


@pytest.mark.parametrize(
    ("code", "details", "said"),
    [
        ("sandbox_timeout", {}, "hung"),
        ("sandbox_reply", {}, "output"),
        ("sandbox_ended", {"stopped": "memory", "status": 137}, "memory"),
        ("sandbox_ended", {"stopped": None, "status": 0}, "ended the process"),
    ],
)
def test_how_it_ended_is_told(code: str, details: dict[str, Any], said: str) -> None:
    with pytest.raises(Lost, match=said):
        asked(UnavailableError("gone", code=code, details=details))
