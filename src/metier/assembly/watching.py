"""The standing watch of one home: who is asked what, what came of it, and what people should know.

It brings together the specialist, its rivals and the items, writes pairs and standings into the
ledger, and hands the judging to ``watch``. It asks nobody but the base and the general model that
the user set up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from metier.assembly import feedback as saying
from metier.assembly import freshitems
from metier.assembly.alone import alone
from metier.assembly.bases import Bases
from metier.assembly.conversations import Conversations
from metier.assembly.feedback import Said, Thumbs
from metier.assembly.freshitems import Added, Gate
from metier.assembly.measuring import Measuring
from metier.assembly.meetings import Meetings
from metier.assembly.outcomes import standings_of
from metier.assembly.tables import Tables
from metier.assembly.workbench import Workbench, never, today
from metier.errors import InputError, MetierError
from metier.fleet import Fleet, Installed
from metier.ledger import Ledger
from metier.messages import Progress, Report, silent
from metier.settings import Settings
from metier.watching import Standing

WATCHED = ("classify", "chat")
"""Tasks of specialists that can be watched."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one specialist.

    Attributes:
        name: The specialist.
        standing: Where it stands now, or ``None`` if nothing could be said.
        before: Its state before this look, or "".
        added: Pairs that are new.
        waiting: Pairs from feedback that do not count yet; see ``feedback.balanced``.
        notes: What a person should know of it.
        problems: Why somebody could not be asked.
    """

    name: str
    standing: Standing | None
    before: str
    added: int
    waiting: int
    notes: tuple[str, ...]
    problems: tuple[MetierError, ...]


class Here(Protocol):
    """What the watch needs of the façade."""

    settings: Settings
    fleet: Fleet
    tables: Tables

    @property
    def ledger(self) -> Ledger:
        """Where everything is written."""


def open_watching(
    here: Here, parts: tuple[object, Bases, Conversations, Workbench], measuring: Measuring
) -> Watching:
    """The watch over a home; nothing is opened before it is asked."""
    _, bases, conversations, workbench = parts
    meetings = Meetings(
        here.settings,
        workbench,
        conversations,
        measuring,
        bases,
        here.tables,
        lambda: here.ledger,
    )
    return Watching(here.settings, here.fleet, workbench, meetings, lambda: here.ledger)


class Watching:
    """The watch of one home; threads may share it, and so may processes."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        workbench: Workbench,
        meetings: Meetings,
        ledger: Callable[[], Ledger],
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._workbench = workbench
        self._meetings = meetings
        self._ledger = ledger
        self._known: tuple[str, dict[tuple[str, str], Standing]] = ("", {})

    # --- what is known ----------------------------------------------------------------------------

    def names(self) -> list[str]:
        """What is installed and can be watched, by name."""
        return [item.name for item in self._fleet.list() if item.task in WATCHED]

    def standing(self, name: str) -> Standing | None:
        """Where a specialist stands as it is installed today; ``None`` if nobody looked.

        Raises:
            NotFoundError: There is none of this name, with near names.
        """
        item = self._fleet.show(name)
        return self._latest().get((item.name, str(item.system)))

    def standings(self) -> dict[str, Standing]:
        """The same of all that are installed and were looked at, by name."""
        latest = self._latest()
        keys = [(item.name, str(item.system)) for item in self._fleet.list()]
        return {key[0]: latest[key] for key in keys if key in latest}

    def looked(self) -> datetime | None:
        """When somebody last looked at anything; a schedule goes on from there."""
        rows = self._ledger().rows("state")
        return datetime.fromisoformat(rows[-1].date).astimezone(UTC) if rows else None

    def thumbs(self, name: str) -> Thumbs:
        """The thumbs on a specialist's answers; they never move its state."""
        item = self._fleet.show(name)
        return saying.thumbs(self._ledger(), item.name, str(item.system))

    # --- what people add --------------------------------------------------------------------------

    def add_fresh(self, name: str, source: Path, *, report: Report = silent) -> Added:
        """Take in a file of new labelled items; see ``freshitems``.

        Raises:
            InputError: The file is wrong, a label is unknown (``unknown_label``), no item is
                fresh (``nothing_fresh``), or it is no classifier (``not_a_classifier``).
        """
        item = self._watched(name)
        card = item.classifier
        if card is None:
            raise InputError(
                f"{item.name!r} takes no labelled items: it is of the task {item.task}.",
                code="not_a_classifier",
                remedy="A chat specialist is watched on the evals that its card names.",
            )
        examiner = self._workbench.examiner()
        refusal = card.out_of_scope_label
        gate = Gate(
            labels=(*card.labels, refusal) if refusal else card.labels,
            training=examiner.training(item),
            sealed=examiner.eval_of(item.name, refusal),
            scorer=_scorer(refusal),
            made=card.made,
            today=today(),
        )
        folder = freshitems.folder_of(self._settings.home, item.name)
        lock = self._settings.home / "watch" / "lock"
        with alone(lock, "The watch", report=report, cancelled=never):
            return freshitems.add(
                folder,
                item.name,
                source,
                gate,
                waits=lambda said: report(Progress("leaks", said)),
            )

    def feedback(self, name: str, said: Said) -> dict[str, Any]:
        """Take what a person says of an answer; nobody is asked now.

        Raises:
            InputError: ``bad_feedback`` naming the field; ``too_much_feedback``.
            NotFoundError: There is no such specialist.
        """
        item = self._watched(name)
        card = item.classifier
        labels: Sequence[str] = ()
        if card is not None:
            labels = (*card.labels, *filter(None, [card.out_of_scope_label]))
        checked = saying.check(said, labels)
        row = saying.record(self._ledger(), item.name, str(item.system), checked)
        return {
            "name": item.name,
            "id": row.id,
            "date": row.date,
            "kept_text": checked.keep,
            "thumbs": asdict(self.thumbs(item.name)),
        }

    def erase_texts(self, name: str) -> int:
        """Erase every text that was kept with feedback on a specialist; how many."""
        return saying.erase(self._ledger(), self._fleet.show(name).name)

    def _latest(self) -> dict[tuple[str, str], Standing]:
        """The last standing of each name and system; read again once the ledger has grown."""
        head = self._ledger().head()
        known, found = self._known
        if known != head:
            found = {(one.name, one.system): one for _, one in standings_of(self._ledger())}
            self._known = (head, found)
        return found

    def _watched(self, name: str) -> Installed:
        item = self._fleet.show(name)
        if item.task not in WATCHED:
            raise InputError(
                f"{item.name!r} is a {item.task or item.kind}, which is not watched.",
                code="not_watched",
                remedy="Classifiers and chat specialists are; 'metier list' shows the task.",
            )
        return item


def _scorer(out_of_scope_label: str | None) -> str:
    from metier.evals.scoring import Accuracy

    return Accuracy(out_of_scope_label).name
