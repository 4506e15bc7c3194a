"""Does Metier write as fast as the engine inside it? Against the same wheel's own server.

Both serve one model of random weights with the same flags, each in processes of its own, and are
asked by turns over HTTP: long prompts with one token of answer, short prompts with many, by one
client and by four at once. No prompt is asked twice. To reach: 0.97 of the wheel's speed. Then a
tiny model, whose first token takes next to nothing: what Metier adds to it, at most 3 ms at the
median.

    python benchmarks/generation_speed.py --out benchmarks/results/generation_speed.json
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from random_model import make
from record import write
from two_servers import Side, ask, bare, command, cpu_seconds, get, letters, metier, together

from tiny_gguf import tiny_model

REACH_RATIO = 0.97
REACH_OVERHEAD_MS = 3.0
CLIENTS = 4
WORDS = {1: 120, CLIENTS: 60}
"""Words of a long prompt, by clients; about two tokens each."""
ANSWER = {1: 64, CLIENTS: 32}
"""Tokens of a long answer."""


def measure(side: Side, clients: int, draw: random.Random) -> dict[str, float]:
    """Prompt and generation speed in tokens a second, and CPU seconds, of one round."""
    before = cpu_seconds(side.pid)
    prompts = [letters(WORDS[clients], draw) for _ in range(clients)]
    start = time.perf_counter()
    read = together(side, prompts, 1)
    prompt = sum(timed.prompt for timed in read) / (time.perf_counter() - start)
    between = cpu_seconds(side.pid)
    prompts = [letters(4, draw) for _ in range(clients)]
    written = together(side, prompts, ANSWER[clients])
    first = min(timed.began + timed.first for timed in written)
    last = max(timed.began + timed.last for timed in written)
    tokens = sum(timed.tokens for timed in written) - clients
    after = cpu_seconds(side.pid)
    return {
        "prompt": prompt,
        "generation": tokens / (last - first),
        "prompt_cpu": between - before,
        "generation_cpu": after - between,
    }


def speeds(model: Path, home: Path, rounds: int, threads: int) -> dict[str, Any]:
    """Both servers by turns, ``rounds`` times each."""
    command(home, "import", str(model), "--name", "bench")
    found: dict[str, Any] = {}
    with metier(home, threads=threads) as ours:
        ask(ours, "warm", 1)
        context = get(ours, "/api/ps")["models"][0]["context_length"]
        with bare(model, context=context, threads=threads) as theirs:
            ask(theirs, "warm", 1)
            draw = random.Random(0)
            taken: dict[str, list[dict[str, float]]] = {}
            for number in range(rounds):
                for clients in (1, CLIENTS):
                    order = (ours, theirs) if number % 2 else (theirs, ours)
                    for side in order:
                        key = f"{side.name} {clients}"
                        taken.setdefault(key, []).append(measure(side, clients, draw))
            same = ask(ours, "the same text", 24).text == ask(theirs, "the same text", 24).text
    found["context"], found["same_answer"] = context, same
    for clients in (1, CLIENTS):
        for what in ("prompt", "generation", "prompt_cpu", "generation_cpu"):
            best = min if what.endswith("cpu") else max  # the least disturbed round
            mine = [row[what] for row in taken[f"metier {clients}"]]
            wheel = [row[what] for row in taken[f"bare {clients}"]]
            # Rounds are pairs: what slows the machine down slows both.
            paired = [a / b for a, b in zip(mine, wheel, strict=True) if b]
            found[f"{what}, {clients} clients"] = {
                "metier": statistics.median(mine),
                "wheel": statistics.median(wheel),
                "ratio": statistics.median(mine) / statistics.median(wheel),
                "paired_ratio": statistics.median(paired),
                "best_ratio": best(mine) / best(wheel),
            }
    return found


def first_tokens(model: Path, home: Path, pairs: int) -> dict[str, float]:
    """Milliseconds to the first token of both servers, asked by turns."""
    command(home, "import", str(model), "--name", "bench")
    taken: dict[str, list[float]] = {"metier": [], "bare": []}
    with metier(home) as ours, bare(model, context=4096) as theirs:
        draw = random.Random(1)
        for number in range(pairs + 10):
            for side in (ours, theirs) if number % 2 else (theirs, ours):
                timed = ask(side, letters(6, draw), 4)
                if number >= 10:
                    taken[side.name].append(timed.first * 1000)
    differences = [a - b for a, b in zip(taken["metier"], taken["bare"], strict=True)]
    return {
        "metier_p50_ms": statistics.median(taken["metier"]),
        "wheel_p50_ms": statistics.median(taken["bare"]),
        "added_p50_ms": statistics.median(differences),
    }


def main() -> int:
    """Measure, print, write; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/generation_speed.json")
    )
    parser.add_argument("--models", type=Path, help="keep the random model here")
    parser.add_argument("--parameters", type=float, default=250e6)
    parser.add_argument("--dtype", default="q8_0", choices=("f16", "q8_0"))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        made = make(arguments.models or work, arguments.parameters, arguments.dtype)
        results: dict[str, Any] = {"parameters": made.parameters, "dtype": arguments.dtype}
        if arguments.pairs:
            results["first_token"] = first_tokens(tiny_model(work), work / "tiny", arguments.pairs)
            print(results["first_token"])
        if arguments.rounds:
            big = speeds(made.model, work / "big", arguments.rounds, arguments.threads)
            results["speed"] = big
            for name, row in big.items():
                print(name, row)
    write(arguments.out, results, seed=0)
    added = results.get("first_token", {}).get("added_p50_ms", 0.0)
    ratios = [
        row["ratio"]
        for name, row in results.get("speed", {}).items()
        if isinstance(row, dict) and "cpu" not in name
    ]
    return int(added > REACH_OVERHEAD_MS or min(ratios, default=1.0) < REACH_RATIO)


if __name__ == "__main__":
    raise SystemExit(main())
