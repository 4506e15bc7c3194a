"""The two descriptors on which a sandboxed process talks with Metier, line by line.

It knows how the sandbox names them and how a line is read whole; it knows nothing of what is said.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def open_lines() -> tuple[Callable[[], bytes], Callable[[bytes], None]]:
    """Functions that receive and send one line; receiving raises EOFError at the end."""
    requests = os.fdopen(int(os.environ["METIER_REQUESTS"]), "rb", closefd=False)
    replies = int(os.environ["METIER_REPLIES"])

    def receive() -> bytes:
        line = requests.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the channel is closed")
        return line

    def send(line: bytes) -> None:
        left = memoryview(line + b"\n")
        while left:
            left = left[os.write(replies, left) :]

    return receive, send
