"""The worker's loop over two pipes: a picture, a refusal, and its end when nobody asks."""

from __future__ import annotations

import base64
import json
import os
import threading

from metier.pictures.inside.program import main
from tiny_vision import pixels, png


def test_it_greets_answers_and_ends() -> None:
    incoming, ask = os.pipe()
    hear, outgoing = os.pipe()
    worker = threading.Thread(target=main, args=(incoming, outgoing))
    worker.start()
    picture = pixels("red", 1, side=6)
    with os.fdopen(hear, "rb") as heard:
        with os.fdopen(ask, "wb") as asked:
            assert heard.readline() == b'"ready"\n'
            for data in (png(picture), b"\x89PNG\r\n\x1a\n"):
                request = {"kind": "png", "width": 6, "height": 6, "side": 64}
                request["data"] = base64.b64encode(data).decode()  # type: ignore[assignment]
                asked.write(json.dumps(request).encode() + b"\n")
                asked.flush()
            found, refused = json.loads(heard.readline()), json.loads(heard.readline())
        worker.join(10)
    assert base64.b64decode(found["pixels"]) == picture.tobytes()
    assert (found["width"], found["height"], found["notes"]) == (6, 6, [])
    assert "PNG" in refused["refused"]
