"""Carding: the facts of a make as one card.

It knows which measurements a card holds and how they are taken from the proved specialist; it
decides nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from metier.card import Calibration, Card, Cost, LabelCurve, LeakReport, OutOfScope, Rung, Score
from metier.engines.classifier import TextClassifier
from metier.evals.results import Result
from metier.evals.summary import scores, worst_labels
from metier.making.deciding import Thresholds
from metier.making.makers import Makers
from metier.making.proving import Proof
from metier.making.rows import Rows
from metier.recipe import AnyRecipe, ChatRecipe, Recipe
from metier.stats import auroc, expected_calibration_error, share_interval
from metier.training.ladder import Choice

CLASSES_GB = (1, 4, 8, 16, 32)


@dataclass(frozen=True)
class Facts:
    """What was measured on the exported specialist."""

    scores: tuple[Score, ...]
    in_scope: Score
    calibration: Calibration
    out_of_scope: OutOfScope
    thresholds: Thresholds
    worst: tuple[tuple[str, float, int], ...]


@dataclass(frozen=True)
class Details:
    """The rest of a card: identity, cost, (wall, processor) seconds and the curve."""

    system: str
    cost: Cost
    spent: tuple[float, float]
    curve: LabelCurve | None


def measure(
    classifier: TextClassifier, rows: Rows, proof: Proof, thresholds: Thresholds, *, seed: int
) -> Facts:
    """Scores, calibration and out-of-scope figures of the specialist on the sealed items."""
    result: Result = proof.results["specialist"]
    items = rows.sealed.items
    predictions = classifier.predict([item.text for item in items], top=1)
    inside = np.array([item.label in rows.labels for item in items])
    correct = np.array(
        [guess.best == item.label for guess, item in zip(predictions, items, strict=True)]
    )[inside].astype(np.float64)
    clusters = np.array([item.cluster for item in items])
    in_scope = Score(
        metric="accuracy_in_scope",
        value=float(correct.mean()) if correct.size else 0.0,
        interval=share_interval(correct, clusters[inside]) if correct.size else None,
        n=correct.size,
        clusters=int(np.unique(clusters[inside]).size),
    )
    found = scores(rows.sealed, result, seed=seed)
    energies = np.array([guess.energy for guess in predictions], np.float64)
    outside = classifier.out_of_scope_label is not None and bool((~inside).any())
    return Facts(
        scores=(*found, in_scope) if outside else found,
        in_scope=in_scope,
        calibration=Calibration(
            expected_calibration_error=expected_calibration_error(
                np.array([guess.probability for guess in predictions])[inside], correct
            ),
            temperature=1.0,
            n=correct.size,
        ),
        out_of_scope=OutOfScope(
            energy_threshold=thresholds.energy_below,
            false_alarms=thresholds.false_alarms,
            auroc=auroc(energies[inside], energies[~inside]) if outside else None,
            recall=float((energies[~inside] < thresholds.energy_below).mean()) if outside else None,
            n_in=int(inside.sum()),
            n_out=int((~inside).sum()),
        ),
        thresholds=thresholds,
        worst=worst_labels(rows.sealed, result),
    )


def write(
    recipe: Recipe,
    rows: Rows,
    makers: Makers,
    *,
    choice: Choice,
    ladder: tuple[Rung, ...],
    proof: Proof,
    facts: Facts,
    details: Details,
) -> Card:
    """The card of a finished make."""
    base = makers.base
    uses_base = details.cost.shared_bytes or None
    return Card(
        name=recipe.specialist.name,
        version=recipe.specialist.version,
        task=recipe.specialist.task,
        domain=recipe.specialist.domain,
        description=recipe.specialist.description,
        licence=recipe.specialist.licence,
        labels=rows.labels,
        out_of_scope_label=recipe.specialist.out_of_scope_label,
        base=base if uses_base else None,
        rung=choice.name,
        why=choice.why,
        decided=choice.decided,
        rows=proof.rows,
        scores=facts.scores,
        evidence=proof.evidence,
        ladder=ladder,
        curve=details.curve,
        calibration=facts.calibration,
        abstention=facts.thresholds.abstention,
        out_of_scope=facts.out_of_scope,
        leaks=without_texts(rows.leaks),
        data=rows.summary,
        worst_labels=facts.worst,
        recipe_id=str(recipe.recipe_id),
        build_id=str(
            recipe.build_id(
                base_digest=base.digest if base else None,
                data=(rows.summary.train_digest, rows.summary.eval_digest),
                toolchain=makers.toolchain,
            )
        ),
        system=details.system,
        toolchain=makers.toolchain,
        seed=recipe.ladder.seed,
        made=makers.today,
        seconds=details.spent[0],
        cpu_seconds=details.spent[1],
        machine=makers.machine,
        cost=details.cost,
        notes=rows.notes,
    )


def without_texts(leaks: LeakReport) -> LeakReport:
    """The report with row numbers alone: a card travels, people's texts do not."""
    blank = {"eval_excerpt": "", "train_excerpt": ""}
    return leaks.model_copy(
        update={
            "rows": tuple(row.model_copy(update=blank) for row in leaks.rows),
            "conflicts": tuple(row.model_copy(update=blank) for row in leaks.conflicts),
        }
    )


def results_parts(proof: Proof) -> dict[str, bytes]:
    """File path to bytes of every result and its timings, to be installed beside the weights."""
    parts: dict[str, bytes] = {}
    for key, result in proof.results.items():
        parts[f"results/{key}.jsonl"] = result.to_bytes()
        if result.timings is not None:
            parts[f"results/{key}.timings.json"] = result.timings_bytes()
    return parts


def recipe_toml(recipe: AnyRecipe) -> bytes:
    """The recipe as TOML; a long prompt stays readable as lines."""
    import tomli_w

    document = json.loads(json.dumps(recipe.to_dict()))
    lines = isinstance(recipe, ChatRecipe)
    return tomli_w.dumps(document, multiline_strings=lines).encode()


def cost_class(size_bytes: int) -> str:
    """DESIGN §2's class by memory: ``this machine, up to 1 GB`` and so on.

    Memory is taken as twice the bytes of the files plus 200 MB for the process.
    """
    gigabytes = (2 * size_bytes + 200e6) / 1e9
    for limit in CLASSES_GB:
        if gigabytes <= limit:
            return f"this machine, up to {limit} GB"
    return f"this machine, over {CLASSES_GB[-1]} GB"
