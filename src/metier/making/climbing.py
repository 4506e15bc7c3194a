"""Climbing: each rung is tried on rows that its heads have not seen, cheapest first.

It knows the order of the work, the budget and the choice between int8 and fp32; fitting and the
stop rule are ``training``'s. A rung that does not fit the budget is left out and says so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metier.card import Interval, Rung, Score
from metier.heads import FloatArray
from metier.making.clock import Clock
from metier.making.learners import Learner
from metier.making.resuming import Keeper, Kept
from metier.messages import Progress, Report
from metier.training.fitting import Rows, at_once, cross_validate, fit_whole
from metier.training.ladder import Candidate, Choice, choose, mixture

PROBE = 2_000
"""Rows on which the time of a fit is measured before it is begun on all of them."""


@dataclass(frozen=True)
class Task:
    """What is to be learned: classes of the training rows, and how they hang together."""

    texts: tuple[str, ...]
    classes: NDArray[np.int64]
    clusters: NDArray[np.int64]
    folds: NDArray[np.int64]
    labels: int
    seed: int


@dataclass
class Climb:
    """What has been tried so far."""

    task: Task
    clock: Clock
    report: Report
    workers: int
    keeper: Keeper = field(default_factory=Keeper)
    learners: dict[str, Learner] = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)
    logits: dict[str, FloatArray] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    rungs: dict[str, Rung] = field(default_factory=dict)

    def leave_out(self, name: str, title: str, why: str, *, stopped: bool = False) -> None:
        """Put a rung on the ladder that was not tried, and why."""
        rung = Rung(name=name, title=title, state="stopped" if stopped else "skipped", why=why)
        self._show(rung)

    def try_learner(
        self,
        learner: Learner,
        *,
        reserve: float,
        encoding_seconds: float = 0.0,
        always: bool = False,
        known: FloatArray | None = None,
    ) -> bool:
        """Cross-validate one learner if the budget allows; returns whether it was tried.

        Args:
            learner: The rung.
            reserve: Seconds to keep for everything after the ladder.
            encoding_seconds: Expected seconds to make its view of all training texts.
            always: Try it whatever the budget says: there must be one rung.
            known: Its out-of-fold logits, where they were computed already.
        """
        self.clock.check()
        task = self.task
        folds = int(task.folds.max()) + 1
        start, processor = time.perf_counter(), time.process_time()
        self.report(Progress("rung", f"Trying {learner.title}.", data={"name": learner.name}))
        left = float("inf") if always else self.clock.left - reserve
        if encoding_seconds > left:
            self._no_time(learner, encoding_seconds)
            return False
        rows = learner.view(task.texts)
        before = self._before(learner)
        if before is not None:
            known = before.array
        expected = 0.0 if known is not None else self._fit_seconds(learner, rows, folds)
        if expected > (float("inf") if always else self.clock.left - reserve):
            self._no_time(learner, expected)
            return False
        logits = known if known is not None else self._validate(learner, rows, always)
        self.clock.check()
        if logits is None:
            self._no_time(learner, expected)
            return False
        facts = dict(before.facts) if before is not None else {}
        milliseconds = facts.get("ms_per_text") or learner.milliseconds(self._sample())
        spent = time.perf_counter() - start + facts.get("seconds", 0.0)
        processor = time.process_time() - processor + facts.get("cpu_seconds", 0.0)
        if before is None:
            self.keeper.keep(self._key(learner), logits, _took(milliseconds, spent, processor))
        candidate = mixture(
            learner.name,
            [(learner.name, logits)],
            task.classes,
            nominal_ms=learner.nominal_ms,
            total_bytes=learner.own_bytes + learner.shared_bytes,
        )
        self.learners[learner.name], self.rows[learner.name] = learner, rows
        self.logits[learner.name], self.candidates[learner.name] = logits, candidate
        self._show(
            Rung(
                name=learner.name,
                title=learner.title,
                accuracy=self._score(candidate),
                ms_per_text=milliseconds,
                size_bytes=learner.own_bytes,
                shared_bytes=learner.shared_bytes,
                seconds=spent,
                cpu_seconds=processor,
                state="tried",
            )
        )
        return True

    def try_ensemble(self, members: Sequence[str]) -> None:
        """Mix learners that were tried; costs no new fit."""
        start, processor = time.perf_counter(), time.process_time()
        learners = [self.learners[name] for name in members]
        milliseconds = sum(self.rungs[name].ms_per_text or 0.0 for name in members)
        own = sum(learner.own_bytes for learner in learners)
        shared = max(learner.shared_bytes for learner in learners)
        candidate = mixture(
            "ensemble",
            [(name, self.logits[name]) for name in members],
            self.task.classes,
            nominal_ms=sum(learner.nominal_ms for learner in learners),
            total_bytes=own + shared,
        )
        self.candidates["ensemble"] = candidate
        self._show(
            Rung(
                name="ensemble",
                title=" and ".join(members) + ", logits added",
                accuracy=self._score(candidate),
                ms_per_text=milliseconds,
                size_bytes=own,
                shared_bytes=shared,
                seconds=time.perf_counter() - start,
                cpu_seconds=time.process_time() - processor,
                state="tried",
            )
        )

    def choose(self, margin: float) -> tuple[Choice, tuple[Rung, ...]]:
        """Apply the stop rule; the ladder comes back with the reasons in it."""
        ordered = list(self.candidates.values())
        choice = choose(ordered, self.task.classes, self.task.clusters, margin=margin)
        ladder = tuple(
            rung.model_copy(
                update={
                    "state": "chosen" if name == choice.name else rung.state,
                    "why": choice.why
                    if name == choice.name
                    else choice.reasons.get(name, rung.why),
                }
            )
            for name, rung in self.rungs.items()
        )
        self.report(
            Progress(
                "choose",
                f"Chosen: {choice.name}. {choice.why}",
                data={"name": choice.name, "ladder": [rung.model_dump() for rung in ladder]},
            )
        )
        return choice, ladder

    def _key(self, learner: Learner) -> dict[str, object]:
        """Under which the logits of a rung are kept; one without a base is any base's."""
        return {
            "rung": learner.name,
            "member": learner.member.model_dump(mode="json"),
            "base": self.keeper.base if learner.shared_bytes else None,
        }

    def _before(self, learner: Learner) -> Kept | None:
        """The rung as it was climbed before a stop."""
        found = self.keeper.find(self._key(learner))
        shape = (self.task.classes.size, self.task.labels)
        return found if found is not None and found.array.shape == shape else None

    def _validate(self, learner: Learner, rows: Rows, always: bool) -> FloatArray | None:
        """Out-of-fold logits, or ``None`` if time ran out."""
        return cross_validate(
            learner.fit,
            rows,
            self.task.classes,
            labels=self.task.labels,
            folds=self.task.folds,
            seed=self.task.seed,
            workers=self.workers,
            stopped=lambda: self.clock.cancelled() or (self.clock.left < 0 and not always),
        )

    def _score(self, candidate: Candidate) -> Score:
        from metier.stats import share_interval

        correct = candidate.correct(self.task.classes)
        interval: Interval | None = share_interval(correct, self.task.clusters)
        return Score(
            metric="accuracy",
            value=float(correct.mean()),
            interval=interval,
            n=correct.size,
            clusters=int(np.unique(self.task.clusters).size),
        )

    def _show(self, rung: Rung) -> None:
        self.rungs[rung.name] = rung
        sentence = f"{rung.title}: {rung.why}" if rung.accuracy is None else _rung_sentence(rung)
        self.report(Progress("rung", sentence, data=rung.model_dump()))

    def _no_time(self, learner: Learner, expected: float) -> None:
        why = (
            f"would take about {expected:.0f} s more, and the budget has "
            f"{max(0.0, self.clock.left):.0f} s left for everything"
        )
        self.leave_out(learner.name, learner.title, why, stopped=True)

    def _sample(self) -> list[str]:
        """Texts spread over all rows, the same for every learner."""
        step = max(1, len(self.task.texts) // 48)
        return list(self.task.texts[::step])

    def _fit_seconds(self, learner: Learner, rows: Rows, folds: int) -> float:
        """Expected seconds of a fit for each fold, from one on some rows; 0 without a budget."""
        number = self.task.classes.size
        if self.clock.budget is None or number <= PROBE:
            return 0.0
        task = self.task
        # Not every so manieth row: rows often come in turns of their labels.
        picked = np.sort(np.random.default_rng(task.seed).permutation(number)[:PROBE])
        if np.unique(task.classes[picked]).size < 2:
            return 0.0
        start = time.perf_counter()
        fit_whole(learner.fit, rows[picked], task.classes[picked], task.labels, task.seed)
        one = (time.perf_counter() - start) * number / picked.size
        return one * folds / min(at_once(learner.fit, self.workers), folds)


def _took(milliseconds: float, seconds: float, cpu_seconds: float) -> dict[str, float]:
    """What is kept beside the logits of a rung."""
    return {"ms_per_text": milliseconds, "seconds": seconds, "cpu_seconds": cpu_seconds}


def _rung_sentence(rung: Rung) -> str:
    if rung.accuracy is None:
        return rung.title
    interval = rung.accuracy.interval
    spread = f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""
    return f"{rung.title}: {rung.accuracy.value:.3f}{spread}, {rung.ms_per_text or 0:.2f} ms each"


def fold_number(rows: int) -> int:
    """Folds of the cross-validation: fewer where rows are many and a fit is dear."""
    if rows < 3_000:
        return 5
    return 3 if rows < 50_000 else 2
