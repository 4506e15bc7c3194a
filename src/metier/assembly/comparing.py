"""Comparing what is installed on a sealed eval, for every door.

It knows which classifiers share an eval and hands names on to ``examine.contrasting``; evidence
that was measured goes into the ledger, as with ``metier eval``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metier.assembly.workbench import Workbench, never
from metier.fleet import Fleet
from metier.ledger import Ledger
from metier.messages import Report, silent
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.examine.contrasting import Contraster, Gathered


@dataclass(frozen=True, slots=True)
class KnownEval:
    """A sealed eval that installed classifiers were made with.

    Attributes:
        name: A classifier whose own eval it is: what ``--on`` takes.
        fingerprint: ``sha256:…``.
        items: How many questions.
        labels: How many labels.
        owners: All classifiers that were made with it.
        others: Further classifiers that could answer it.
    """

    name: str
    fingerprint: str
    items: int
    labels: int
    owners: tuple[str, ...]
    others: tuple[str, ...]


class Comparing:
    """Comparisons in one home; threads may share it."""

    def __init__(
        self, fleet: Fleet, workbench: Workbench, ledger: Callable[[], Ledger], home: Path
    ) -> None:
        self._fleet = fleet
        self._workbench = workbench
        self._ledger = ledger
        self._leaks = home / "cache" / "leaks"

    def evals(self) -> list[KnownEval]:
        """Evals that may be compared on, those that most were made with first."""
        owners: dict[str, list[str]] = {}
        facts: dict[str, tuple[int, int]] = {}
        every = []
        for item in self._fleet.list():
            card = item.classifier
            if card is None:
                continue
            every.append(item.name)
            owners.setdefault(card.data.eval_digest, []).append(item.name)
            facts[card.data.eval_digest] = (card.data.eval_rows, card.data.labels)
        found = [
            KnownEval(
                names[0],
                fingerprint,
                *facts[fingerprint],
                owners=tuple(names),
                others=tuple(name for name in every if name not in names),
            )
            for fingerprint, names in owners.items()
        ]
        return sorted(found, key=lambda one: (-len(one.owners), one.name))

    def gather(self, names: Sequence[str], *, on: str) -> Gathered:
        """What is here already of a comparison; see ``Contraster.gather``."""
        return self._contraster().gather(names, on=on)

    def measure(
        self,
        names: Sequence[str],
        *,
        on: str,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Gathered:
        """The same with what was missing measured; the evidence goes into the ledger."""
        missing = self.gather(names, on=on).missing
        found = self._contraster().measure(names, on=on, report=report, cancelled=cancelled)
        whole = found.contrast
        for pair in whole.pairs if whole is not None and missing else ():
            body = pair.evidence.model_dump(mode="json")
            result = Digest.parse(pair.evidence.results[0])
            self._ledger().append("evidence", pair.first, result, body)
        return found

    def _contraster(self) -> Contraster:
        from metier.examine.contrasting import Contraster

        return Contraster(self._workbench.examiner(), self._leaks)
