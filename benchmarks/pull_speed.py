"""How fast does a pull fetch, beside the hub's own client and one plain stream?

One file of random bytes from a server on the loopback, in a process of its own, fetched in turns by
``metier.hub.fetched`` (with digest and fsync), by ``huggingface_hub.hf_hub_download`` (without
Xet; checks only the size) and by one stream of httpx into a file. Once as fast as it goes, where
the processor is the limit, and once with every connection held to a rate, as a network does. Wall
and processor seconds of the fetching process, medians.

    python benchmarks/pull_speed.py --out benchmarks/results/pull-speed.json
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import write

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from stand_in.hub import Hub, serving_hub

_TIMED = """
import json, os, sys, time
from pathlib import Path
url, name, size, digest, folder = sys.argv[1:]
address = f"{url}/{name}/resolve/main/model.gguf"
IMPORTS
before, processor = time.perf_counter(), time.process_time()
WORK
wall = time.perf_counter() - before
print(json.dumps([wall, time.process_time() - processor]))
"""
_OURS = """file = RemoteFile("model.gguf", address, int(size), digest)
with fetched([file], Path(folder), Origin(url)) as here:
    assert here["model.gguf"].stat().st_size == int(size)"""
_HUBS = """path = hf_hub_download(name, "model.gguf", endpoint=url, cache_dir=folder, token=False)
assert Path(path).stat().st_size == int(size)"""
_PLAIN = """with httpx.stream("GET", address, follow_redirects=True) as answer:
    with open(Path(folder) / "file", "wb") as file:
        for data in answer.iter_raw():
            file.write(data)"""
_WAYS = {
    "metier": ("from metier.hub import Origin, RemoteFile, fetched", _OURS),
    "huggingface_hub": ("from huggingface_hub import hf_hub_download", _HUBS),
    "httpx, one stream": ("import httpx", _PLAIN),
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=8e6, help="bytes a second and connection")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    results = {}
    with serving_hub() as hub:
        hub.redirect_to = hub.elsewhere  # as the public hub answers: bytes come from another host
        for title, rate, megabytes in (
            ("as fast as it goes", 0.0, asked.megabytes),
            (f"{asked.rate / 1e6:g} MB/s a connection", asked.rate, asked.megabytes // 4),
        ):
            chance = random.Random(1)
            data = b"".join(chance.randbytes(1 << 20) for _ in range(megabytes))
            hub.add("maker/model", {"model.gguf": data})
            hub.rate = rate
            results[title] = measure(hub, data, asked.rounds)
    write(asked.out, results, seed=1)
    print(json.dumps(results, indent=1))


def measure(hub: Hub, data: bytes, rounds: int) -> dict[str, Any]:
    """Medians of every way, taken in turns."""
    taken: dict[str, list[list[float]]] = {way: [] for way in _WAYS}
    for _ in range(rounds):
        for way, (imports, work) in _WAYS.items():
            with tempfile.TemporaryDirectory() as folder:
                program = _TIMED.replace("IMPORTS", imports).replace("WORK", work)
                taken[way].append(once(hub, data, program, folder))
    return {
        way: {
            "MB/s": round(len(data) / 1e6 / statistics.median(wall for wall, _ in found)),
            "wall s": round(statistics.median(wall for wall, _ in found), 3),
            "processor s": round(statistics.median(processor for _, processor in found), 3),
        }
        for way, found in taken.items()
    }


def once(hub: Hub, data: bytes, program: str, folder: str) -> list[float]:
    """Wall and processor seconds of one download in a process of its own."""
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HOME": folder}
    words = [hub.url, "maker/model", str(len(data)), hub.large(data), folder]
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
