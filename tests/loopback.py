"""A general model on the loopback: a real HTTP service that answers as the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKENS_IN, TOKENS_OUT = 50, 5


class Asked:
    """What the service was asked; ``reply`` gives the status and the label of an answer."""

    def __init__(self, reply: Callable[[dict], tuple[int, str]]) -> None:
        self.reply = reply
        self.bodies: list[dict] = []
        self.lock = threading.Lock()

    def questions(self) -> list[str]:
        """The text of every call."""
        return [body["messages"][-1]["content"] for body in self.bodies]


@contextmanager
def serving(reply: Callable[[dict], tuple[int, str]]) -> Iterator[tuple[Asked, str]]:
    """The record of what is asked, and the address up to and including ``/v1``."""
    asked = Asked(reply)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with asked.lock:
                asked.bodies.append(body)
            status, label = asked.reply(body)
            data = json.dumps(
                {
                    "choices": [{"message": {"content": json.dumps({"label": label})}}],
                    "usage": {"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT},
                }
            ).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield asked, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def label_of(text: str, subjects: dict[str, list[str]], otherwise: str) -> str:
    """The label one of whose subjects stands in the text."""
    found = (label for label, words in subjects.items() if any(word in text for word in words))
    return next(found, otherwise)
