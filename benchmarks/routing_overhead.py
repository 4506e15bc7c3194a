"""What asking ``auto`` costs over naming the model, at the server: milliseconds a request.

A home with the tiny model of the tests and packaged chat specialists stands behind the real server
of this process; one caller on a kept connection asks ``/v1/chat/completions`` for one token, by
``auto`` and by name in turn, so that a busy machine slows both. The decision, the log's row and the
headers are in it. To reach: 5 ms at the median.

    python benchmarks/routing_overhead.py --out benchmarks/results/routing_overhead.json
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from record import write

from metier.assembly import Metier
from metier.generating import Message, Question
from metier.server import create_app
from metier.server.run import bind, server_for
from metier.settings import Settings
from metier.site import Site

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import tiny_gguf

REACH_MS = 5.0
WORDS = 500
ROUNDS = 300


@contextmanager
def served(home: Path) -> Iterator[tuple[Metier, int]]:
    """The home's server; gives the façade and the port."""
    metier = Metier.open(Settings(home=home, threads=1))
    metier.fleet.import_gguf(tiny_gguf.tiny_model(home), "tiny")
    for name in ("coder", "sveltekit", "react"):
        metier.make(metier.packaged_recipe(name), folder=home)
    ready = threading.Event()
    with bind("127.0.0.1", 0) as listener:
        server = server_for(create_app(metier, Site()), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert ready.wait(20)
        yield metier, listener.getsockname()[1]
        server.should_exit = True
        thread.join()
    metier.close()


def ask(connection: http.client.HTTPConnection, model: str, text: str) -> float:
    """Milliseconds of one request."""
    asked = {"model": model, "max_tokens": 1, "temperature": 0}
    body = json.dumps({**asked, "messages": [{"role": "user", "content": text}]})
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    read = reply.read()
    assert reply.status == 200, read[:300]
    return (time.perf_counter() - began) * 1000


def measure(metier: Metier, port: int, text: str, rounds: int) -> dict[str, Any]:
    """The figures for one text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    took: dict[str, list[float]] = {"auto": [], "tiny": []}
    for _ in range(20):
        for model in took:
            ask(connection, model, text)
    for _ in range(rounds):
        for model, found in took.items():
            found.append(ask(connection, model, text))
    question = Question(messages=(Message("user", text),))
    decided, spent = [], time.process_time()
    for _ in range(rounds):
        began = time.perf_counter()
        metier.routing.decide(question)
        decided.append((time.perf_counter() - began) * 1000)
    spent = (time.process_time() - spent) * 1000 / rounds
    more = [one - other for one, other in zip(took["auto"], took["tiny"], strict=True)]
    return {
        "characters": len(text),
        "named_ms_p50": statistics.median(took["tiny"]),
        "auto_ms_p50": statistics.median(took["auto"]),
        "more_ms_p50": statistics.median(more),
        "decide_and_log_ms_p50": statistics.median(decided),
        "decide_and_log_ms_p99": sorted(decided)[int(0.99 * rounds)],
        "decide_and_log_processor_ms": spent,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (metier, port):
        texts = {"short": "Hello there.", "500 words": "a word of some text " * (WORDS // 5)}
        figures = {name: measure(metier, port, text, asked.rounds) for name, text in texts.items()}
        replayed = metier.routing.replay()
        figures["replayed"] = {"decisions": replayed.decisions, "same": replayed.same}
    worst = max(figures[name]["more_ms_p50"] for name in texts)
    found = {**figures, "reach_ms": REACH_MS, "reached": worst <= REACH_MS}
    print(json.dumps(found, indent=1))
    if asked.out:
        write(asked.out, found)
    return 0 if worst <= REACH_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
