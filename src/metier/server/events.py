"""Server-sent events: how a streamed answer stands on the wire.

Pure translation: no I/O, no framework.
"""

from __future__ import annotations

import json

DONE = b"data: [DONE]\n\n"
ALIVE = b": still at work\n\n"
"""A comment, which clients leave out; it keeps connections open while nothing is written."""


def event(value: object, name: str | None = None) -> bytes:
    """One event; ``value`` as JSON on one line."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {body}\n\n".encode()
