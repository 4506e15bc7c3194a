"""How long a make takes: an estimate before it starts, and the time left while it runs.

It knows what each step's seconds grow with and rough constants of a laptop core; the encoder's
speed is measured on the rows themselves. While a make runs, what its finished steps really took
corrects what is left. It promises nothing finer than a factor of two.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metier.messages import Progress, Report

FACTOR = 2.0
"""How far off an estimate may be, either way."""
# Core-seconds, from the makes of benchmarks/ladder on two cores of 2023.
_PER_CHARACTER_HASHED = 1.2e-6
_PER_LABEL_HINGE = 1.4e-6
_PER_LABEL_LOGISTIC = 6e-6
_PER_ROW_READ = 1.5e-4
_TRIAL = 1_500
_FULL_OVER_INT8 = 2.0
_CURVE_FITS = 4.0


@dataclass(frozen=True, slots=True)
class Speed:
    """What the time follows from.

    Attributes:
        rows: Training rows.
        sealed: Rows of the eval.
        labels: Different labels.
        characters: Of one text, on average.
        encoder: Seconds of the base for one text, or ``None`` without a base.
    """

    rows: int
    sealed: int
    labels: int
    characters: float
    encoder: float | None


def steps(speed: Speed, *, curve: bool = True) -> list[tuple[str, float]]:
    """The steps of a make in order, each with the seconds that are expected of it."""
    folds = 5 if speed.rows < 3_000 else 3 if speed.rows < 50_000 else 2
    hinge = speed.rows * speed.labels * _PER_LABEL_HINGE
    logistic = speed.rows * speed.labels * _PER_LABEL_LOGISTIC
    hashing = speed.rows * speed.characters * _PER_CHARACTER_HASHED
    found = [
        ("leaks", 0.3 + (speed.rows + speed.sealed) * _PER_ROW_READ),
        ("linear", 0.2 + hashing + folds * hinge),
    ]
    fit = hinge
    if speed.encoder is not None:
        trial = min(_TRIAL, speed.rows)
        held = trial * (1 + _FULL_OVER_INT8) * speed.encoder
        share = trial / max(1, speed.rows)
        found.append(("static", 0.3 + folds * logistic + speed.rows * 2e-5))
        found.append(("trial", 0.5 + held + 2 * share * folds * logistic))
        found.append(("encoder", (speed.rows + speed.sealed - trial) * speed.encoder))
        found.append(("fits", folds * logistic))
        fit = hinge + logistic
    found.append(("eval", 1.0 + fit + speed.sealed * 1e-3))
    if curve:
        found.append(("curve", _CURVE_FITS * fit))
    return found


def forecast(speed: Speed, *, curve: bool = True) -> dict[str, Any]:
    """The estimate of a make: ``seconds`` between ``low`` and ``high``, and its steps."""
    found = steps(speed, curve=curve)
    seconds = sum(part for _, part in found)
    return {
        "seconds": seconds,
        "low": seconds / FACTOR,
        "high": seconds * FACTOR,
        "steps": [{"name": name, "seconds": part} for name, part in found],
        "encoder_ms": None if speed.encoder is None else speed.encoder * 1000,
    }


_STAGES = {"choose": "eval", "eval": "eval", "curve": "curve", "save": "curve"}
_RUNGS = {
    "linear": "linear",
    "static": "static",
    "encoder-int8": "encoder",
    "encoder": "encoder",
    "ensemble": "eval",
}


class Course:
    """Adds to each report how much of the whole make is done and how long the rest takes.

    Args:
        expected: The steps, in order.
        report: Where reports go on to.
        budget: Seconds after which the make ends in any case.
    """

    def __init__(
        self,
        expected: Sequence[tuple[str, float]],
        report: Report,
        *,
        budget: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._expected = list(expected)
        self._report = report
        self._budget = budget
        self._clock = clock
        self._began = clock()
        self._at = 0
        self._since = self._began
        self._run: tuple[float, float] | None = None

    def __call__(self, step: Progress) -> None:
        """Pass a report on."""
        now = self._clock()
        self._move(step, now)
        if step.stage in ("rung", "encode", "choose", "eval", "curve", "save"):
            spent = now - self._began
            left = self._left(step, now)
            if self._budget is not None:
                left = min(left, max(0.0, self._budget - spent))
            share = spent / (spent + left) if spent + left > 0 else None
            step = replace(step, fraction=share, seconds_left=left)
        self._report(step)

    def _move(self, step: Progress, now: float) -> None:
        wanted = _STAGES.get(step.stage)
        if step.stage == "rung":
            wanted = _RUNGS.get(str(step.data.get("name")))
            if wanted == "encoder" and step.message.startswith("Holding"):
                wanted = "trial"
        places = [place for place, (part, _) in enumerate(self._expected) if part == wanted]
        if places and places[0] > self._at:
            self._at, self._since, self._run = places[0], now, None

    def _left(self, step: Progress, now: float) -> float:
        before = sum(part for _, part in self._expected[: self._at])
        name, here = self._expected[self._at]
        after = sum(part for _, part in self._expected[self._at + 1 :])
        pace = 1.0
        if before > 0:
            taken = self._since - self._began
            # Two seconds count as much as the estimate itself: short steps say little.
            pace = (taken + 2.0) / (before + 2.0)
        spent = now - self._since
        rest = self._by_share(step, now) if name in ("encoder", "curve") else None
        if rest is None:
            rest = max(here * pace - spent, 0.1 * here * pace)
        return rest + after * pace

    def _by_share(self, step: Progress, now: float) -> float | None:
        """The rest of a step that tells its share, by how fast the share grows."""
        if step.fraction is None or step.stage not in ("encode", "curve"):
            return None
        if self._run is None or step.fraction < self._run[1]:
            self._run = (now, step.fraction)
        since, first = self._run
        if now - since < 0.5 or step.fraction <= first:
            return None
        return (1 - step.fraction) * (now - since) / (step.fraction - first)
