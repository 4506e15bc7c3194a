"""The standing watch of one home: who is asked what, what came of it, and what people should know.

It brings together the specialist, its rivals and the items, writes pairs and standings into the
ledger, and hands the judging to ``watch``. It asks nobody but the base and the general model that
the user set up.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from metier.assembly import feedback as saying
from metier.assembly import freshitems
from metier.assembly.alone import alone
from metier.assembly.bases import REMOTE, Bases
from metier.assembly.circumstances import Circumstances, Surroundings
from metier.assembly.conversations import Conversations
from metier.assembly.feedback import Said, Thumbs
from metier.assembly.freshitems import Added, Gate
from metier.assembly.measuring import Measuring
from metier.assembly.meetings import Meetings, Round
from metier.assembly.notices import notices_of
from metier.assembly.outcomes import record_standing, standing_document, standings_of
from metier.assembly.tables import Tables
from metier.assembly.workbench import Workbench, never, today
from metier.errors import InputError, MetierError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.ledger import Ledger, Row
from metier.messages import Progress, Report, silent
from metier.recipe import PICTURES
from metier.settings import Settings
from metier.watch import judge, tracks_of
from metier.watching import Notice, Standing

if TYPE_CHECKING:
    from metier.evals.items import Eval
    from metier.examine import Examiner

WATCHED = ("classify", "classify-image", "chat")
"""Tasks of specialists that can be watched."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one specialist.

    Attributes:
        name: The specialist.
        standing: Where it stands now.
        before: Its state before this look, or "".
        added: Pairs that are new.
        waiting: Pairs from feedback that do not count yet; see ``feedback.balanced``.
        notes: What a person should know of it.
        problems: Why somebody could not be asked.
    """

    name: str
    standing: Standing
    before: str
    added: int
    waiting: int
    notes: tuple[str, ...]
    problems: tuple[MetierError, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of the ledger when it ended in ``head``."""

    head: str
    looks: list[tuple[Row, Standing]]
    latest: dict[tuple[str, str], Standing]


class Here(Surroundings, Protocol):
    """What the watch needs of the façade."""

    settings: Settings
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
    circumstances = Circumstances(
        here, lambda: here.ledger, lambda name: workbench.classifier_recipe(name).base.ref
    )
    return Watching(
        here.settings, here.fleet, workbench, meetings, circumstances, lambda: here.ledger
    )


