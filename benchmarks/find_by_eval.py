"""Find by eval on recorded answers: how many questions until the best model is found?

Simulates ``metier.stats.halve`` on the 44 models x 405 dated coding questions of
``recorded/livecodebench_44models.jsonl.gz`` (pass@1, a few missing). The truth is the mean over
all questions. Every answer counts against the budget, those on untouched questions too. Printed:
the budget curve, a random subset of the same size (every model on the same few questions, the
highest mean wins), what the untouched questions then say, and the null (all models equal).

What was tuned on what: the schedule's three numbers (share kept, share of the first round, share
of ties) were chosen on made-up answers and on ``recorded/routing_7models.jsonl.gz``; ``--tune``
prints that table. The 44 models are the examination. (The first rule for ties kept so many that
small budgets were spent on single questions here; the present one was then checked on ``--tune``.)

    python benchmarks/find_by_eval.py --mirror ../shared/data
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import record
from numpy.typing import NDArray

from metier.card import Verdict
from metier.stats import Asked, Contender, Rules, Search, halve, halving

Floats = NDArray[np.float64]
NEAR = 0.02
"""Within two points of the best counts as found."""


def livecodebench(mirror: Path) -> tuple[list[str], Floats]:
    """Names and pass@1 as shares, shape (models, questions); not a number where missing."""
    path = mirror / "recorded" / "livecodebench_44models.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line)["pass_at_1_percent"] for line in lines]
    names = sorted({name for row in rows for name in row})
    values = [[row.get(name) for row in rows] for name in names]
    table = np.array([[np.nan if one is None else one for one in row] for row in values], float)
    return names, table / 100.0


def routing(mirror: Path) -> dict[str, Floats]:
    """Graded scores of 7 models by data set, shape (models, questions)."""
    path = mirror / "recorded" / "routing_7models.jsonl.gz"
    found: dict[str, list[list[float]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            found.setdefault(row["dataset"], []).append(
                [row["scores"][name] for name in sorted(row["scores"])]
            )
    return {name: np.clip(np.array(rows, float).T, 0.0, 1.0) for name, rows in found.items()}


def made_up(rng: np.random.Generator, models: int, questions: int, *, graded: bool) -> Floats:
    """Answers of an item-response model with families of skills, shape (models, questions)."""
    skill = rng.normal(0.0, 1.0, models)
    family, needs = rng.normal(0.0, 1.0, (models, 3)), rng.normal(0.0, 0.5, (questions, 3))
    hard = rng.normal(0.5, 1.8, questions)
    share = 1.0 / (1.0 + np.exp(-(1.4 * (skill[:, None] - hard[None]) + family @ needs.T)))
    if graded:
        return rng.binomial(10, share) / 10.0
    return (rng.random(share.shape) < share).astype(float)


def search(names: Sequence[str], table: Floats, budget: float, seed: int) -> Search:
    """One search on recorded answers."""
    rows = {name: table[place] for place, name in enumerate(names)}

    def ask(name: str, positions: Sequence[int]) -> Asked:
        seen = rows[name][list(positions)]
        return Asked([float(one) if np.isfinite(one) else "unscored" for one in seen])

    contenders = [Contender(name) for name in names]
    return halve(contenders, table.shape[1], ask, Rules(budget=budget, seed=seed))


def simulate(names: Sequence[str], table: Floats, budget: int, runs: int) -> dict[str, Any]:
    """Many seeds of one budget: how often the best is found, and what is then claimed."""
    truth = np.nanmean(table, axis=1)
    place = {name: number for number, name in enumerate(names)}
    regrets, asked, verdicts, wrong, first, covered, scored = [], [], [], 0, [], 0, 0
    for seed in range(runs):
        found = search(names, table, budget, seed)
        assert found.winner is not None
        regrets.append(float(truth.max() - truth[place[found.winner]]))
        asked.append(found.asked)
        first.append(found.rounds[0].total)
        final = found.final
        if final is None:
            continue
        if final.winner.interval is not None:
            scored += 1
            ends = final.winner.interval
            covered += ends.low <= truth[place[found.winner]] <= ends.high
        for rival, one in zip(final.rivals, final.differences, strict=True):
            if one is not None:
                verdicts.append(str(one.verdict))
                better = truth[place[found.winner]] > truth[place[rival.name]]
                wrong += one.verdict is Verdict.WIN and not better
    gone = np.array(regrets)
    return {
        "budget": budget,
        "asked_most": max(asked),
        "times_fewer": round(table.size / max(asked), 2),
        "found": float((gone <= NEAR).mean()),
        "mean_regret_points": round(100 * float(gone.mean()), 3),
        "worst_regret_points": round(100 * float(gone.max()), 2),
        "first_round_questions": int(np.median(first)),
        "wins_claimed": verdicts.count("WIN") / runs,
        "wins_wrong": wrong / runs,
        "truth_in_interval": covered / max(1, scored),
    }


def subset(table: Floats, budget: int, runs: int) -> float:
    """How often every model on the same few random questions finds a best one."""
    truth = np.nanmean(table, axis=1)
    count = max(1, budget // table.shape[0])
    hits = 0
    for seed in range(runs):
        drawn = np.random.default_rng(seed).permutation(table.shape[1])[:count]
        seen = table[:, drawn]
        heard = np.isfinite(seen).sum(axis=1)
        means = np.where(heard, np.nansum(seen, axis=1) / np.maximum(heard, 1), -1.0)
        hits += bool(truth.max() - truth[int(means.argmax())] <= NEAR)
    return hits / runs


def null(table: Floats, budget: int, runs: int) -> dict[str, float]:
    """Models that are equal: each question's answers are dealt out among them by chance."""
    names = [f"m{number:02}" for number in range(table.shape[0])]
    told = {"WIN": 0, "LOSS": 0}
    for seed in range(runs):
        rng = np.random.default_rng(10_000 + seed)
        dealt = rng.permuted(table, axis=0)
        final = search(names, dealt, budget, seed).final
        if final is not None and final.differences and final.differences[0] is not None:
            verdict = str(final.differences[0].verdict)
            if verdict in told:
                told[verdict] += 1
    return {name: count / runs for name, count in told.items()}


