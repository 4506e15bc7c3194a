"""Executed evals by the verbs of a door: bases asked under a specialist, and the tables kept.

It hands on to ``examine.bases`` what ``measuring`` put together, and files the result in the
ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metier.assembly.binding import GENERAL, Binding
from metier.assembly.measuring import PARTS, Measuring, record, standings_of
from metier.assembly.rivals import Rivals
from metier.assembly.workbench import never
from metier.ledger import Ledger
from metier.messages import Report, silent

if TYPE_CHECKING:
    from metier.evals.rescoring import Rescored
    from metier.examine.bases import Examination
    from metier.examine.standings import Standing


class Tables:
    """The tables of one home."""

    def __init__(
        self,
        measuring: Measuring,
        binding: Binding,
        rivals: Rivals,
        ledger: Callable[[], Ledger],
    ) -> None:
        self._measuring = measuring
        self.binding = binding
        self._rivals = rivals
        self._ledger = ledger

    def evaluate(  # noqa: PLR0913  one argument per flag of 'metier eval'
        self,
        name: str,
        *,
        on: str,
        bases: Sequence[str],
        with_: Sequence[str] = PARTS[1:],
        against: Sequence[str] = (),
        samples: int = 1,
        budget: float | None = None,
        fresh: bool = False,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Examination:
        """Put executed tasks to bases: alone, with each part of a specialist, and with all.

        The table is kept in the home and in the ledger, with the evidence of the specialist
        itself against the base alone, the base with documents, and ``against``; see
        ``examine.bases`` for everything.
        """
        general = str(self._rivals.ref("general") or GENERAL)
        rivals = [general if rival == "general" else rival for rival in against]
        examination = self._measuring.examiner(tuple(with_)).evaluate(
            name,
            on=on,
            bases=bases,
            with_=with_,
            against=rivals,
            samples=samples,
            budget=budget,
            fresh=fresh,
            report=report,
            cancelled=cancelled,
        )
        record(self._ledger(), examination, self.binding.bound(name, [*bases, *rivals], general))
        return examination

    def standings(self, name: str) -> list[Standing]:
        """Bases that were measured under a chat specialist, best evidence first."""
        return standings_of(self._ledger(), name)

    def verify(
        self,
        path: Path,
        *,
        on: str | None = None,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Rescored:
        """Check a table's file, and judge the answers beside it again."""
        return self._measuring.examiner().verify(path, on=on, report=report, cancelled=cancelled)

    def evals(self) -> list[str]:
        """Names of the executed evals."""
        return self._measuring.examiner().names()
