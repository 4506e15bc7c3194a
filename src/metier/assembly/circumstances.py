"""How things stand with a specialist on the day it is judged: its proof, its cost, other bases.

It reads cards, the ledger's evidence and what is installed, and hands them to ``watch`` as one
value; it judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from metier.assembly.outcomes import Meeting, Outcomes
from metier.assembly.workbench import today
from metier.card import Cost, Evidence, Verdict
from metier.catalog.proving import VALID_DAYS
from metier.errors import MetierError
from metier.finding import Hit
from metier.fleet import Fleet, Installed
from metier.ledger import Ledger
from metier.watch import Watched
from metier.watching import Rival

_PROVES = (Verdict.WIN, Verdict.NOT_WORSE)


class Surroundings(Protocol):
    """What is asked of the façade."""

    fleet: Fleet

    def entry(self, origin: str, name: str) -> Hit:
        """What *find* says of something that is installed."""


class Circumstances:
    """The day's facts of one home."""

    def __init__(
        self, here: Surroundings, ledger: Callable[[], Ledger], base_of: Callable[[str], str | None]
    ) -> None:
        self._here = here
        self._ledger = ledger
        self._base_of = base_of

    def of(self, item: Installed, known: Sequence[Outcomes]) -> Watched:
        """Everything that the judgement needs beside the pairs."""
        proved, until = self._proof(item)
        cost, rivals = costs(item, [one.meeting for one in known])
        return Watched(
            name=item.name,
            system=str(item.system),
            today=today(),
            proved=proved,
            until=until,
            cost=cost,
            rivals=rivals,
            bases=tuple(self._other_bases(item)),
            head=known[-1].hash if known else "",
        )

    def _proof(self, item: Installed) -> tuple[str, str]:
        """When the newest proof was measured and until when it holds; "" where there was none."""
        try:
            proof = self._here.entry("here", item.name).proof
        except MetierError:
            proof = None  # a catalogue that cannot be read proves nothing
        if proof is not None:
            return proof.evidence.date, proof.until
        lapsed = [
            (evidence.date, until)
            for evidence in self._evidence(item)
            if evidence.against in ("base", "general")
            and evidence.difference.verdict in _PROVES
            and (until := _until(evidence.date)) <= today()
        ]
        return max(lapsed, default=("", ""))

    def _evidence(self, item: Installed) -> list[Evidence]:
        found = []
        for row in self._ledger().rows("evidence", item.name):
            if row.body.get("system") == str(item.system):
                try:
                    found.append(Evidence.model_validate(row.body))
                except ValueError:
                    continue  # of a version that this one does not know
        return found

    def _other_bases(self, item: Installed) -> list[str]:
        """Encoders that are installed and that a classifier was not made with."""
        if item.classifier is None:
            return []
        own = self._base_of(item.name)
        return [
            other.name
            for other in self._here.fleet.list()
            if other.kind == "base" and other.model is None and other.name != own
        ]


def costs(item: Installed, meetings: Sequence[Meeting]) -> tuple[Cost, Mapping[Rival, Cost]]:
    """What an answer costs: the specialist's, and that of each rival as it was last met.

    Milliseconds are those that were measured side by side, so that a busy machine slows both.
    """
    own = item.card.cost if item.card is not None and hasattr(item.card, "cost") else Cost()
    found: dict[Rival, Cost] = {}
    for meeting in meetings:
        if meeting.own_ms is not None:
            own = own.model_copy(
                update={"ms_per_text": meeting.own_ms, "cost_class": meeting.own_cost}
            )
        found[meeting.rival] = _rival_cost(item, meeting)
    return own, found


def _rival_cost(item: Installed, meeting: Meeting) -> Cost:
    rows = item.classifier.rows if item.classifier is not None else ()
    known = next((row.cost for row in rows if row.role == meeting.rival), Cost())
    return known.model_copy(
        update={"cost_class": meeting.rival_cost, "ms_per_text": meeting.rival_ms}
    )


def _until(day: str) -> str:
    try:
        return (date.fromisoformat(day[:10]) + timedelta(days=VALID_DAYS)).isoformat()
    except ValueError:
        return ""
