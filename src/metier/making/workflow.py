"""The whole of making: rows → leak gate → ladder → thresholds → exported parts → proof → card.

It knows the order and carries values from step to step; every step is another module's. What is
installed is what was proved: the parts are written first, loaded back from their bytes, and only
that loaded specialist is examined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from metier.card import BaseReference, Card, Cost, CurvePoint, LabelCurve, Score
from metier.engines.classifier import TextClassifier
from metier.engines.parts import OVER_BASE, SPECIALIST_FILE, Member, SpecialistFile
from metier.engines.systems import SpecialistSystem, ZeroShotSystem
from metier.evals.items import Eval
from metier.heads import FloatArray, LinearHead, mix
from metier.making import carding, climbing, curve, encoders
from metier.making.clock import Clock
from metier.making.deciding import Thresholds, decide
from metier.making.forecasting import Course, Speed, steps
from metier.making.gathering import gather_any
from metier.making.learners import hashed, majority
from metier.making.makers import Makers
from metier.making.material import HashedWords
from metier.making.picturerungs import FEATURES, climb_pictures
from metier.making.proving import (
    NO_NAMES,
    NOT_INSTALLED,
    NOT_WANTED,
    Proof,
    Showing,
    Trial,
    prove,
)
from metier.making.resuming import Keeper
from metier.making.rows import Rows
from metier.making.thinning import within_budget
from metier.manifest import WEIGHT_CONFIG_TYPE, WEIGHT_TYPE, Descriptor, Role, system_digest
from metier.messages import Encoder, Progress, Report
from metier.recipe import Recipe
from metier.reference import Digest
from metier.training.fitting import fit_whole
from metier.training.ladder import Candidate


@dataclass(frozen=True)
class Made:
    """A specialist that is ready to be installed.

    Attributes:
        card: What it is and has proved.
        recipe: As it is recorded beside the card.
        parts: File path to bytes of what answers.
        proof: Its rows, evidence and results.
        sealed: Its eval.
        located: Digest of a local source to its path here.
        keeper: What would let a stopped make go on; it is discarded once all is installed.
    """

    card: Card
    recipe: Recipe
    parts: dict[str, bytes]
    proof: Proof
    sealed: Eval
    located: dict[str, str]
    keeper: Keeper = field(default_factory=Keeper)


def make(
    recipe: Recipe,
    makers: Makers,
    *,
    report: Report,
    cancelled: Callable[[], bool],
    rows: Rows | None = None,
    budget: float | None = None,
) -> Made:
    """Make and prove a specialist; installs nothing.

    Args:
        recipe: What to make and how.
        makers: Places, encoders and facts of this machine.
        report: Receives progress.
        cancelled: Asked often; stops the work with InputError (code ``cancelled``).
        rows: What the recipe's data came to, where that is known already.
        budget: Wall seconds for everything; the recipe's own, if not given.

    Raises:
        InputError: The data or the recipe is wrong; nothing was changed.
        UnavailableError: A source or the general model cannot be reached.
    """
    clock = Clock(budget or recipe.ladder.budget_seconds, cancelled)
    if rows is None:
        rows = gather_any(recipe, makers.places, report)
        recipe = rows.recipe
    clock.check()
    rows = within_budget(rows, clock, recipe.ladder.seed, report)
    keeper = _keeper(recipe, rows, makers)
    bases = encoders.Bases(makers.base, makers.encoder, report, clock, keeper)
    report = bases.report = _course(recipe, rows, bases, report)
    climb = climb_all(recipe, rows, bases, clock, report, makers.threads, keeper)
    choice, ladder = climb.choose(recipe.ladder.margin)
    chosen = climb.candidates[choice.name]
    heads = _fit(climb, chosen)
    outside = _outside_logits(climb, chosen, heads, rows)
    thresholds = decide(
        chosen.logits,
        rows.classes,
        outside,
        target_accuracy=recipe.answer.target_accuracy,
        false_alarms=recipe.answer.false_alarms,
    )
    specialist, parts = _write(recipe, rows, climb, chosen, heads, thresholds, makers.base)
    classifier = _load_back(specialist, parts, bases)
    cost = _cost(climb, chosen, parts)
    showing = _showing(recipe, makers, bases)
    trial = Trial(rows, makers.journals, makers.toolchain, report, cancelled, showing)
    proof = prove(
        recipe,
        trial,
        specialist=SpecialistSystem(recipe.specialist.name, classifier),
        specialist_cost=cost,
        base=_zero_shot(recipe, rows, bases, climb),
        base_cost=_base_cost(bases),
        service=makers.service,
        date=makers.today,
    )
    facts = carding.measure(classifier, rows, proof, thresholds, seed=recipe.ladder.seed)
    spent = (clock.seconds, clock.cpu_seconds)
    label_curve = _curve(recipe, rows, climb, chosen, facts.in_scope, proof, report, clock)
    card = carding.write(
        recipe,
        rows,
        makers,
        choice=choice,
        ladder=ladder,
        proof=proof,
        facts=facts,
        details=carding.Details(classifier.digest, cost, spent, label_curve),
    )
    report(Progress("save", "Writing the specialist.", fraction=1.0))
    return Made(card, recipe, parts, proof, rows.sealed, rows.located, keeper)


def _showing(recipe: Recipe, makers: Makers, bases: encoders.Bases) -> Showing | None:
    """How pictures are put to a general model; ``None`` where there are none, or no shelf."""
    if not recipe.of_pictures or makers.pictures is None:
        return None
    return Showing(makers.pictures, bases.view(FEATURES).encode)


def _keeper(recipe: Recipe, rows: Rows, makers: Makers) -> Keeper:
    """What this make kept before it was stopped: of the same rows, split, seed and libraries.

    Makes of the same rows on several bases share it: what needs no base is climbed once.
    """
    if not makers.resumes:
        return Keeper()
    identity = {
        "format": 2,
        "train": rows.summary.train_digest,
        "texts": len(rows.texts),
        "labels": list(rows.labels),
        "clusters": sha256(rows.clusters.tobytes() + rows.classes.tobytes()).hexdigest(),
        "seed": recipe.ladder.seed,
        "toolchain": dict(makers.toolchain),
    }
    return Keeper.open(makers.journals, identity, base=makers.base.digest if makers.base else None)


def _course(recipe: Recipe, rows: Rows, bases: encoders.Bases, report: Report) -> Report:
    """Reports with the share of the whole that is done and the time left."""
    expected = steps(
        Speed(
            rows=len(rows.texts),
            sealed=len(rows.sealed.items),
            labels=len(rows.labels),
            characters=sum(map(len, rows.texts)) / len(rows.texts),
            encoder=bases.seconds_per_text(rows.texts),
        ),
        curve=recipe.ladder.curve,
    )
    return Course(expected, report, budget=bases.clock.budget)


def climb_all(
    recipe: Recipe,
    rows: Rows,
    bases: encoders.Bases,
    clock: Clock,
    report: Report,
    threads: int,
    keeper: Keeper | None = None,
) -> climbing.Climb:
    """Try every rung that the recipe names, from the cheapest up; nothing is chosen yet."""
    from metier.datasets.splitting import folds

    number = climbing.fold_number(len(rows.texts))
    names = [rows.labels[index] for index in rows.classes.tolist()]
    task = climbing.Task(
        texts=rows.texts,
        classes=rows.classes,
        clusters=rows.clusters,
        folds=folds(names, rows.clusters.tolist(), number, recipe.ladder.seed),
        labels=len(rows.labels),
        seed=recipe.ladder.seed,
    )
    climb = climbing.Climb(task, clock, report, threads, keeper or Keeper())
    wanted = recipe.ladder.rungs
    reserve = 0.1 * clock.budget if clock.budget else 0.0
    climb.try_learner(majority(task.labels), reserve=0.0, always=True)
    if recipe.of_pictures:
        items = len(rows.sealed.items)
        climb_pictures(recipe, climb, bases, reserve=reserve, eval_items=items)
        return climb
    if "linear" in wanted or "ensemble" in wanted:
        climb.try_learner(
            hashed(HashedWords(rows.texts, task.labels), task.labels), reserve=reserve
        )
    if "static" in wanted:
        encoders.try_static(climb, bases, reserve=reserve)
    if "encoder" in wanted or "ensemble" in wanted:
        encoders.try_encoder(climb, bases, reserve=reserve, eval_items=len(rows.sealed.items))
    if "ensemble" in wanted:
        members = encoders.ensemble_members(climb)
        if members:
            climb.try_ensemble(members)
        else:
            climb.leave_out("ensemble", "ensemble", "it needs two rungs that were tried")
    return climb


def artifact_parts(made: Made) -> dict[str, tuple[Role, bytes | Path]]:
    """Everything that is installed: file path to its role and bytes."""
    parts: dict[str, tuple[Role, bytes | Path]] = {
        path: ("weight-config" if path == SPECIALIST_FILE else "weight", data)
        for path, data in made.parts.items()
    }
    documents = {
        "card.json": made.card.to_bytes(),
        "recipe.toml": carding.recipe_toml(made.recipe),
        **carding.results_parts(made.proof),
    }
    parts.update({path: ("doc", data) for path, data in documents.items()})
    return parts


def _fit(climb: climbing.Climb, chosen: Candidate) -> dict[str, LinearHead]:
    task = climb.task
    return {
        name: fit_whole(
            climb.learners[name].fit, climb.rows[name], task.classes, task.labels, task.seed
        )
        for name in chosen.members
    }


def _outside_logits(
    climb: climbing.Climb, chosen: Candidate, heads: dict[str, LinearHead], rows: Rows
) -> FloatArray | None:
    if not rows.outside:
        return None
    members = [
        heads[name].logits(climb.learners[name].view(rows.outside)) for name in chosen.members
    ]
    return mix(members, chosen.weights)


def _write(
    recipe: Recipe,
    rows: Rows,
    climb: climbing.Climb,
    chosen: Candidate,
    heads: dict[str, LinearHead],
    thresholds: Thresholds,
    base: BaseReference | None,
) -> tuple[SpecialistFile, dict[str, bytes]]:
    members = []
    parts: dict[str, bytes] = {}
    for name, weight in zip(chosen.members, chosen.weights, strict=True):
        learner = climb.learners[name]
        members.append(learner.member.model_copy(update={"weight": weight}))
        parts[learner.member.file] = learner.pack(heads[name])
    needs_base = any(member.kind in OVER_BASE for member in members)
    specialist = SpecialistFile(
        task=recipe.specialist.task,
        labels=rows.labels,
        out_of_scope_label=recipe.specialist.out_of_scope_label,
        base=base.name if base and needs_base else None,
        base_digest=base.digest if base and needs_base else None,
        members=tuple(members),
        abstain_below=thresholds.abstention.threshold,
        energy_below=thresholds.energy_below,
    )
    parts[SPECIALIST_FILE] = specialist.to_bytes()
    return specialist, parts


def _load_back(
    specialist: SpecialistFile, parts: dict[str, bytes], bases: encoders.Bases
) -> TextClassifier:
    digest = str(system_digest(descriptors(parts), specialist.base_digest))
    again = SpecialistFile.from_bytes(parts[SPECIALIST_FILE])

    def encoder_for(member: Member) -> Encoder:
        return bases.view(member.view)

    return TextClassifier.load(
        again, digest=digest, read=parts.__getitem__, encoder_for=encoder_for
    )


def descriptors(parts: dict[str, bytes]) -> tuple[Descriptor, ...]:
    """Descriptors of answering parts, as the store will write them."""
    return tuple(
        Descriptor(
            mediaType=WEIGHT_CONFIG_TYPE if path == SPECIALIST_FILE else WEIGHT_TYPE,
            digest=str(Digest.of(data)),
            size=len(data),
            annotations={"org.cncf.model.filepath": path},
        )
        for path, data in parts.items()
    )


def _cost(climb: climbing.Climb, chosen: Candidate, parts: dict[str, bytes]) -> Cost:
    shared = max(climb.learners[name].shared_bytes for name in chosen.members)
    own = sum(len(data) for data in parts.values())
    return Cost(
        cost_class=carding.cost_class(own + shared),
        ms_per_text=climb.rungs[chosen.name].ms_per_text,
        size_bytes=own,
        shared_bytes=shared,
    )


def _base_cost(bases: encoders.Bases) -> Cost:
    shared = bases.best_size()
    return Cost(cost_class=carding.cost_class(shared), shared_bytes=shared)


def _zero_shot(
    recipe: Recipe, rows: Rows, bases: encoders.Bases, climb: climbing.Climb
) -> ZeroShotSystem | str:
    """The base's own row, with a threshold fitted by the specialist's rule if it needs one.

    Or the reason why there is none.
    """
    if recipe.of_pictures:
        return NO_NAMES
    if "base" not in recipe.eval.against:
        return NOT_WANTED
    encoder = bases.best()
    if encoder is None:
        return NOT_INSTALLED
    if not bases.has_time(len(rows.sealed.items), climb.task.texts):
        return "the budget left no time to ask it"
    label = recipe.specialist.out_of_scope_label
    plain = ZeroShotSystem(
        name=f"{bases.name} on label names",
        encoder=encoder,
        embed=encoder.encode,
        labels=rows.labels,
    )
    if label is None or not any(name.startswith("encoder") for name in climb.rows):
        return plain
    similar = plain.similarities(rows.texts).max(axis=1)
    below = float(np.quantile(similar, recipe.answer.false_alarms))
    return ZeroShotSystem(
        name=plain.name,
        encoder=encoder,
        embed=encoder.encode,
        labels=rows.labels,
        out_of_scope_label=label,
        similarity_below=below,
    )


def _curve(
    recipe: Recipe,
    rows: Rows,
    climb: climbing.Climb,
    chosen: Candidate,
    in_scope: Score,
    proof: Proof,
    report: Report,
    clock: Clock,
) -> LabelCurve | None:
    """The label-efficiency curve, if it is wanted and there is time."""
    if not recipe.ladder.curve or clock.left <= 0:
        return None
    number = {label: index for index, label in enumerate(rows.labels)}
    truth = np.array([number.get(item.label, -1) for item in rows.sealed.items], np.int64)
    texts = [item.text for item in rows.sealed.items]
    learners = [
        (climb.learners[name], climb.rows[name], climb.learners[name].view(texts))
        for name in chosen.members
    ]
    drawn = curve.draw(
        learners,
        chosen.weights,
        rows.classes,
        truth,
        rung=chosen.name,
        seed=recipe.ladder.seed,
        report=report,
        clock=clock,
    )
    value = in_scope.value
    most = int(np.median(np.bincount(rows.classes, minlength=len(rows.labels))))
    whole = CurvePoint(
        per_class=most, labels=rows.classes.size, mean=value, low=value, high=value, draws=1
    )
    return curve.finish(drawn, whole, proof.rows)
