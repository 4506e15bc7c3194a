"""The worker's loop: a line asks for a picture, a line answers.

It knows the two pipes of ``metier.sandbox`` and decoding. A request is one JSON object with
``kind``, ``width``, ``height``, ``side`` and ``data`` (base64); a reply has ``width``, ``height``,
``pixels`` (base64) and ``notes``, or ``refused``.
"""

from __future__ import annotations

import base64
import json
import os

from .decoding import RefusedError, decode

READY = b'"ready"\n'


def main(incoming: int, outgoing: int) -> None:
    """Answer on two descriptors until there are no more requests."""
    with os.fdopen(incoming, "rb") as requests, os.fdopen(outgoing, "wb") as replies:
        replies.write(READY)
        replies.flush()
        for line in requests:
            replies.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
            replies.flush()


def _answer(request: dict[str, object]) -> dict[str, object]:
    try:
        found = decode(
            base64.b64decode(str(request["data"])),
            str(request["kind"]),
            int(str(request["width"])),
            int(str(request["height"])),
            int(str(request["side"])),
        )
    except RefusedError as error:
        return {"refused": str(error)}
    return {
        "width": found.width,
        "height": found.height,
        "pixels": base64.b64encode(found.pixels).decode("ascii"),
        "notes": list(found.notes),
    }
