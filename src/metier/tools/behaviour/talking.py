"""The conversation with one sandboxed harness: a request, its reply, and what may go wrong between.

It knows nonces, turns and time; it knows no step. A reply without this conversation's nonce or out
of turn means that the answer meddles with the judge.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from metier.errors import MetierError
from metier.sandbox import Running
from metier.tools.behaviour.values import to_wire

PATIENCE_MS = 1000
"""How long a promise may take that a step waits for."""


class Threw(Exception):  # noqa: N818  what an answer threw is no error of ours
    """The answer threw while it did what it was asked."""

    def __init__(self, name: str, message: str) -> None:
        folded = " ".join(message.split())
        super().__init__(f"{name}: {folded}"[:300])
        self.name = name
        self.message = message


class Lost(Exception):  # noqa: N818  the judgement ends here, by fault of the answer
    """The conversation is over: no reply in time, the process ended, or it was meddled with."""


class Conversation:
    """Requests to one process, one at a time.

    Args:
        running: The process, which has said that it is ready.
        seconds: How long the whole conversation may take.
    """

    def __init__(self, running: Running, *, seconds: float) -> None:
        self._running = running
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._nonce = secrets.token_hex(16)
        self._turn = 0
        self.errors = 0
        self.pending = 0

    @property
    def left(self) -> float:
        """Seconds that are left of the whole."""
        return self._until - time.monotonic()

    def ask(self, do: str, **arguments: Any) -> Any:
        """The result of one request.

        Raises:
            Threw: The answer threw.
            Lost: There was no honest reply.
        """
        self._turn += 1
        request = {"do": do, "turn": self._turn, "patience": PATIENCE_MS, **arguments}
        if do == "prepare":
            request["nonce"] = self._nonce
        try:
            self._running.send(json.dumps(to_wire(request)).encode("ascii"))
            line = self._running.receive(seconds=max(0.01, self.left))
        except MetierError as error:
            raise Lost(self._ending(error)) from error
        return self._read(line)

    def _read(self, line: bytes) -> Any:
        try:
            reply = json.loads(line)
            honest = reply["nonce"] == self._nonce and reply["turn"] == self._turn
        except (ValueError, TypeError, KeyError, RecursionError):
            honest = False
        if not honest:
            raise Lost("The answer meddles with the judge: a reply was forged.")
        if reply["meddled"]:
            raise Lost(
                f"The answer meddles with the judge: it changed {str(reply['meddled'])[:80]}."
            )
        self.errors, self.pending = int(reply["errors"]), int(reply["pending"])
        if "thrown" in reply:
            thrown = reply["thrown"]
            raise Threw(str(thrown["name"]), str(thrown["message"]))
        return reply["result"]

    def _ending(self, error: MetierError) -> str:
        if error.code == "sandbox_timeout":
            return f"The answer hung: nothing came back within {self._seconds:g} s."
        if error.code == "sandbox_reply":
            return "The answer produced more output than allowed."
        stopped = (error.details or {}).get("stopped")
        status = (error.details or {}).get("status")
        reasons = {
            "memory": "The answer took more memory than allowed and was ended.",
            "time": "The answer took more processor time than allowed and was ended.",
            "processes": "The answer started too many processes and was ended.",
            "disk": "The answer wrote more than allowed and was ended.",
            "output": "The answer printed more than allowed and was ended.",
        }
        return reasons.get(
            str(stopped), f"The answer ended the process it ran in (status {status})."
        )