class Watching:
    """The watch of one home; threads may share it, and so may processes."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        workbench: Workbench,
        meetings: Meetings,
        circumstances: Circumstances,
        ledger: Callable[[], Ledger],
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._workbench = workbench
        self._meetings = meetings
        self._circumstances = circumstances
        self._ledger = ledger
        self._known = _Known("", [], {})
        self.every: float | None = None
        """Seconds between two looks of a server that looks by itself; ``None`` where none does."""

    # --- looking ----------------------------------------------------------------------------------

    def once(
        self,
        names: Sequence[str] = (),
        *,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> list[Standing]:
        """Look once, at all that can be watched if none is named; see ``look``."""
        looks = self.look(names, report=report, cancelled=cancelled)
        return [look.standing for look in looks]

    def look(
        self,
        names: Sequence[str] = (),
        *,
        background: bool = False,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> list[Look]:
        """Ask what has not been asked, judge, and write down where each stands.

        One process at a time looks; another waits. What was answered is kept if it is stopped.

        Args:
            names: Specialists; all that can be watched if none is named.
            background: Whether nobody waits for it; then nothing large is loaded for it.
            report: Receives progress.
            cancelled: Stops the work.

        Raises:
            NotFoundError: There is none of a name, with near names.
            InputError: One cannot be watched (``not_watched``).
            UnavailableError: ``cancelled``.
            StorageError: The disk is full, or cannot be written.
        """
        items = [self._watched(name) for name in dict.fromkeys(names or self.names())]
        lock = self._settings.home / "watch" / "lock"
        found = []
        with alone(lock, "The watch", report=report, cancelled=cancelled):
            for number, item in enumerate(items):
                told = _part_of(report, item.name, number, len(items))
                look = Round(item, told, cancelled, background)
                found.append(self._look(look))
        return found

    def _look(self, look: Round) -> Look:
        item = look.item
        before = self._latest().get((item.name, str(item.system)))
        self._meetings.gather(look)
        known = [
            one
            for one in self._meetings.known(item)
            if look.rivals.get(one.meeting.rival) == one.meeting.rival_system
        ]
        pairs, waiting = saying.balanced([pair for one in known for pair in one.pairs])
        names = {one.meeting.rival: one.meeting.rival_name for one in known}
        now = self._circumstances.of(item, known)
        standing = judge(before, tracks_of(pairs, names), now)
        record_standing(self._ledger(), standing)
        return Look(
            item.name,
            standing,
            before.state if before is not None else "",
            look.added,
            waiting,
            tuple(look.notes),
            tuple(look.problems),
        )

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
        looks = self._looks()
        return datetime.fromisoformat(looks[-1][0].date).astimezone(UTC) if looks else None

    def notices(self) -> list[Notice]:
        """What people should know of everything that is installed, the latest first."""
        systems = {item.name: str(item.system) for item in self._fleet.list()}
        history: dict[str, list[tuple[str, Standing]]] = {}
        for row, standing in self._looks():
            if systems.get(standing.name) == standing.system:
                history.setdefault(standing.name, []).append((row.date, standing))
        found = [notice for looks in history.values() for notice in notices_of(looks)]
        return sorted(found, key=lambda one: (one.date, one.name), reverse=True)

    def document(self, name: str) -> dict[str, Any]:
        """Everything that is known of the watch over one specialist, JSON-serialisable.

        Raises:
            NotFoundError: There is none of this name.
        """
        item = self._fleet.show(name)
        key = (item.name, str(item.system))
        looks = [(row, one) for row, one in self._looks() if (one.name, one.system) == key]
        fresh = freshitems.kept(freshitems.folder_of(self._settings.home, item.name))
        return {
            "name": item.name,
            "task": item.task,
            "watched": item.task in WATCHED,
            "standing": standing_document(looks[-1][1]) if looks else None,
            "looked": looks[-1][0].date if looks else None,
            "history": [
                {"date": row.date, "state": one.state, "suspect": one.suspect} for row, one in looks
            ],
            "notices": [asdict(one) for one in notices_of([(row.date, one) for row, one in looks])],
            "fresh_items": sum(len(sealed.items) for sealed in fresh),
            "thumbs": asdict(self.thumbs(item.name)),
            "labelled": len(saying.labelled(self._ledger(), item.name)),
            "command": f"metier watch {shlex.quote(item.name)}",
        }

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
        if card.task == PICTURES:
            raise InputError(
                f"{item.name!r} classifies pictures; fresh items are texts and are not taken in.",
                code="wrong_task",
                remedy="It is watched on its sealed pictures: metier watch NAME.",
            )
        examiner = self._workbench.examiner()
        refusal = card.out_of_scope_label
        gate = Gate(
            labels=(*card.labels, refusal) if refusal else card.labels,
            training=examiner.training(item),
            sealed=_eval_of(examiner, item.name, refusal),
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

    def feedback(
        self,
        name: str,
        *,
        answer: str = "",
        text: str = "",
        thumb: str = "",
        label: str = "",
        comment: str = "",
        keep: bool = False,
    ) -> dict[str, Any]:
        """Take what a person says of an answer; nobody is asked now.

        Args:
            name: The specialist.
            answer: The answer's id, by which it counts once.
            text: What was asked.
            thumb: ``up``, ``down`` or "".
            label: The right label, or "".
            comment: In the person's words.
            keep: Whether the text may be kept, so that rivals can be asked on it.

        Raises:
            InputError: ``bad_feedback`` naming the field; ``too_much_feedback``.
            NotFoundError: There is no such specialist.
        """
        item = self._watched(name)
        card = item.classifier
        labels: Sequence[str] = ()
        if card is not None:
            labels = (*card.labels, *filter(None, [card.out_of_scope_label]))
        said = Said(answer, text, thumb, label, comment, keep)
        checked = saying.check(said, labels)
        row = saying.record(self._ledger(), item.name, str(item.system), checked)
        return {
            "name": item.name,
            "id": row.id,
            "date": row.date,
            "kept_text": checked.keep,
            "thumbs": asdict(self.thumbs(item.name)),
        }

    def schedule(self) -> dict[str, Any]:
        """Whether somebody looks by themselves, how often, when next, and who is asked then."""
        looked = self.looked()
        return {
            "every": self.every,
            "looked": looked.isoformat() if looked else None,
            "next": (due_at(looked, self.every).isoformat() if self.every else None),
            "asks": self.asks(),
        }

    def asks(self) -> str:
        """Who is asked over a network when the watch looks, in a few words."""
        settings = self._settings
        asked = []
        if settings.general_url:
            asked.append(f"{settings.general_model} at {settings.general_url}")
        if settings.base and settings.base.startswith(REMOTE):
            asked.append(f"the base {settings.base}")
        return " and ".join(asked) or "nobody over a network"

    def erase_texts(self, name: str) -> int:
        """Erase every text that was kept with feedback on a specialist; how many."""
        return saying.erase(self._ledger(), self._fleet.show(name).name)

    def _latest(self) -> dict[tuple[str, str], Standing]:
        """The last standing of each name and system."""
        return self._read().latest

    def _looks(self) -> list[tuple[Row, Standing]]:
        return self._read().looks

    def _read(self) -> _Known:
        """Every look; read again once the ledger has grown."""
        head, known = self._ledger().head(), self._known
        if known.head != head:
            looks = list(standings_of(self._ledger()))
            latest = {(one.name, one.system): one for _, one in looks}
            known = self._known = _Known(head, looks, latest)
        return known

    def _watched(self, name: str) -> Installed:
        item = self._fleet.show(name)
        if item.task not in WATCHED:
            raise InputError(
                f"{item.name!r} is a {item.task or item.kind}, which is not watched.",
                code="not_watched",
                remedy="Classifiers and chat specialists are; 'metier list' shows the task.",
            )
        return item


def _part_of(report: Report, name: str, number: int, count: int) -> Report:
    """Progress of one specialist as progress of the round."""

    def tell(progress: Progress) -> None:
        inside = min(1.0, progress.fraction or 0.0)
        message = f"{name}, {progress.message}"
        report(Progress(progress.stage, message, (number + inside) / count))

    return tell


def due_at(looked: datetime | None, every: float, now: datetime | None = None) -> datetime:
    """When the next look is due: a period after the last one, at once where there was none."""
    moment = now or datetime.now(UTC)
    return moment if looked is None else max(moment, looked + timedelta(seconds=every))


def _eval_of(examiner: Examiner, name: str, out_of_scope_label: str | None) -> Eval | None:
    """Its sealed eval, or ``None`` where it is not here and cannot be had."""
    try:
        return examiner.eval_of(name, out_of_scope_label)
    except UnavailableError:
        return None


def _scorer(out_of_scope_label: str | None) -> str:
    from metier.evals.scoring import Accuracy

    return Accuracy(out_of_scope_label).name
