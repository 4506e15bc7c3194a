"""The rungs over a base: which views there are, which precision is used, what to mix.

It knows the base's encoders and their costs; int8 is used where its cross-validated evals are
not worse than fp32's on the same rows, and the reason stands on the ladder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metier.card import BaseReference, Difference, Verdict
from metier.engines.parts import Member
from metier.errors import MetierError
from metier.heads import FloatArray
from metier.making.climbing import Climb
from metier.making.clock import Clock
from metier.making.learners import Learner, vectors
from metier.making.material import RememberingEncoder
from metier.making.resuming import Keeper
from metier.making.thinning import stratified
from metier.messages import Encoder, Progress, Report
from metier.training.fitting import cross_validate
from metier.training.ladder import points

TRIAL_ROWS = 1_500
"""Rows on which int8 is held against fp32."""
SAMPLE = 48
"""Texts on which the seconds of one are measured."""
SPEED_SAMPLE = 24
"""Texts on which the time of the whole make is estimated."""
QUIET = 0.5
"""Seconds between two reports of encoding."""
TITLES = {
    "static": "static embeddings + linear",
    "encoder-int8": "frozen encoder (int8) + linear",
    "encoder": "frozen encoder + linear",
}


@dataclass
class Bases:
    """The base's views, opened when first needed; each remembers the texts it has seen."""

    reference: BaseReference | None
    open: Callable[[str], Encoder]
    report: Report
    clock: Clock
    keeper: Keeper = field(default_factory=Keeper)
    used: str | None = None
    _views: dict[str, RememberingEncoder] = field(default_factory=dict)
    _told: float = 0.0

    @property
    def name(self) -> str:
        """The base's name."""
        return self.reference.name if self.reference else "no base"

    def view(self, view: str) -> RememberingEncoder:
        """``static``, ``int8`` or ``fp32``; raises MetierError if the base has no such view."""
        if view not in self._views:
            self._views[view] = RememberingEncoder(self.open(view), self._pause, self.keeper)
        return self._views[view]

    def best(self) -> RememberingEncoder | None:
        """The contextual encoder in use, else fp32 if the base has it here, else ``None``."""
        if self.reference is None:
            return None
        try:
            return self.view(self.used or "fp32")
        except MetierError:
            return None  # the rung that wanted it says why

    def has_time(self, number: int, texts: Sequence[str]) -> bool:
        """Whether ``best`` can encode so many texts like these in what is left of the budget.

        The rung that is in use has counted them already.
        """
        encoder = self.best()
        if encoder is None or self.used is not None or self.clock.budget is None:
            return True
        if self.clock.left <= 0:
            return False
        return encoder.seconds_per_text(list(texts[:SAMPLE])) * number <= self.clock.left

    def seconds_per_text(self, texts: Sequence[str]) -> float | None:
        """Wall seconds of one of these texts, in the fastest contextual view; ``None``: no base."""
        if self.reference is None:
            return None
        step = max(1, len(texts) // SPEED_SAMPLE)
        for view in ("int8", "fp32"):
            try:
                return self.view(view).seconds_per_text(list(texts[::step])[:SPEED_SAMPLE])
            except MetierError:
                continue  # the rung that wants it says why
        return None

    def best_size(self) -> int:
        """Bytes of ``best``; 0 without a base."""
        encoder = self.best()
        return encoder.size_bytes if encoder else 0

    def _pause(self, done: int, number: int) -> None:
        self.clock.check()
        now = time.monotonic()
        if number > 1_000 and now - self._told > QUIET:
            self._told = now
            share = done / number
            message = f"{done:,} of {number:,} encoded"
            self.report(Progress("encode", message, fraction=share, data={"of": number}))


def try_static(climb: Climb, bases: Bases, *, reserve: float) -> None:
    """The static rung, if the base has static vectors."""
    encoder = _opened(climb, bases, "static", "static")
    if encoder is None:
        return
    member = Member(kind="static", file="static.safetensors", encoder=encoder.name)
    learner = vectors("static", TITLES["static"], encoder, member, climb.task.labels)
    climb.try_learner(learner, reserve=reserve)


def try_encoder(climb: Climb, bases: Bases, *, reserve: float, eval_items: int) -> None:
    """The frozen encoder: int8 if it is not worse than fp32 on the same rows, else fp32."""
    full = _opened(climb, bases, "encoder", "fp32")
    if full is None:
        return
    sample = list(climb.task.texts[:SAMPLE])
    fast = full.seconds_per_text(sample)
    texts = len(climb.task.texts) + eval_items
    try:
        small = bases.view("int8")
    except MetierError as error:
        climb.leave_out("encoder-int8", TITLES["encoder-int8"], error.message)
        small = None
    known: FloatArray | None = None
    if small is not None:
        rows = _trial_rows(climb)
        trial_seconds = fast * rows.size * 2
        if trial_seconds > climb.clock.left - reserve:
            climb.leave_out(
                "encoder-int8", TITLES["encoder-int8"], "no time to hold it against fp32"
            )
        else:
            trial = _int8_against_fp32(climb, full, small, rows)
            sentence = _sentence(trial.difference, rows.size)
            if trial.difference.verdict in (Verdict.WIN, Verdict.TIE, Verdict.NOT_WORSE):
                seconds = small.seconds_per_text(sample) * texts
                learner = _learner(climb, "encoder-int8", small, "int8")
                if climb.try_learner(
                    learner, reserve=reserve, encoding_seconds=seconds, known=trial.small
                ):
                    bases.used = "int8"
                    climb.leave_out("encoder", TITLES["encoder"], f"int8 is not worse: {sentence}")
                return
            known = trial.full
            climb.leave_out(
                "encoder-int8", TITLES["encoder-int8"], f"not shown as good: {sentence}"
            )
    learner = _learner(climb, "encoder", full, "fp32")
    if climb.try_learner(learner, reserve=reserve, encoding_seconds=fast * texts, known=known):
        bases.used = "fp32"


def ensemble_members(climb: Climb) -> tuple[str, ...]:
    """Hashed words and the best of the views over the base, if both were tried."""
    over_base = [name for name in climb.candidates if name in TITLES]
    if "linear" not in climb.candidates or not over_base:
        return ()
    classes = climb.task.classes
    best = max(over_base, key=lambda name: climb.candidates[name].correct(classes).mean())
    return ("linear", best)


def _opened(climb: Climb, bases: Bases, rung: str, view: str) -> RememberingEncoder | None:
    if bases.reference is None:
        climb.leave_out(rung, TITLES[rung], "no base is installed; 'metier doctor' says how")
        return None
    try:
        return bases.view(view)
    except MetierError as error:
        climb.leave_out(rung, TITLES[rung], error.message)
        return None


def _learner(climb: Climb, name: str, encoder: RememberingEncoder, precision: str) -> Learner:
    member = Member.model_validate(
        {
            "kind": "encoder",
            "file": "head.safetensors",
            "precision": precision,
            "encoder": encoder.name,
        }
    )
    return vectors(name, TITLES[name], encoder, member, climb.task.labels)


def _trial_rows(climb: Climb) -> NDArray[np.int64]:
    """About ``TRIAL_ROWS`` rows, with some of every label: a head must have two to tell apart."""
    number = climb.task.classes.size
    if number <= TRIAL_ROWS:
        return np.arange(number)
    return stratified(climb.task.classes, TRIAL_ROWS, climb.task.seed)


@dataclass(frozen=True)
class _Trial:
    """int8 minus fp32 on some rows; the logits of each where these were all rows."""

    difference: Difference
    small: FloatArray | None
    full: FloatArray | None


def _int8_against_fp32(
    climb: Climb, full: RememberingEncoder, small: RememberingEncoder, rows: NDArray[np.int64]
) -> _Trial:
    from metier.stats import paired_difference

    climb.report(Progress("rung", "Holding int8 against fp32.", data={"name": "encoder-int8"}))
    task = climb.task
    texts = [task.texts[row] for row in rows.tolist()]
    logits: list[FloatArray] = []
    for encoder in (small, full):
        key = {"trial": encoder.name, "digest": encoder.digest}
        known = climb.keeper.find(key)
        found = known.array if known is not None else None
        if found is None:
            found = cross_validate(
                _learner(climb, "encoder", encoder, "fp32").fit,
                encoder.encode(texts),
                task.classes[rows],
                labels=task.labels,
                folds=task.folds[rows],
                seed=task.seed,
                workers=climb.workers,
                stopped=climb.clock.cancelled,
            )
            climb.clock.check()
            if found is None:
                raise AssertionError("a cross-validation that was not stopped gave no logits")
            climb.keeper.keep(key, found, {})
        logits.append(found)
    right = [(found.argmax(axis=1) == task.classes[rows]).astype(np.float64) for found in logits]
    difference = paired_difference(right[0], right[1], task.clusters[rows])
    whole = rows.size == task.classes.size
    return _Trial(difference, logits[0] if whole else None, logits[1] if whole else None)


def _sentence(difference: Difference, rows: int) -> str:
    interval = difference.interval
    return (
        f"{points(difference.difference)} points ({points(interval.low)} to "
        f"{points(interval.high)}, {rows:,} rows)"
    )
