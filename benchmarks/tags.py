"""How long does ``GET /api/tags`` take with 1,000 specialists?

Puts one small GGUF base and specialists over it, each with a system prompt of its own, into a real
store, starts ``metier up``'s server in a process of its own, and asks over one kept-alive
connection. Beside the median and the 99th percentile of asking again and again stands the first
answer (every manifest is read) and the first after something changed. To reach: 20 ms at the 99th
percentile.

    python benchmarks/tags.py --out benchmarks/results/tags.json
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from http_speed import SERVER, SOURCE, free_port, settings_of
from record import write

from metier.assembly import Metier
from metier.localmodel import MODEL_FILE, LocalModelFile
from metier.reference import Reference

REACH_MS = 20.0


def base(path: Path) -> Path:
    """A GGUF file of a model too small to say anything."""
    file = gguf.GGUFWriter(str(path), "llama")
    file.add_context_length(2048)
    file.add_embedding_length(64)
    file.add_block_count(1)
    file.add_head_count(4)
    file.add_feed_forward_length(64)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_tokenizer_model("gpt2")
    file.add_token_list(["a", "b"])
    file.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}")
    file.add_tensor("token_embd.weight", np.zeros((2, 64), np.float16))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


def stock(home: Path, count: int) -> None:
    """One base and ``count`` - 1 specialists over it."""
    metier = Metier.open(settings_of(home))
    installed = metier.fleet.import_gguf(base(home.parent / "base.gguf"), "base")
    model = LocalModelFile.from_bytes(metier.fleet.read_part(installed, MODEL_FILE))
    weights = {
        name: next(layer.blob for layer in installed.manifest.layers if layer.filepath == name)
        for name in model.weights
    }
    for number in range(count - 1):
        own = model.model_copy(update={"system": f"You are number {number}.", "parent": "base"})
        name = Reference.parse(f"team/specialist-{number}")
        metier.fleet.install_model(name, own, weights, kind="specialist")
    metier.close()


@contextmanager
def server(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A server over ``home``."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        env={**os.environ, "METIER_HOME": str(home), "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.terminate()
        process.wait()


def ask(connection: http.client.HTTPConnection) -> tuple[float, bytes]:
    """Milliseconds of one answer, and the answer."""
    started = time.perf_counter()
    connection.request("GET", "/api/tags")
    body = connection.getresponse().read()
    return (time.perf_counter() - started) * 1000, body


def measure(home: Path, rounds: int) -> dict[str, Any]:
    """The figures."""
    port = free_port()
    with server(home, port) as process:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        first, body = ask(connection)
        times = sorted(ask(connection)[0] for _ in range(rounds))
        metier = Metier.open(settings_of(home))
        metier.fleet.copy("base", "another")
        metier.close()
        changed, after = ask(connection)
        seconds = processor_seconds(process)
    assert len(json.loads(after)["models"]) == len(json.loads(body)["models"]) + 1
    return {
        "models": len(json.loads(body)["models"]),
        "bytes": len(body),
        "requests": rounds,
        "p50_ms": times[rounds // 2],
        "p99_ms": times[int(rounds * 0.99)],
        "slowest_ms": times[-1],
        "first_ms": first,
        "after_a_change_ms": changed,
        "server_processor_seconds": seconds,
        "reached": times[int(rounds * 0.99)] <= REACH_MS,
    }


def processor_seconds(process: subprocess.Popen[str]) -> float:
    """What the server has spent, start included."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        started = time.perf_counter()
        stock(home, asked.models)
        print(f"{asked.models} models put in: {time.perf_counter() - started:.1f} s", flush=True)
        found = measure(home, asked.rounds)
    print(json.dumps(found, indent=1))
    if asked.out:
        write(asked.out, found)
    return 0 if found["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
