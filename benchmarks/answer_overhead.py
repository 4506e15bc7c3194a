"""What does the answer policy add to the time of the service? Milliseconds an answer.

A service on the loopback, in a process of its own, streams one recorded-looking answer of 60 pieces
at once. The same answer is read by a bare connection, by the remote engine, by the policy, and by
the policy with the svelte tool (which needs the toolchain svelte@5; without it that row is left
out). No model runs here.

    python benchmarks/answer_overhead.py --out benchmarks/results/answer_overhead.json
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from record import write

from metier.answer import Means, Plan, answer
from metier.coding import Tool
from metier.conversing import Sampling, Turn
from metier.engines.chat import RemoteGenerator
from metier.errors import MetierError
from metier.sandbox import detect
from metier.services import Service
from metier.settings import Settings
from metier.toolchains import Toolchains
from metier.tools.svelte import open_tool
from metier.tools.workshop import Workshop

COMPONENT = """<script>
  let { start = 0, step = 1 } = $props();
  let count = $state(start);
  let doubled = $derived(count * 2);
</script>

<button onclick={() => (count += step)}>Add {step}</button>
<p>{count} and twice that: {doubled}</p>
"""
ANSWER = f"Here is the component.\n\n```svelte\n{COMPONENT}```\n\nIt counts in steps.\n"
PIECES = 60
ROUNDS = 200
TURNS = [Turn("user", "Write a counter in Svelte 5.")]
BAR_MS = 5.0


def main() -> int:
    """Measure, print, write; 1 if the policy costs more than the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/answer_overhead.json"))
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{ours.recv()}/v1"
    try:
        results = measured(url)
    finally:
        process.terminate()
        process.join()
    for name, row in results["rows"].items():
        print(f"{name}: {row['ms']:.2f} ms, {row['cpu_ms']:.2f} ms CPU here")
    print(f"policy over a bare connection: {results['policy_adds_ms']:.2f} ms (bar {BAR_MS})")
    write(arguments.out, results)
    return 0 if results["policy_adds_ms"] <= BAR_MS else 1


def serve(pipe: Any) -> None:
    """A service that streams its one answer at once, for ever."""
    size = -(-len(ANSWER) // PIECES)
    chunks: list[Any] = [
        {"choices": [{"delta": {"content": ANSWER[at : at + size]}}]}
        for at in range(0, len(ANSWER), size)
    ]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 90}})
    data = b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)
    data += b"data: [DONE]\n\n"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Keep the benchmark's output to figures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()


def measured(url: str) -> dict[str, Any]:
    """Every way to read the answer, the same number of times."""
    generator = RemoteGenerator(Service(url, "instant"))
    plan = Plan(documents=False)
    rows = {
        "bare connection": timed(bare(url)),
        "remote engine": timed(lambda: generator.generate(TURNS, Sampling(), on_text=ignore).text),
        "policy": timed(lambda: answer(TURNS, plan, Means(generator)).text),
    }
    tool = svelte()
    if tool is not None:
        means = Means(generator, None, (tool,))
        rows["policy with the svelte tool"] = timed(lambda: answer(TURNS, plan, means).text)
        tool.close()
    generator.close()
    return {
        "rows": rows,
        "rounds": ROUNDS,
        "policy_adds_ms": round(rows["policy"]["ms"] - rows["bare connection"]["ms"], 3),
    }


def ignore(_piece: str) -> None:
    """Listen to nothing."""


def bare(url: str) -> Callable[[], str]:
    """The same request over one kept connection, the answer's text taken out of it."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    body = json.dumps({"model": "instant", "messages": [], "stream": True})

    def ask() -> str:
        connection.request("POST", "/v1/chat/completions", body)
        lines = connection.getresponse().read().decode().splitlines()
        chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        return "".join(
            choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]
        )

    return ask


def svelte() -> Tool | None:
    """The svelte tool, or ``None`` where its toolchain is not installed."""
    toolchains = Toolchains(Settings.read().toolchains)
    try:
        toolchains.path("svelte@5")
        toolchains.node()
    except MetierError:
        return None
    return open_tool(Workshop(toolchains, detect, Path("benchmarks/results")))


def timed(ask: Callable[[], str]) -> dict[str, float]:
    """Median wall milliseconds of one call, and processor milliseconds of this process."""
    for _ in range(10):
        found = ask()
        if found != ANSWER:
            raise AssertionError("another answer came back")
    walls = []
    processor = time.process_time()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        ask()
        walls.append(time.perf_counter() - start)
    used = time.process_time() - processor
    return {
        "ms": round(1000 * statistics.median(walls), 3),
        "p95_ms": round(1000 * sorted(walls)[int(0.95 * ROUNDS)], 3),
        "cpu_ms": round(1000 * used / ROUNDS, 3),
    }


if __name__ == "__main__":
    sys.exit(main())
