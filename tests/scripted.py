"""A scripted chat service on the loopback: what it says next, byte by byte, and what it saw."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from metier.services import Service


@dataclass
class Scripted:
    """One reply.

    ``pieces`` are sent one by one as they are, ``pause`` seconds apart; ``document`` is sent as
    JSON where there are none. ``hang`` keeps the connection open without a word at the end, and
    ``cut`` promises a byte that never comes.
    """

    status: int = 200
    document: Any = None
    pieces: Sequence[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0
    hang: bool = False
    cut: bool = False


@dataclass
class Seen:
    """What the service saw; ``left`` is set once a client went away before the end."""

    service: Service
    script: list[Scripted] = field(default_factory=list)
    bodies: list[dict] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    connections: set = field(default_factory=set)
    always: Callable[[dict], Scripted] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, body: dict) -> Scripted:
        """The next of the script, else what is always said, else an error."""
        with self.lock:
            self.bodies.append(body)
            if self.script:
                return self.script.pop(0)
        return self.always(body) if self.always else Scripted(500, {"error": "no script"})


def said(text: str, *, finish: str = "stop", **message: Any) -> Scripted:
    """A whole answer."""
    return Scripted(document=body_of(text, finish=finish, **message))


def body_of(text: str | None, *, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A whole answer's body."""
    return {
        "model": "big-model",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": {"prompt_tokens": 50, "completion_tokens": 5},
    }


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """One chunk of a streamed answer."""
    return {"model": "big-model", "choices": [{"delta": delta, "finish_reason": finish}]}


def usage(tokens_in: int = 50, tokens_out: int = 5) -> dict[str, Any]:
    """The chunk that counts."""
    counts = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}
    return {"choices": [], "usage": counts}


def event(document: Mapping[str, Any] | str) -> bytes:
    """One event of a stream."""
    data = document if isinstance(document, str) else json.dumps(document)
    return f"data: {data}\n\n".encode()


def streamed(*texts: str, finish: str = "stop", pause: float = 0.0) -> Scripted:
    """A streamed answer in these pieces, with its usage."""
    pieces = [event(chunk(content=text)) for text in texts]
    pieces += [event(chunk(finish)), event(usage()), event("[DONE]")]
    return stream_of(*pieces, pause=pause)


def stream_of(*pieces: bytes, **more: Any) -> Scripted:
    """A stream of these bytes."""
    return Scripted(pieces=pieces, headers={"Content-Type": "text/event-stream"}, **more)


def told(text: str) -> Callable[[dict], Scripted]:
    """Always this text, streamed or whole as asked."""
    return lambda body: streamed(text) if body.get("stream") else said(text)


@contextmanager
def service(*script: Scripted, **fields: Any) -> Iterator[Seen]:
    """A running service that follows the script; ``fields`` go to its ``Service``."""
    seen = Seen(Service("http://x/v1", "big-model"), list(script))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.paths.append(self.path)
            seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            seen.connections.add(self.client_address)
            reply = seen.reply(body)
            pieces = reply.pieces or [json.dumps(reply.document).encode()]
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if "Content-Type" not in reply.headers:
                self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                self.send(reply, pieces)
            except OSError:
                seen.left.set()
                self.close_connection = True

        def send(self, reply: Scripted, pieces: Sequence[bytes]) -> None:
            for piece in pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(reply.pause)
            if reply.cut:
                self.wfile.write(b"5\r\nab")
                self.close_connection = True
            elif reply.hang:
                self.wait_for_the_end()
            else:
                self.wfile.write(b"0\r\n\r\n")

        def wait_for_the_end(self) -> None:
            self.close_connection = True
            self.connection.settimeout(20.0)
            if self.connection.recv(1) == b"":
                seen.left.set()

        def log_message(self, *args: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    given: dict[str, Any] = {"key": "sk-secret", "price_in": 1.0, "price_out": 4.0, **fields}
    seen.service = Service(url, "big-model", **given)
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