@contextmanager
def schedule(**numbers: float) -> Iterator[None]:
    """Other numbers of the schedule, for the table of ``--tune`` only."""
    before = {name: getattr(halving, name) for name in numbers}
    for name, value in numbers.items():
        setattr(halving, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(halving, name, value)


def tune(mirror: Path, runs: int) -> list[dict[str, Any]]:
    """Schedules on made-up answers and on seven routed models, none of them the 44."""
    worlds: dict[str, tuple[float, Callable[[np.random.Generator], Floats]]] = {
        "44x400 graded": (0.05, lambda rng: made_up(rng, 44, 400, graded=True)),
        "20x200": (0.1, lambda rng: made_up(rng, 20, 200, graded=False)),
        "8x150": (0.25, lambda rng: made_up(rng, 8, 150, graded=False)),
        "100x400": (0.05, lambda rng: made_up(rng, 100, 400, graded=False)),
    }
    for name, table in routing(mirror).items():
        if name in ("gsm8k", "arc_challenge", "humaneval"):
            worlds[f"routed {name}"] = (
                0.2,
                lambda rng, table=table: table[:, rng.permutation(table.shape[1])[:400]],  # type: ignore[misc]
            )
    schedules = {
        "as it is": {},
        "keep a third": {"KEPT": 1 / 3},
        "keep a quarter": {"KEPT": 1 / 4},
        "first round like others": {"FIRST_SHARE": 1.0},
        "first round threefold": {"FIRST_SHARE": 3.0},
        "all ties up to twice": {"LEVEL_SHARE": 1.0},
        "no ties": {"LEVEL_SHARE": 0.0},
        "a fifth for the end": {"FINAL_SHARE": 0.2, "RESERVED": 0.2},
    }
    rows = []
    for title, numbers in schedules.items():
        row: dict[str, Any] = {"schedule": title}
        with schedule(**numbers):
            for world, (share, make) in worlds.items():
                gone = []
                for seed in range(runs):
                    table = make(np.random.default_rng(seed))
                    names = [f"m{number:03}" for number in range(table.shape[0])]
                    found = search(names, table, share * table.size, seed)
                    truth = table.mean(axis=1)
                    gone.append(float(truth.max() - truth[names.index(str(found.winner))]))
                near = float((np.array(gone) <= NEAR).mean())
                row[world] = [round(near, 3), round(100 * float(np.mean(gone)), 2)]
        row["mean"] = round(float(np.mean([row[world][0] for world in worlds])), 4)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def main() -> None:
    """Print the curve, or with ``--tune`` the schedules."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--tune", action="store_true", help="the table of schedules instead")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/find_by_eval.json"))
    asked = parser.parse_args()
    if asked.tune:
        tune(asked.mirror, asked.runs)
        return
    names, table = livecodebench(asked.mirror)
    began = time.process_time()
    print(f"{len(names)} models x {table.shape[1]} questions, exhaustive {table.size:,}")
    curve = []
    for budget in (400, 600, 800, 1000, 1200, 1500, table.size // 10, 3564):
        row = simulate(names, table, budget, asked.runs)
        row["random_subset"] = subset(table, budget, asked.runs)
        curve.append(row)
        print(json.dumps(row), flush=True)
    equal = null(table, table.size // 10, asked.runs)
    print("null:", json.dumps(equal))
    results = {
        "curve": curve,
        "null": equal,
        "runs": asked.runs,
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    record.write(asked.out, results, seed=0)


if __name__ == "__main__":
    main()
