"""What a page tells of one entry beside its card: its family and its mistakes.

It puts the fleet, the ledger and the sealed evals of the home together; it measures nothing and
fetches nothing. Where the eval's file is not here, true labels are known in part.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from metier.errors import MetierError
from metier.fleet import Fleet, Installed, Kin, lineage
from metier.ledger import Ledger
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.card import Card
    from metier.evals.mistakes import Mistakes

MOST_EARLIER = 8
_KEPT = 32
_ROLES = ("specialist", "base", "general")


class Family:
    """Of one home folder; threads may share it."""

    def __init__(self, fleet: Fleet, ledger: Callable[[], Ledger], evals: Path) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._evals = evals
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Mistakes] = OrderedDict()

    def lineage(self, name: str) -> tuple[Kin, ...]:
        """What went into it, what stood under its name before, what was made from it."""
        subject = self._fleet.show(name)
        return lineage(subject, self._fleet.list(), self._earlier(subject))

    def mistakes(self, name: str) -> Mistakes | None:
        """What it got right and wrong, as far as it is known here; ``None`` without a result."""
        subject = self._fleet.show(name)
        card = subject.classifier
        if card is None:
            return None
        key = str(subject.digest)
        with self._lock:
            if key in self._known:
                return self._known[key]
        try:
            found = self._read(subject, card)
        except MetierError:
            # Not here, or not of this version: the page says "not known", as for any absent fact.
            return None
        with self._lock:
            self._known[key] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    def _read(self, subject: Installed, card: Card) -> Mistakes:
        from metier.evals.items import read_eval
        from metier.evals.mistakes import mistakes
        from metier.evals.results import read_result

        files = {part.filepath for part in self._fleet.parts(subject)}
        result, *others = (
            read_result(self._fleet.part_path(subject, f"results/{role}.jsonl"), timed=False)
            for role in _ROLES
            if role == "specialist" or f"results/{role}.jsonl" in files
        )
        path = self._evals / f"{Digest.parse(card.data.eval_digest).hex}.jsonl"
        sealed = read_eval(path) if path.is_file() else None
        return mistakes(result, card.labels, sealed=sealed, others=others)

    def _earlier(self, subject: Installed) -> list[tuple[str, str]]:
        """Systems that the ledger knows under this name, without the one that is here."""
        card = subject.classifier
        if card is None:
            return []
        found: dict[str, str] = {}
        for row in self._ledger().rows("decision", subject.name):
            found[str(row.digest)] = row.date
        found.pop(card.system, None)
        return sorted(found.items(), key=lambda pair: pair[1], reverse=True)[:MOST_EARLIER]
