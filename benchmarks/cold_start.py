"""How long does a person wait before Metier does anything?

Starts Python afresh again and again and takes the median wall time of: bare Python, ``import
metier``, ``metier --help`` and the first answers of the commands that need no store. To reach, on
a quiet machine: ``import metier`` 100 ms, ``metier --help`` 250 ms.

    python benchmarks/cold_start.py --out benchmarks/results/cold_start.json
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from record import write

SOURCE = Path(__file__).resolve().parent.parent / "src"
COMMANDS = {
    "bare python": ["-c", "pass"],
    "import metier": ["-c", "import metier"],
    "metier --help": ["-m", "metier", "--help"],
    "metier --version": ["-m", "metier", "--version"],
    "metier make --help": ["-m", "metier", "make", "--help"],
    "metier completion bash": ["-m", "metier", "completion", "bash"],
}
REACH_MS = {"import metier": 100.0, "metier --help": 250.0}


def once(words: list[str]) -> tuple[float, float]:
    """Wall and processor milliseconds of one fresh run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * wall, 1000 * cpu


def measure(runs: int) -> dict[str, dict[str, Any]]:
    """Medians and extremes; the commands take turns, so that a busy moment hits all of them."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for words in COMMANDS.values():
        once(words)
    for _ in range(runs):
        for name, words in COMMANDS.items():
            found[name].append(once(words))
    return {name: summary(name, times) for name, times in found.items()}


def summary(name: str, times: list[tuple[float, float]]) -> dict[str, Any]:
    """The figures of one command, in milliseconds."""
    walls = [wall for wall, _ in times]
    median = statistics.median(walls)
    reach = REACH_MS.get(name)
    return {
        "median_ms": round(median, 1),
        "lowest_ms": round(min(walls), 1),
        "highest_ms": round(max(walls), 1),
        "median_cpu_ms": round(statistics.median(cpu for _, cpu in times), 1),
        "runs": len(times),
        "reach_ms": reach,
        "reached": None if reach is None else median <= reach,
    }


def main() -> int:
    """Measure, print the table, write the record; 1 if a figure was not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/cold_start.json"))
    asked = parser.parse_args()
    results = measure(asked.runs)
    for name, figures in results.items():
        reach = f"  to reach {figures['reach_ms']:g}" if figures["reach_ms"] else ""
        print(
            f"{name:24} {figures['median_ms']:7.1f} ms "
            f"({figures['lowest_ms']:.1f} to {figures['highest_ms']:.1f}; "
            f"processor {figures['median_cpu_ms']:.1f}){reach}"
        )
    write(asked.out, results)
    return 0 if all(figures["reached"] is not False for figures in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
