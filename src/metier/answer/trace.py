"""The trace of one answer: what was done, what it took, and whether it may go on.

It knows time, tokens and money, and the person's wish to stop; it knows no step's meaning.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from metier.answer.plan import Budget
from metier.conversing import Draft, OnStep, Step
from metier.errors import InputError


class Trace:
    """Written by one answer in one thread."""

    def __init__(
        self,
        budget: Budget,
        on_step: OnStep | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._budget = budget
        self._on_step = on_step
        self._cancelled = cancelled
        self._start = time.monotonic()
        self._steps: list[Step] = []
        self._prices: list[float | None] = []
        self._ended_by: str | None = None
        self.tokens_in = 0
        self.tokens_out = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step so far."""
        return tuple(self._steps)

    @property
    def seconds(self) -> float:
        """Wall seconds since the start."""
        return time.monotonic() - self._start

    @property
    def spent(self) -> float | None:
        """Money so far; ``None`` where the price of any draft is not known."""
        known = [price for price in self._prices if price is not None]
        return sum(known) if known and len(known) == len(self._prices) else None

    @property
    def ended_by(self) -> str | None:
        """``tokens``, ``seconds`` or ``candidates`` if the budget cut something short."""
        return self._ended_by

    @property
    def tokens_left(self) -> int | None:
        """Tokens left of the budget, or ``None`` without one."""
        if self._budget.tokens is None:
            return None
        return max(0, self._budget.tokens - self.tokens_in - self.tokens_out)

    def add(self, kind: str, summary: str, seconds: float = 0.0, **data: Any) -> None:
        """Write a step and show it."""
        step = Step(kind, summary, seconds, data)
        self._steps.append(step)
        if self._on_step is not None:
            self._on_step(step)

    def count(self, draft: Draft) -> None:
        """Count what a draft took."""
        self.tokens_in += draft.tokens_in
        self.tokens_out += draft.tokens_out
        self._prices.append(draft.spent)

    def check(self) -> None:
        """Raise InputError (code ``cancelled``) if the person said stop."""
        if self._cancelled is not None and self._cancelled():
            raise InputError("Stopped before the end.", code="cancelled")

    def halted(self) -> bool:
        """Whether a running generation must end: the person's wish, or no seconds are left."""
        return (self._cancelled is not None and self._cancelled()) or self._late()

    def spare(self) -> bool:
        """Whether the budget allows another step; says so in the trace if it does not."""
        self.check()
        if self._late():
            return self.end("seconds", f"{self._budget.seconds:g} seconds")
        if self.tokens_left == 0:
            return self.end("tokens", f"{self._budget.tokens} tokens")
        return True

    def end(self, what: str, limit: str) -> bool:
        """Note that the budget ends the work; always false, for its callers to return."""
        if self._ended_by is None:
            self._ended_by = what
            self.add("note", f"The budget of {limit} is spent: this is what there is.", limit=what)
        return False

    def _late(self) -> bool:
        return self._budget.seconds is not None and self.seconds >= self._budget.seconds
