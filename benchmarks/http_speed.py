"""What does HTTP add to an answer, and how many answers a second does one process give?

Starts a server in a process of its own on the loopback address and asks a linear specialist over
one kept-alive connection, in turns with the same call in this process; then 16 clients at once ask
as fast as they can (wrk where it is installed, else 16 connections of this process). To reach, on
a quiet machine with two cores: 1.5 ms added at the median, 1,500 requests a second.

    python benchmarks/http_speed.py --out benchmarks/results/http_speed.json
    python benchmarks/http_speed.py --home ~/.metier --model message-spam

Without ``--model`` a linear specialist is made first, from rows that are drawn here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from record import write

from metier.assembly import Metier
from metier.settings import Settings

REACH_ADDED_MS = 1.5
REACH_REQUESTS = 1500.0
CLIENTS = 16
SOURCE = Path(__file__).resolve().parent.parent / "src"
SERVER = """
import sys
from metier.assembly import Metier
from metier.server import serve
from metier.site import Site
serve(Metier.open(), Site(), port=int(sys.argv[1]), ready=lambda: print("ready", flush=True))
"""
WORDS = [
    "card",
    "money",
    "account",
    "transfer",
    "where",
    "when",
    "lost",
    "stolen",
    "arrive",
    "fee",
    "rate",
    "change",
    "pin",
    "top",
    "up",
    "payment",
    "cash",
    "refund",
    "limit",
    "virtual",
    "order",
    "country",
    "exchange",
    "pending",
    "wrong",
    "why",
    "how",
    "help",
    "please",
    "new",
    "old",
]


@dataclass(frozen=True)
class Target:
    """What is asked: home folder, specialist, port and texts."""

    home: Path
    model: str
    port: int
    texts: tuple[str, ...]

    def request(self, text: str) -> bytes:
        """One whole HTTP request."""
        body = json.dumps({"model": self.model, "input": text}).encode()
        head = (
            f"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def sentences(count: int, seed: int) -> tuple[str, ...]:
    """Texts of 5 to 20 words."""
    draw = random.Random(seed)
    return tuple(" ".join(draw.choices(WORDS, k=draw.randint(5, 20))) for _ in range(count))


def settings_of(home: Path) -> Settings:
    """The settings of the environment, with another home."""
    return replace(Settings.read(), home=home)


def make_linear(home: Path, seed: int) -> str:
    """A linear specialist with 20 labels, made of drawn rows."""
    draw = random.Random(seed)
    rows = home / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        for number, text in enumerate(sentences(2000, seed)):
            label = f"label-{number % 20:02d}"
            words = [*text.split(), *draw.choices(WORDS[number % 20 : number % 20 + 2], k=4)]
            draw.shuffle(words)
            file.write(json.dumps({"text": " ".join(words), "label": label}) + "\n")
    metier = Metier.open(settings_of(home))
    recipe = metier.recipe_for(rows, name="bench-linear", seed=seed, curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority", "linear")})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return "bench-linear"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(target: Target) -> Iterator[subprocess.Popen[str]]:
    """The server's process, once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(target.port)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "METIER_HOME": str(target.home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise SystemExit("The server did not start.")
        yield process
    finally:
        process.terminate()
        process.wait(20)


def ask(connection: socket.socket, request: bytes) -> None:
    """One call over a kept-alive connection; ends the benchmark on an error."""
    connection.sendall(request)
    reply = b""
    while b"\r\n\r\n" not in reply:
        reply += connection.recv(65536)
    head, _, body = reply.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head).group(1))  # type: ignore[union-attr]
    while len(body) < length:
        body += connection.recv(65536)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(body.decode())


