"""Does the server answer throughout, while the worker of a model is killed again and again?

A real ``metier up`` over a tiny model; four callers ask all the time, half of them streaming; every
few seconds every process of the engine is killed (SIGKILL). A fifth caller asks the server for its
list of models. To reach: the list is always answered; a call that a kill breaks fails properly
(503 or an event with an error) within 1 s of the kill; every call ends; after each kill a call
succeeds again.

    python benchmarks/worker_kills.py --seconds 120 --out benchmarks/results/worker_kills.json
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from record import write

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import served

REACH_SECONDS = 1.0
CLIENTS = 4
ENGINE = "llamacpp"
"""A process of the engine has this word in its command line."""
PROPER = {"engine_ended", "engine_failed", "queue_full"}


@dataclass
class Seen:
    """What the callers saw; each list is appended to by many threads."""

    kills: list[float] = field(default_factory=list)
    good: list[float] = field(default_factory=list)
    broken: list[tuple[float, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    listed: list[float] = field(default_factory=list)
    killed: int = 0


def children(parent: int) -> Iterator[int]:
    """Every process below ``parent``."""
    for thread in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            found = thread.read_text().split()
        except OSError:
            continue
        for child in map(int, found):
            yield child
            yield from children(child)


def engines(parent: int) -> list[int]:
    """The engine's processes below ``parent``."""
    found = []
    for process in children(parent):
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if ENGINE in command:
            found.append(process)
    return found


def ask(client: httpx.Client, draw: random.Random, *, stream: bool) -> str:
    """Ask once; "" if it was answered, else the code of the error."""
    asked = {
        "model": draw.choice([served.WRITES, served.ADAPTED]),
        "messages": [{"role": "user", "content": f"Say something about {draw.random()}."}],
        "max_tokens": draw.randint(8, 400),
        "stream": stream,
    }
    if not stream:
        reply = client.post("/v1/chat/completions", json=asked)
        if reply.status_code == 200:
            return "" if reply.json()["choices"] else "no choice"
        return str(reply.json()["error"]["code"]) if reply.status_code == 503 else reply.text
    with client.stream("POST", "/v1/chat/completions", json=asked) as reply:
        if reply.status_code != 200:
            return str(json.loads(reply.read())["error"]["code"])
        lines = [line[6:] for line in reply.iter_lines() if line.startswith("data: ")]
    if not lines or lines[-1] != "[DONE]":
        return "a stream without its end"
    errors = [line for line in lines if line.startswith('{"error"')]
    return str(json.loads(errors[0])["error"]["code"]) if errors else ""


def caller(address: str, seed: int, over: threading.Event, seen: Seen) -> None:
    """Ask until it is over."""
    draw = random.Random(seed)
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        while not over.is_set():
            try:
                code = ask(client, draw, stream=seed % 2 == 0)
            except httpx.HTTPError as error:
                code = f"{type(error).__name__}: {error}"
            now = time.monotonic()
            if not code:
                seen.good.append(now)
            elif code in PROPER:
                seen.broken.append((now, code))
                time.sleep(0.05)
            else:
                seen.wrong.append(code)


def lister(address: str, over: threading.Event, seen: Seen) -> None:
    """Ask for the list of models until it is over."""
    with httpx.Client(base_url=address, timeout=10, trust_env=False) as client:
        while not over.wait(0.05):
            started = time.monotonic()
            try:
                status = client.get("/v1/models").status_code
            except httpx.HTTPError as error:
                seen.wrong.append(f"the list: {error}")
                continue
            if status != 200:
                seen.wrong.append(f"the list: {status}")
            seen.listed.append(time.monotonic() - started)


def killed(running: served.Served, seconds: float, every: float, seen: Seen) -> None:
    """Kill the engine's processes every few seconds."""
    draw = random.Random(0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(every * draw.uniform(0.5, 1.5))
        found = engines(running.process.pid)
        if not found:
            continue
        seen.kills.append(time.monotonic())
        for process in found:
            with suppress(ProcessLookupError):  # it went with its parent
                os.kill(process, signal.SIGKILL)
        seen.killed += len(found)


def measured(seconds: float, every: float) -> dict[str, Any]:
    """The figures of one run."""
    seen, over = Seen(), threading.Event()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        served.stock(folder / "home", folder / "models")
        with served.served(folder / "home") as running:
            threads = [
                threading.Thread(target=caller, args=(running.address, seed, over, seen))
                for seed in range(CLIENTS)
            ]
            threads.append(threading.Thread(target=lister, args=(running.address, over, seen)))
            for thread in threads:
                thread.start()
            killed(running, seconds, every, seen)
            time.sleep(every)
            over.set()
            for thread in threads:
                thread.join()
            log = running.log.read_text("utf-8", "replace")
            ended = running.process.poll()
            if ended is not None:
                seen.wrong.append(f"the server ended with {ended}; its last words: {log[-2000:]}")
    return figures(seen, log)


def figures(seen: Seen, log: str) -> dict[str, Any]:
    """What was seen, in numbers."""
    after, again = [], []
    for now, code in seen.broken:
        before = [kill for kill in seen.kills if kill <= now]
        if before and code == "engine_ended":
            after.append(now - before[-1])
    for kill in seen.kills:
        later = [now for now in seen.good if kill < now]
        if later:
            again.append(min(later) - kill)
        else:
            seen.wrong.append("no call succeeded after the last kill")
    return {
        "kills": len(seen.kills),
        "processes_killed": seen.killed,
        "answered": len(seen.good),
        "failed": dict(Counter(code for _, code in seen.broken)),
        "wrong": dict(Counter(seen.wrong)),
        "failed_after_kill_s": summary(after),
        "answered_again_s": summary(again),
        "list_s": summary(seen.listed),
        "defects_in_log": log.count("Traceback"),
        "reached": not seen.wrong
        and bool(seen.good and seen.kills)
        and max(after, default=0) <= REACH_SECONDS
        and "Traceback" not in log,
    }


def summary(values: list[float]) -> dict[str, float]:
    """Number, median, 99th percentile and largest."""
    ordered = sorted(values)
    if not ordered:
        return {"n": 0}
    return {
        "n": len(ordered),
        "p50": round(ordered[len(ordered) // 2], 4),
        "p99": round(ordered[int(len(ordered) * 0.99)], 4),
        "max": round(ordered[-1], 4),
    }


def main() -> int:
    """Run it and write the figures; 1 if they were not reached."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--every", type=float, default=3, help="seconds between kills")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    results = measured(asked.seconds, asked.every)
    print(json.dumps(results, indent=1))
    if asked.out:
        write(asked.out, results, seed=0)
    return 0 if results["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
