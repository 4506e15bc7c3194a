"""How much does the ladder's choice lose against the best rung on sealed items?

On each set and seed the ladder chooses by cross-validation; then every rung that was tried is
fitted on all training rows and scored on the sealed items. The realised regret is the best rung's
sealed accuracy minus the chosen one's. Beside it stand "always the linear rung", "always the
dearest rung" and "always the best by cross-validation".

    python benchmarks/ladder_regret.py --mirror DIR --home DIR --out FILE
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from record import write

CASES = [
    ("askubuntu", None, 0),
    ("chatbot", None, 0),
    ("sms_spam", 10, 3),
    ("sms_spam", 100, 3),
    ("snips", 5, 3),
    ("snips", 30, 3),
    ("banking77", 3, 3),
    ("banking77", 10, 3),
    ("banking77", 40, 1),
    ("clinc150", 10, 1),
]
"""Set, rows per class (None: all), number of seeds (0: one). webapps has a label with one row,
which making refuses."""


def case(metier: Any, mirror: Path, name: str, per_class: int | None, seed: int) -> dict[str, Any]:
    """One climb with every rung's sealed accuracy."""
    from metier.heads import mix
    from metier.making import encoders, workflow
    from metier.making.clock import Clock
    from metier.making.rows import gather
    from metier.messages import silent
    from metier.recipe import Recipe
    from metier.training.fitting import fit_whole

    data: dict[str, Any] = {
        "specialist": {"name": "regret"},
        "data": [{"kind": "file", "path": str(mirror / "text" / f"{name}.jsonl")}],
        "split": {"per_class": per_class} if per_class else {},
        "ladder": {"seed": seed},
    }
    if name == "clinc150":
        data["specialist"]["out_of_scope_label"] = "oos"
    recipe = Recipe.model_validate(data)
    makers = metier._makers(recipe.base.ref, Path.cwd(), False)
    rows = gather(recipe, makers.places, silent)
    clock = Clock()
    bases = encoders.Bases(makers.base, makers.encoder, silent, clock)
    climb = workflow.climb_all(recipe, rows, bases, clock, silent, makers.threads)
    choice, _ = climb.choose(recipe.ladder.margin)
    number = {label: index for index, label in enumerate(rows.labels)}
    items = [item for item in rows.sealed.items if item.label in number]
    truth = np.array([number[item.label] for item in items])
    texts = [item.text for item in items]
    logits: dict[str, Any] = {}
    for learner_name, learner in climb.learners.items():
        head = fit_whole(
            learner.fit, climb.rows[learner_name], rows.classes, len(rows.labels), seed
        )
        logits[learner_name] = head.logits(learner.view(texts))
    sealed = {}
    for rung, candidate in climb.candidates.items():
        mixed = mix([logits[member] for member in candidate.members], candidate.weights)
        sealed[rung] = float((mixed.argmax(axis=1) == truth).mean())
    validated = {
        rung: float(found.correct(rows.classes).mean()) for rung, found in climb.candidates.items()
    }
    best = max(sealed.values())
    return {
        "set": name,
        "per_class": per_class,
        "seed": seed,
        "rows": len(rows.texts),
        "sealed_items": len(items),
        "chosen": choice.name,
        "decided": choice.decided,
        "sealed": sealed,
        "cross_validated": validated,
        "regret": best - sealed[choice.name],
        "regret_linear": best - sealed["linear"],
        "regret_dearest": best - sealed.get("ensemble", sealed["linear"]),
        "regret_best_validated": best - sealed[max(validated, key=lambda rung: validated[rung])],
    }


def main() -> None:
    """Run every case and write the table."""
    from metier.assembly import Metier
    from metier.settings import Settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    home = str(arguments.home)
    metier = Metier.open(Settings.read({"METIER_HOME": home, "HOME": home}))
    metier.install_starters()
    runs = []
    for name, per_class, seeds in CASES:
        for seed in range(max(seeds, 1)):
            found = case(metier, arguments.mirror, name, per_class, seed)
            runs.append(found)
            print(
                f"{name} {per_class or 'all'} seed {seed}: {found['chosen']}"
                f"{'' if found['decided'] else ' (underpowered)'} regret "
                f"{100 * found['regret']:.2f} points",
                flush=True,
            )
    keys = ("regret", "regret_linear", "regret_dearest", "regret_best_validated")
    summary = {key: mean(run[key] for run in runs) for key in keys}
    worst = max(run["regret"] for run in runs)
    print({key: f"{100 * value:.2f}" for key, value in summary.items()}, f"worst {100 * worst:.2f}")
    write(arguments.out, {"mean": summary, "worst": worst, "runs": runs}, seed=0)


if __name__ == "__main__":
    main()