def latency(metier: Metier, target: Target, rounds: int) -> dict[str, Any]:
    """Medians of both ways, which take turns so that a busy moment hits both."""
    inside: list[float] = []
    over_http: list[float] = []
    requests = [target.request(text) for text in target.texts]
    with socket.create_connection(("127.0.0.1", target.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(-50, rounds):
            text, request = target.texts[number % len(requests)], requests[number % len(requests)]
            start = time.perf_counter()
            metier.classify(target.model, [text])
            middle = time.perf_counter()
            ask(connection, request)
            end = time.perf_counter()
            if number >= 0:
                inside.append(1000 * (middle - start))
                over_http.append(1000 * (end - middle))
    added = statistics.median(over_http) - statistics.median(inside)
    return {
        "in_process_ms": round(statistics.median(inside), 3),
        "http_ms": round(statistics.median(over_http), 3),
        "http_p99_ms": round(statistics.quantiles(over_http, n=100)[98], 3),
        "added_ms": round(added, 3),
        "calls": rounds,
        "reach_added_ms": REACH_ADDED_MS,
        "reached": added <= REACH_ADDED_MS,
    }


def processor_seconds(process: subprocess.Popen[str]) -> float | None:
    """Processor seconds of the server so far; ``None`` where the system does not say."""
    path = Path(f"/proc/{process.pid}/stat")
    if not path.exists():
        return None
    fields = path.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(target: Target, seconds: int) -> tuple[int, float]:
    """Requests and seconds by wrk with 16 connections from one thread."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(lua(target))
        address = f"http://127.0.0.1:{target.port}/v1/classify"
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "-s", str(script), address],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found = re.search(r"(\d+) requests in ([\d.]+)s", done)
    if found is None or "Non-2xx" in done or "Socket errors" in done:
        raise SystemExit(done)
    return int(found.group(1)), float(found.group(2))


def lua(target: Target) -> str:
    """The script that makes wrk post the texts in turn."""
    bodies = [json.dumps({"model": target.model, "input": text}) for text in target.texts[:200]]
    quoted = ",".join(json.dumps(body) for body in bodies)
    return (
        f'local bodies = {{{quoted}}}\nlocal at = 0\nwrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        "request = function()\n  at = at % #bodies + 1\n"
        "  return wrk.format(nil, nil, nil, bodies[at])\nend\n"
    )


async def own_clients(target: Target, seconds: int) -> tuple[int, float]:
    """Requests and seconds by 16 connections of this process."""
    start = time.perf_counter()

    async def client(number: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        done = 0
        while time.perf_counter() - start < seconds:
            writer.write(target.request(target.texts[(number + done) % len(target.texts)]))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length.group(1)) if length else 0)
            done += 1
        writer.close()
        return done

    counts = await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return sum(counts), time.perf_counter() - start


def throughput(
    target: Target, process: subprocess.Popen[str], seconds: int, client: str
) -> dict[str, Any]:
    """Requests a second with 16 clients, and what each costs the server."""
    before = processor_seconds(process)
    if client == "wrk":
        count, taken = wrk(target, seconds)
    else:
        count, taken = asyncio.run(own_clients(target, seconds))
    after = processor_seconds(process)
    cost = None if before is None or after is None else 1e6 * (after - before) / count
    return {
        "client": client,
        "clients": CLIENTS,
        "requests": count,
        "requests_per_second": round(count / taken, 1),
        "server_cpu_us_per_request": None if cost is None else round(cost, 1),
        "reach_requests_per_second": REACH_REQUESTS,
        "reached": count / taken >= REACH_REQUESTS,
    }


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="a home folder with specialists")
    parser.add_argument("--model", help="a linear specialist in it; without, one is made")
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--client", choices=("wrk", "own"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/http_speed.json"))
    return parser.parse_args(words)


def main() -> int:
    """Measure, print, write the record; 1 if a figure was not reached."""
    asked = parse()
    with tempfile.TemporaryDirectory() as temporary:
        home = asked.home or Path(temporary)
        model = asked.model or make_linear(home, asked.seed)
        metier = Metier.open(settings_of(home))
        target = Target(home, model, free_port(), sentences(500, asked.seed))
        client = asked.client or ("wrk" if shutil.which("wrk") else "own")
        with server(target) as process:
            results = {
                "model": model,
                "latency": latency(metier, target, asked.rounds),
                "throughput": throughput(target, process, asked.seconds, client),
            }
    added, rate = results["latency"], results["throughput"]
    print(
        f"in process {added['in_process_ms']} ms, over HTTP {added['http_ms']} ms: "
        f"{added['added_ms']} ms added (to reach {REACH_ADDED_MS})\n"
        f"{rate['requests_per_second']:,.0f} requests a second with {CLIENTS} clients by "
        f"{rate['client']} (to reach {REACH_REQUESTS:,.0f}), "
        f"{rate['server_cpu_us_per_request']} us of the server's processor each"
    )
    write(asked.out, results, seed=asked.seed)
    return 0 if added["reached"] and rate["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
