"""Two servers over one model, each in processes of its own: the wheel's own, and Metier.

``bare`` starts xllamacpp's ``Server`` with the parameters of Metier's worker; ``metier`` starts
``metier up`` over a home of its own. Both answer ``/v1/completions``; ``ask`` times what streams
back. CPU seconds and memory are those of a server's whole tree of processes.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import string
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SOURCE = Path(__file__).resolve().parent.parent / "src"
TICKS = os.sysconf("SC_CLK_TCK")
BARE = """
import json, sys, xllamacpp as x
said = json.loads(sys.argv[1])
q = x.CommonParams()
q.model.path = said["model"]
q.model_alias = {"bench"}
q.n_parallel, q.kv_unified, q.n_ctx = said["slots"], False, said["context"] * said["slots"]
q.n_batch, q.n_ubatch = 2048, 512
q.cpuparams.n_threads = q.cpuparams_batch.n_threads = said["threads"]
q.cache_ram_mib, q.cache_idle_slots = 0, False
q.ctx_shift, q.warmup, q.fit_params, q.verbosity = True, False, False, 2
q.lora_adapters = [x.CommonAdapterLoraInfo(file, 0.0) for file in said["adapters"]]
server = x.Server(q)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Side:
    """A running server.

    Attributes:
        name: ``bare`` or ``metier``.
        address: Its address.
        pid: Its first process.
        home: Of Metier, where it keeps things.
    """

    name: str
    address: str
    pid: int
    home: Path | None = None


@dataclass(frozen=True)
class Timed:
    """One streamed answer.

    Attributes:
        first: Seconds from the question to its first token.
        last: Seconds to its last.
        began: Clock when it was asked.
        tokens: How many tokens came, as the server counts.
        prompt: Tokens of the prompt.
        text: What came.
    """

    first: float
    last: float
    began: float
    tokens: int
    prompt: int
    text: str


@contextmanager
def bare(
    model: Path, *, context: int, slots: int = 4, threads: int = 1, adapters: Sequence[Path] = ()
) -> Iterator[Side]:
    """The wheel's own server over a model, with Metier's flags: a cache for each slot."""
    said = {
        "model": str(model), "slots": slots, "context": context, "threads": threads,
        "adapters": [str(adapter) for adapter in adapters],
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", BARE, json.dumps(said)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Side("bare", process.stdout.readline().strip(), process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def metier(home: Path, *, threads: int = 1, say: Mapping[str, str] | None = None) -> Iterator[Side]:
    """``metier up`` over a home."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "metier", "up", "--port", str(port)],
        env=surroundings(home, threads, say),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield Side("metier", address, process.pid, home)
    finally:
        process.terminate()
        process.wait(30)


def surroundings(home: Path, threads: int, say: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a ``metier`` command."""
    return {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "METIER_HOME": str(home),
        "METIER_THREADS": str(threads),
        "METIER_KEEP_ALIVE": "-1",
        **(say or {}),
    }


def command(home: Path, *words: str) -> str:
    """Run a ``metier`` command; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "metier", *words],
        env=surroundings(home, 1), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"metier {' '.join(words)}: {done.stderr}")
    return done.stdout


def _wait(address: str, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError("metier up did not start")


def get(side: Side, path: str) -> Any:
    """A JSON answer to GET."""
    with urllib.request.urlopen(side.address + path, timeout=60) as answer:
        return json.load(answer)


def ask(side: Side, prompt: str | Sequence[int], tokens: int, **more: Any) -> Timed:
    """Stream a completion, greedy unless ``more`` says else."""
    body = {
        "model": "bench", "prompt": prompt, "max_tokens": tokens, "temperature": 0,
        "stream": True, "stream_options": {"include_usage": True}, **more,
    }  # fmt: skip
    split = urlsplit(side.address)
    assert split.hostname
    connection = http.client.HTTPConnection(split.hostname, split.port, timeout=300)
    data = json.dumps(body)
    connection.connect()
    if connection.sock is not None:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began = time.perf_counter()
    connection.request("POST", "/v1/completions", data, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{side.name}: {answer.status} {answer.read()[:400]!r}")
    first = last = 0.0
    text, usage = [], {}
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        now = time.perf_counter() - began
        chunk = json.loads(line[6:])
        usage = chunk.get("usage") or usage
        choices = chunk.get("choices") or []
        if choices and choices[0].get("text"):
            first = first or now
            last = now
            text.append(choices[0]["text"])
    connection.close()
    return Timed(
        first, last, began, usage["completion_tokens"], usage["prompt_tokens"], "".join(text)
    )


def together(side: Side, prompts: Sequence[str], tokens: int, **more: Any) -> list[Timed]:
    """Ask several prompts at once, each by a client of its own."""
    found: list[Timed | None] = [None] * len(prompts)

    def work(place: int) -> None:
        found[place] = ask(side, prompts[place], tokens, **more)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if None in found:
        raise RuntimeError(f"{side.name}: a client got no answer")
    return [timed for timed in found if timed is not None]


def letters(count: int, draw: random.Random) -> str:
    """A text of ``count`` words of three letters; nothing of it is in any cache."""
    return " ".join("".join(draw.choices(string.ascii_lowercase, k=3)) for _ in range(count))


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a tree of processes so far."""
    total = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def pss_bytes(pid: int) -> int:
    """Memory of a tree of processes; pages shared with others count by their share."""
    total = 0
    for one in tree(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024
