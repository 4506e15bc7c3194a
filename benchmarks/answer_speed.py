"""How fast does a specialist answer, in one process on one core, and what memory do many take?

Speed: texts per second in batches and the median milliseconds of one text, for an installed
linear, encoder or ensemble specialist. Memory: resident bytes of a process with one head over the
encoder, with up to 20 heads, and with up to 20 ensembles of one precision (every specialist is
another artifact, so another head is really loaded). To reach: linear 5,000 texts/s in batch and
.5 ms single; 20 heads within 15 % of one.

    python benchmarks/answer_speed.py --mirror DIR --home DIR --out FILE
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from record import write

RUNGS = ("linear", "encoder", "ensemble")
SEEDS = 24
"""A few more than 20: the maker may give some of them another precision."""


def opened(home: Path) -> Any:
    """A ``Metier`` over a home of the benchmark's own, on one thread."""
    from metier.assembly import Metier
    from metier.settings import Settings

    return Metier.open(
        Settings.read({"METIER_HOME": str(home), "HOME": str(home), "METIER_THREADS": "1"})
    )


def prepare(home: Path, mirror: Path) -> None:
    """Make 20 specialists for each rung, on few rows of 77 labels: a head is as large as any."""
    from metier.recipe import Recipe

    metier = opened(home)
    metier.install_starters()
    known = {item.name for item in metier.list()}
    lines = (mirror / "text" / "banking77.jsonl").read_text("utf-8").splitlines()
    by_label: dict[str, list[dict[str, str]]] = {}
    for line in lines:
        row = json.loads(line)
        by_label.setdefault(row["label"], []).append(row)
    for seed in range(SEEDS):
        few = home / f"few-{seed}.jsonl"
        rows = [row for found in by_label.values() for row in found[3 * seed % 30 :][:3]]
        rows += [{**found[-1], "split": "test"} for found in by_label.values()]
        few.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        for rung in RUNGS:
            name = f"{rung}-{seed}"
            if name in known:
                continue
            recipe = {
                "specialist": {"name": name},
                "data": [{"kind": "file", "path": str(few)}],
                "ladder": {"rungs": [rung], "seed": seed, "curve": False, "margin": 0.0001},
                "eval": {"against": ["majority"]},
            }
            metier.make(Recipe.model_validate(recipe), folder=Path.cwd())


def resident() -> int:
    """Resident bytes of this process."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory(home: Path, names: list[str]) -> int:
    """Resident bytes after each specialist has answered."""
    metier = opened(home)
    for name in names:
        metier.classify(name, ["I am still waiting on my card?"])
    return resident()


def speed(home: Path, mirror: Path, name: str) -> dict[str, float]:
    """Batch texts a second and single milliseconds of one specialist."""
    lines = (mirror / "text" / "banking77.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines[-3080:]]
    metier = opened(home)
    metier.classify(name, texts[:64])
    rates = []
    for _ in range(3):
        cpu = time.process_time()
        metier.classify(name, texts, top=1)
        rates.append(len(texts) / (time.process_time() - cpu))
    twenty = [text for text in texts if 17 <= len(text.split()) <= 23][:200]
    times = []
    for text in twenty:
        start = time.perf_counter()
        metier.classify(name, [text], top=5)
        times.append((time.perf_counter() - start) * 1000)
    return {
        "texts_per_cpu_second": statistics.median(rates),
        "single_p50_ms": statistics.median(times),
        "single_p90_ms": statistics.quantiles(times, n=10)[8],
        "words": 20,
    }


def of_one_precision(home: Path, rung: str) -> list[str]:
    """The specialists of a rung that look at the same vectors: at most 20 of the commoner kind."""
    metier = opened(home)
    kinds: dict[str, list[str]] = {}
    for seed in range(SEEDS):
        document = json.loads(metier.read_part(f"{rung}-{seed}", "specialist.json"))
        kind = str([member.get("encoder", member["kind"]) for member in document["members"]])
        kinds.setdefault(kind, []).append(f"{rung}-{seed}")
    return max(kinds.values(), key=len)[:20]


def apart(arguments: argparse.Namespace, *words: str) -> Any:
    """Run one measurement in a fresh process."""
    command = [sys.executable, __file__, "--mirror", str(arguments.mirror)]
    command += ["--home", str(arguments.home), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Prepare, measure everything in processes of its own, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--speed")
    parser.add_argument("--memory", nargs="*")
    arguments = parser.parse_args()
    if arguments.speed:
        print(json.dumps(speed(arguments.home, arguments.mirror, arguments.speed)))
        return
    if arguments.memory is not None:
        print(json.dumps(memory(arguments.home, arguments.memory)))
        return
    if arguments.out is None:
        parser.error("--out is needed")
    prepare(arguments.home, arguments.mirror)
    results: dict[str, Any] = {}
    for rung in RUNGS:
        results[rung] = apart(arguments, "--speed", f"{rung}-0")
        print(rung, results[rung], flush=True)
    for rung in ("encoder", "ensemble"):
        alike = of_one_precision(arguments.home, rung)
        one = apart(arguments, "--memory", alike[0])
        many = apart(arguments, "--memory", *alike)
        results[f"memory, {rung}"] = {
            "one": one,
            "many": many,
            "specialists": len(alike),
            "ratio": many / one,
        }
        print(f"{rung}: one {one / 1e6:.0f} MB, {len(alike)} {many / 1e6:.0f} MB", flush=True)
    results["memory, nothing loaded"] = apart(arguments, "--memory")
    write(arguments.out, results, seed=0)


if __name__ == "__main__":
    main()
