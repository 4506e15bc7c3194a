"""Does a pull survive ``kill -9``, and how much is fetched twice?

A real ``metier pull`` of a model of random weights, from a hub on the loopback that sends at a
limited rate, is killed at random moments, again and again. After each kill: how many bytes had gone
out that the journal does not have (they are fetched again), and whether everything under a final
name has its digest. Whenever a pull ends by itself the model is checked, removed and collected, and
the next one begins anew. To reach: 200 kills, 0 corrupt objects, every rerun succeeds, at most
4 MiB fetched twice for each kill.

    python benchmarks/pull_kills.py --kills 200 --out benchmarks/results/pull-kills.json
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from record import write

from metier.hub import extents
from metier.store import Store

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from stand_in.hub import Hub, serving_hub
from tiny_gguf import tiny_model

NAME = "hf.co/maker/model"


def main() -> None:
    """Kill, count and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--rate", type=float, default=4e6, help="bytes a second and connection")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving_hub() as hub:
        results = measure(hub, Path(folder), asked)
    write(asked.out, results, seed=asked.seed)
    print({key: value for key, value in results.items() if key != "lost"})


def measure(hub: Hub, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Kill until there were enough kills; then let one pull end."""
    chance = random.Random(asked.seed)
    noise = np.random.default_rng(asked.seed).standard_normal((asked.megabytes, 262_144))
    extra = {"noise.weight": noise.astype(np.float32)}
    data = tiny_model(folder / "made", extra=extra).read_bytes()
    hub.add("maker/model", {"model-F32.gguf": data, "LICENSE": b"MIT\n"})
    hub.rate = asked.rate
    home = folder / "home"
    kills = ended = corrupt = failed = 0
    lost: list[int] = []
    sent = known = 0
    while kills < asked.kills:
        early = chance.random() < 0.15
        code = pull(hub, home, chance.random() * (2.0 if early else 3.0), begun=not early)
        store = Store.open(home)
        if code is None:
            kills += 1
            now, there = hub.sent_of(data), noted(store, data, hub)
            lost.append(max(0, (now - sent) - (there - known)))
            sent, known = now, there
            corrupt += len(store.verify().problems)
        elif code == 0:
            ended += 1
            corrupt += len(store.verify().problems)
            store.remove(store.references()[0])
            store.collect_garbage()
            sent, known = hub.sent_of(data), 0
        else:
            failed += 1
    hub.rate = 0
    last = pull(hub, home, 600, begun=False)
    found = Store.open(home).verify()
    return {
        "kills": kills,
        "pulls that ended by themselves": ended,
        "reruns that failed": failed + (last != 0),
        "corrupt objects": corrupt + len(found.problems),
        "file bytes": len(data),
        "fetched twice per kill, most": max(lost),
        "fetched twice per kill, median": statistics.median(lost),
        "kills during the transfer": sum(1 for one in lost if one > 0),
        "lost": lost,
    }


def pull(hub: Hub, home: Path, seconds: float, *, begun: bool) -> int | None:
    """The exit code of a pull, or ``None`` if it was killed after ``seconds``.

    With ``begun`` the seconds count from the first byte of the file.
    """
    environment = {**os.environ, "METIER_HOME": str(home), "HF_ENDPOINT": hub.url}
    words = [sys.executable, "-m", "metier", "pull", NAME, "--json"]
    before = dict(hub.sent)
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    while begun and process.poll() is None and hub.sent == before:
        time.sleep(0.02)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        time.sleep(0.05)
        return None


def noted(store: Store, data: bytes, hub: Hub) -> int:
    """Bytes of the file that are here: those that the journal names, or all in the store."""
    digest = hub.large(data)
    folder = store.partial_folder()
    journal = folder / f"{digest}.journal"
    if not journal.exists() or not (folder / f"{digest}.part").exists():
        return len(data) if store.references() or (folder / digest).exists() else 0
    lines = journal.read_text("ascii").split("\n")[1:-1]
    return extents.total((int(first), int(last)) for first, last in map(str.split, lines))


if __name__ == "__main__":
    main()
