"""What does making give on real text sets, and what does it take?

Makes specialists with the defaults of ``metier make`` and prints accuracy with interval, evidence,
processor and wall seconds ("made": everything from cold text to a card, label curve apart, encoder
graph cached). Every make runs in a process of its own. The sets come from a mirror (see the data
README of the recipes); to reach: banking77 full >= .940 in 60 s CPU, 10 per class mean >= .85 in
15 s CPU each, clinc150 in-scope >= .955 and out-of-scope AUROC >= .970.

    python benchmarks/make_text.py --mirror DIR --home DIR --out benchmarks/results/make_text.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from record import write

SEEDS = range(5)


def one(arguments: argparse.Namespace) -> dict[str, Any]:
    """One make in this process, from cold text to a card."""
    from metier.assembly import Metier
    from metier.recipe import Recipe
    from metier.settings import Settings

    settings = Settings.read({"METIER_HOME": str(arguments.home), "HOME": str(arguments.home)})
    metier = Metier.open(settings)
    metier.install_starters()
    name = arguments.set
    data: dict[str, Any] = {
        "specialist": {"name": f"bench-{name}"},
        "data": [{"kind": "file", "path": str(arguments.mirror / "text" / f"{name}.jsonl")}],
        "split": {"drop_leaks": arguments.drop_leaks},
        "ladder": {"seed": arguments.seed, "curve": False},
    }
    if arguments.per_class:
        data["split"]["per_class"] = arguments.per_class
    if name == "clinc150":
        data["specialist"]["out_of_scope_label"] = "oos"
    card = metier.make(Recipe.model_validate(data), folder=Path.cwd())
    metier.remove(card.name)
    scope = next((score for score in card.scores if score.metric == "accuracy_in_scope"), None)
    headline = scope or card.accuracy()
    assert headline is not None
    return {
        "rung": card.rung,
        "accuracy": headline.value,
        "interval": [headline.interval.low, headline.interval.high] if headline.interval else None,
        "n": headline.n,
        "ece": card.calibration.expected_calibration_error if card.calibration else None,
        "out_of_scope_auroc": card.out_of_scope.auroc if card.out_of_scope else None,
        "cpu_seconds": card.cpu_seconds,
        "seconds": card.seconds,
        "size_bytes": card.cost.size_bytes,
        "ms_per_text": card.cost.ms_per_text,
        "leaked": card.leaks.leaked,
        "dropped": card.leaks.dropped,
        "evidence": {
            item.against: [
                str(item.difference.verdict),
                item.difference.difference,
                item.difference.interval.low,
                item.difference.interval.high,
            ]
            for item in card.evidence
        },
        "ladder": {
            rung.name: [
                rung.state,
                rung.accuracy.value if rung.accuracy else None,
                rung.cpu_seconds,
            ]
            for rung in card.ladder
        },
    }


def apart(arguments: argparse.Namespace, **options: Any) -> dict[str, Any]:
    """The same in a fresh process, so that nothing is warm."""
    words = [sys.executable, __file__, "--mirror", str(arguments.mirror)]
    words += ["--home", str(arguments.home)]
    for key, value in options.items():
        words += [f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)])
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{options}: {found['rung']} {found['accuracy']:.4f} {found['interval']} "
        f"cpu {found['cpu_seconds']:.1f} s wall {found['seconds']:.1f} s "
        f"auroc {found['out_of_scope_auroc']}",
        flush=True,
    )
    return found


def main() -> None:
    """Run all sets, or one make when ``--set`` is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-class", type=int)
    parser.add_argument("--drop-leaks", action="store_true")
    arguments = parser.parse_args()
    if arguments.set:
        print(json.dumps(one(arguments)))
        return
    if arguments.out is None:
        parser.error("--out is needed")
    apart(arguments, set="askubuntu")  # builds the encoder graph, which is not part of a make
    results: dict[str, Any] = {
        "banking77": apart(arguments, set="banking77"),
        "banking77, leaks dropped": apart(arguments, set="banking77", drop_leaks=True),
        "clinc150": apart(arguments, set="clinc150"),
    }
    few = [apart(arguments, set="banking77", per_class=10, seed=seed) for seed in SEEDS]
    results["banking77, 10 per class"] = {
        "mean": mean(run["accuracy"] for run in few),
        "cpu_seconds": mean(run["cpu_seconds"] for run in few),
        "seconds": mean(run["seconds"] for run in few),
        "runs": few,
    }
    print("10 per class, mean", results["banking77, 10 per class"]["mean"])
    write(arguments.out, results, seed=0)


if __name__ == "__main__":
    main()
