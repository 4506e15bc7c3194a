"""How long is a token on its way from the model's thread to the caller's socket?

A model that says scripted words stands behind the real server of this process; callers on kept
connections stream ``/api/chat``. Three times are taken: from the whole request sent to the question
reaching the model, from the first piece handed over to its bytes read by the caller, and the same
for every later piece, with one caller and with four. Their sum at the first token is what the
server adds to it. To reach: 3 ms at the median.

    python benchmarks/stream_overhead.py --out benchmarks/results/stream_overhead.json
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from record import write

from metier.generating import ModelListing, Piece, Question, Written
from metier.server import create_app
from metier.server.run import bind, server_for
from metier.site import Site

REACH_MS = 3.0
WORDS = 20
PAUSE = 0.02


class Scripted:
    """A façade whose only model says the time at which it speaks."""

    def __init__(self) -> None:
        self.models = self.routing = self

    def listing(self, name: str) -> ModelListing:
        """The model."""
        return ModelListing(name, "0" * 64, 1, "2026-01-01T00:00:00Z", "generate")

    def ask(self, _name: str, question: Question, *, on_piece: Any, **_how: Any) -> Written:
        """Say when the question came, then the time, again and again."""
        asked = time.perf_counter()
        del question
        on_piece(Piece(f"{asked} {time.perf_counter()}"))
        for _ in range(WORDS - 1):
            time.sleep(PAUSE)
            on_piece(Piece(f"{asked} {time.perf_counter()}"))
        return Written("")


@contextmanager
def serving(metier: Any) -> Iterator[int]:
    """A server for ``metier``; gives its port."""
    ready = threading.Event()
    with bind("127.0.0.1", 0) as listener:
        server = server_for(create_app(metier, Site()), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert ready.wait(20)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def ask(port: int, rounds: int, found: list[tuple[float, float, list[float]]]) -> None:
    """Milliseconds to the model, of the first piece and of the later ones, for each question."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(rounds):
            sent = time.perf_counter()
            caller.sendall(head.encode() + body)
            there, way = 0.0, []
            for came, line in lines(caller):
                told = json.loads(line)
                if told["done"]:
                    continue
                asked, said = map(float, told["message"]["content"].split())
                there = (asked - sent) * 1000
                way.append((came - said) * 1000)
            found.append((there, way[0], way[1:]))


def lines(caller: socket.socket) -> Iterator[tuple[float, bytes]]:
    """Each line of a chunked answer, and when its last byte was read."""
    rest = b""
    while b"\r\n\r\n" not in rest:
        rest += caller.recv(65536)
    came = time.perf_counter()
    rest = rest.partition(b"\r\n\r\n")[2]
    while True:
        while b"\r\n" in rest and len(rest) >= (end := _chunk_end(rest)):
            chunk, rest = rest[: end - 2].partition(b"\r\n")[2], rest[end:]
            if not chunk:
                return
            for line in chunk.splitlines():
                yield came, line
        rest += caller.recv(65536)
        came = time.perf_counter()


def _chunk_end(rest: bytes) -> int:
    size, _, _ = rest.partition(b"\r\n")
    return len(size) + 2 + int(size, 16) + 2


def measure(port: int, callers: int, rounds: int) -> dict[str, Any]:
    """The figures with so many callers at once."""
    found: list[tuple[float, float, list[float]]] = []
    spent = time.process_time()
    threads = [threading.Thread(target=ask, args=(port, rounds, found)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.process_time() - spent
    later = [way for _, _, ways in found for way in ways]
    return {
        "callers": callers,
        "questions": len(found),
        "to_the_model_ms": of([there for there, _, _ in found]),
        "first_piece_ms": of([first for _, first, _ in found]),
        "first_token_ms": of([there + first for there, first, _ in found]),
        "later_pieces_ms": of(later),
        "processor_ms_a_question_both_ends": spent / len(found) * 1000,
    }


def of(times: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    ordered = sorted(times)
    return {"p50": statistics.median(ordered), "p99": ordered[int(len(ordered) * 0.99)]}


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with serving(Scripted()) as port:
        measure(port, 1, 5)
        found = {f"{count} callers": measure(port, count, asked.rounds) for count in (1, 4)}
    reached = all(row["first_token_ms"]["p50"] <= REACH_MS for row in found.values())
    print(json.dumps(found, indent=1))
    if asked.out:
        write(asked.out, {**found, "reached": reached})
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
