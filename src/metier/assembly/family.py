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
from metier.fleet import Fleet, Installed, Kin, Role, lineage
from metier.hop import Done, history
from metier.ledger import Ledger
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.card import Card
    from metier.evals.mistakes import Mistakes

MOST_PAST = 16
"""Earlier champions and losers that are told; the ledger has all."""
_KEPT = 32
_ACTS = {
    "hop": "replaced",
    "by-hand": "replaced by hand",
    "rollback": "taken back",
    "kept": "not promoted",
}
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
        return lineage(subject, self._fleet.list(), self._past(subject))

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

    def _past(self, subject: Installed) -> list[Kin]:
        """What stood under this name before and what was not promoted, the latest first."""
        rows = self._ledger().rows("decision", subject.name)
        aside = {str(item.system): item.name for item in self._fleet.aside(subject.name)}
        own = str(subject.system)
        found: dict[str, Kin] = {}
        for done in reversed(history(rows)):
            system = done.after if done.act == "kept" else done.before
            if system and system != own:
                found.pop(system, None)
                found[system] = _kin(done, subject.name, system, aside.get(system, ""))
        told = list(reversed(found.values()))
        # Made again under the same name by hand: no act, but it stood here.
        makes = {str(row.digest): row.date for row in rows if "act" not in row.body}
        told += [
            Kin(
                "earlier",
                subject.name,
                ("made", date[:10]),
                system,
                aside.get(system, ""),
                date[:10],
            )
            for system, date in makes.items()
            if system != own and system not in found
        ]
        return sorted(told, key=lambda kin: kin.date, reverse=True)[:MOST_PAST]


def _kin(done: Done, name: str, system: str, here: str) -> Kin:
    """One act of a hop as a member of the family."""
    fact = next((one for one in done.evidence if not one.get("fresh")), None)
    told = _ACTS[done.act]
    verdict, facts = "", [told, done.date[:10]]
    if fact is not None:
        verdict = str(fact.get("verdict", ""))
        difference = float(fact.get("difference", 0.0))
        points = f"{verdict} {100 * difference:+.1f} points".replace("-", "\u2212")
        facts.append(points if done.act == "kept" else f"the next one: {points}")
    who = done.key if done.act == "kept" and done.key else name
    role: Role = "lost" if done.act == "kept" else "earlier"
    return Kin(role, who, tuple(facts), system, here, done.date[:10], done.why, verdict)
