"""Do our behaviour tests, written from the prompts alone, agree with the recorded verdicts?

Needs the mirror of public data sets and the toolchain svelte@5. A seeded sample of recorded
answers, the same number of each task, is judged by execution: built, mounted, walked through the
steps of ``suites/svelte-bench``. The task ``inspect`` is left out, its recorded verdicts are
unsound. Nothing here is a figure of a model's quality.

    python benchmarks/svelte_agreement.py --mirror PATH --toolchains DIR --answers 2000
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from record import write

import metier
from metier.coding import Behaviour, Judged, SourceFile
from metier.sandbox import detect
from metier.toolchains import Toolchains
from metier.tools.behaviour import Judge
from metier.tools.workshop import Workshop

HERE = Path(__file__).resolve().parent
TASKS = Path(metier.__file__).parent / "suites" / "svelte-bench"
LEFT_OUT = {"inspect"}
REACH = 0.985


def main() -> int:
    """Judge, compare, print, write; 1 below the agreement to reach."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--toolchains", type=Path, required=True)
    parser.add_argument("--answers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "svelte_agreement.json")
    arguments = parser.parse_args()
    sample = drawn(arguments.mirror, arguments.answers, random.Random(arguments.seed))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        workshop = Workshop(Toolchains(arguments.toolchains), detect, Path(scratch), pool_size=2)
        verdicts = judged(sample, workshop, arguments.threads)
    results = compared(sample, verdicts) | {"seconds": round(time.perf_counter() - started, 1)}
    write(arguments.out, results, seed=arguments.seed)
    print(json.dumps({key: results[key] for key in results if key != "disagreements"}, indent=1))
    for item in results["disagreements"]:
        print(json.dumps(item, ensure_ascii=False)[:400])
    return 0 if results["agreement"] >= REACH else 1


def drawn(mirror: Path, count: int, chance: random.Random) -> list[dict[str, Any]]:
    """The same number of answers of each task, in a random order."""
    tasks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(mirror / "recorded" / "svelte_answers.jsonl.gz", "rt", "utf-8") as lines:
        for number, line in enumerate(lines):
            answer = json.loads(line)
            if answer["task"] not in LEFT_OUT:
                tasks[answer["task"]].append(answer | {"line": number})
    names = sorted(tasks)
    sample = []
    for at, name in enumerate(names):
        share = count // len(names) + (at < count % len(names))
        sample += chance.sample(tasks[name], share)
    chance.shuffle(sample)
    return sample


def behaviour(task: str) -> Behaviour:
    """The steps of one recorded prompt."""
    with (TASKS / f"{task}.toml").open("rb") as file:
        found = tomllib.load(file)["behaviour"]
    return Behaviour(found["kind"], found["entry"], steps=tuple(found["steps"]))


def judged(
    sample: list[dict[str, Any]], workshop: Workshop, threads: int
) -> dict[tuple[str, str], Judged]:
    """The verdict on each different answer."""
    behaviours = {item["task"]: behaviour(item["task"]) for item in sample}
    different = sorted({(item["task"], item["answer"]) for item in sample})
    judge = Judge(workshop, "svelte", "svelte@5")
    judge.warm()
    done = 0

    def one(key: tuple[str, str]) -> Judged:
        nonlocal done
        found = judge.judge([SourceFile("Answer.svelte", key[1])], behaviours[key[0]])
        done += 1
        if done % 100 == 0:
            print(f"{done} of {len(different)}", file=sys.stderr)
        return found

    try:
        with ThreadPoolExecutor(threads) as pool:
            return dict(zip(different, pool.map(one, different), strict=True))
    finally:
        judge.close()


def compared(
    sample: list[dict[str, Any]], verdicts: dict[tuple[str, str], Judged]
) -> dict[str, Any]:
    """Agreement as a whole and by task, and every disagreement with its reason."""
    agreed: Counter[str] = Counter()
    stages: Counter[str] = Counter()
    total: Counter[str] = Counter(item["task"] for item in sample)
    apart = []
    for item in sample:
        found = verdicts[item["task"], item["answer"]]
        stages[f"{found.standing} {found.stage or ''}".strip()] += 1
        if found.standing == "unscored" or (found.standing == "passed") != item["passed"]:
            apart.append(
                {
                    "task": item["task"],
                    "line": item["line"],
                    "model": item["model"],
                    "recorded": item["passed"],
                    "ours": found.standing,
                    "stage": found.stage,
                    "why": found.why,
                    "recorded_error": str(item.get("error") or "")[:300],
                }
            )
        else:
            agreed[item["task"]] += 1
    return {
        "answers": len(sample),
        "different": len(verdicts),
        "recorded_passed": sum(bool(item["passed"]) for item in sample),
        "agreement": round(sum(agreed.values()) / len(sample), 5),
        "by_task": {name: f"{agreed[name]}/{total[name]}" for name in sorted(total)},
        "standings": dict(stages),
        "disagreements": apart,
    }


if __name__ == "__main__":
    sys.exit(main())
