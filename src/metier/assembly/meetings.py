"""Who meets whom for the watch: a specialist's rivals, the items, and the pairs that come of them.

It knows which rivals a specialist has (its base or the majority, the general model, its base with
the documents alone), which items count (sealed, fresh, labelled by feedback) and writes new pairs
into the ledger. An item that the same two systems answered before is not asked again. It judges
nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from metier.assembly import feedback, freshitems
from metier.assembly.bases import Bases
from metier.assembly.conversations import Conversations, conversant_base
from metier.assembly.measuring import THIS_MACHINE, Measuring, cost_class
from metier.assembly.offline import without_fetching
from metier.assembly.outcomes import Meeting, Outcomes, outcomes_of, record
from metier.assembly.rivals import plain
from metier.assembly.tables import Tables
from metier.assembly.workbench import Workbench
from metier.conversing import Draft, Generator, OnText, Sampling, Turn
from metier.errors import MetierError, NotFoundError, UnavailableError
from metier.fleet import Installed
from metier.ledger import Ledger
from metier.manifest import canonical_json
from metier.messages import Report
from metier.recipe import PICTURES
from metier.reference import Digest
from metier.settings import Settings
from metier.watching import Pair, Rival

if TYPE_CHECKING:
    from metier.card import Card
    from metier.evals.items import Eval
    from metier.evals.tables import Entry
    from metier.examine import Examiner
    from metier.examine.watched import Asking, Side

NO_GENERAL = (
    "general: not measured, because no general model is configured and no model that writes is "
    "installed"
)


MOST_OF_A_MODEL = 100
"""Items of an eval that a model of this machine is asked at one look: it takes seconds for each,
and what is judged here may be judged at any number of items."""


@dataclass(slots=True)
class Round:
    """One look at one specialist, as it goes.

    Attributes:
        item: The specialist.
        report: Receives progress.
        cancelled: Stops the work.
        background: Whether nobody waits for it: then no second model is loaded on this machine.
        added: Pairs that are new.
        notes: What a person should know of it.
        problems: Why somebody could not be asked.
        rivals: Digest of whoever has each role today; pairs against others count no more.
    """

    item: Installed
    report: Report
    cancelled: Callable[[], bool]
    background: bool = False
    added: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[MetierError] = field(default_factory=list)
    rivals: dict[Rival, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _OnAnyDay:
    """A service whose digest leaves the day out: else the same answers are paid for every day."""

    generator: Generator
    digest: str

    @property
    def name(self) -> str:
        return self.generator.name

    @property
    def servable(self) -> bool:
        return self.generator.servable

    def generate(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        on_text: OnText | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Draft:
        return self.generator.generate(turns, sampling, on_text=on_text, cancelled=cancelled)


@dataclass(frozen=True, slots=True)
class _Items:
    """Items of one source, with the ids that are left out."""

    sealed: Eval
    source: str
    fresh_from: str
    leaked: Callable[[], frozenset[str]]


class Meetings:
    """The rivals and items of one home."""

    def __init__(
        self,
        settings: Settings,
        workbench: Workbench,
        conversations: Conversations,
        measuring: Measuring,
        bases: Bases,
        tables: Tables,
        ledger: Callable[[], Ledger],
    ) -> None:
        self._settings = settings
        self._workbench = workbench
        self._conversations = conversations
        self._measuring = measuring
        self._bases = bases
        self._tables = tables
        self._ledger = ledger

    def gather(self, look: Round) -> None:
        """Ask what has not been asked, and append the new pairs.

        Raises:
            UnavailableError: ``cancelled``; what was answered is kept.
            StorageError: The ledger or an answer cannot be written.
        """
        if look.item.classifier is not None:
            self._classify(look, look.item.classifier)
        elif look.item.chat is not None:
            self._converse(look)

    def known(self, item: Installed) -> list[Outcomes]:
        """The pairs of a specialist as it is today, oldest first, whoever the rival was."""
        return outcomes_of(self._ledger(), item.name, str(item.system))

    # --- classifiers ------------------------------------------------------------------------------

    def _classify(self, look: Round, card: Card) -> None:
        from metier.engines.systems import SpecialistSystem
        from metier.examine.watched import Asking, Side

        examiner = self._examiner(background=look.background)
        classifier = examiner.classifier(look.item.name)
        sources = list(self._items(look, card, examiner))
        system = SpecialistSystem(look.item.name, classifier)
        own = Side(system, toolchain=examiner.judged_by(system, pictures=card.task == PICTURES))
        for role, other in self._rivals(look, examiner, sources):
            look.rivals[role] = other.system.digest
            asking = Asking(
                self._settings.home / "watch" / "answers",
                look.report,
                look.cancelled,
            )
            try:
                for items in sources:
                    self._meet(look, own, other, role, items, asking)
            except MetierError as error:
                if not isinstance(error, UnavailableError) or error.code == "cancelled":
                    raise
                look.problems.append(error)

    def _meet(
        self, look: Round, own: Side, other: Side, role: Rival, items: _Items, asking: Asking
    ) -> None:
        from metier.examine.watched import meet

        rival = other.system.digest
        paired = self._paired(look.item, role, rival)
        if all(item.id in paired for item in items.sealed.items):
            return  # else the leak gate would read all training rows for nothing
        without = paired | items.leaked()
        if all(item.id in without for item in items.sealed.items):
            return
        if _is_slow(other):
            later = _later(items.sealed, without)
            without |= later
            if later:
                look.notes.append(
                    f"{other.system.name} runs here and is asked {MOST_OF_A_MODEL} items at a "
                    f"look; {len(later):,} are left"
                )
        met = meet(
            own,
            other,
            role,
            items.sealed,
            asking,
            without=without,
            fresh_from=items.fresh_from,
            source=items.source,
        )
        if met.unscored:
            look.notes.append(
                f"{met.unscored:,} items could not be answered by {other.system.name}; they are "
                "asked again next time"
            )
        if not met.pairs:
            return
        meeting = Meeting(
            system=str(look.item.system),
            rival=role,
            rival_system=rival,
            rival_name=other.system.name,
            own_ms=met.own_ms,
            rival_ms=met.rival_ms,
            rival_cost=THIS_MACHINE if other.local else self._general_cost(),
        )
        record(self._ledger(), look.item.name, meeting, met.pairs)
        look.added += len(met.pairs)

    def _items(self, look: Round, card: Card, examiner: Examiner) -> Iterator[_Items]:
        """The sealed eval, then the fresh files, then what feedback labelled."""
        name = look.item.name
        own: Eval | None = None
        try:
            own = examiner.eval_of(name, card.out_of_scope_label)
        except MetierError as error:
            look.problems.append(error)
        if own is not None:
            sealed = own
            yield _Items(sealed, "eval", "", lambda: examiner.leaked(name, sealed, look.report))
        made = card.made[:10]

        def gate(sealed: Eval) -> Callable[[], frozenset[str]]:
            def look_for() -> frozenset[str]:
                training = examiner.training(look.item)
                return freshitems.leaked_ids(sealed.items, training, own)

            return look_for

        for fresh in freshitems.kept(freshitems.folder_of(self._settings.home, name)):
            yield _Items(fresh, "eval", made, gate(fresh))
        allowed = {*card.labels, card.out_of_scope_label}
        said = [one for one in feedback.labelled(self._ledger(), name) if one.label in allowed]
        if said and card.task != PICTURES:
            told = freshitems.of_feedback(said, card.out_of_scope_label)
            yield _Items(told, "feedback", made, gate(told))

    def _rivals(
        self, look: Round, examiner: Examiner, sources: Sequence[_Items]
    ) -> Iterator[tuple[Rival, Side]]:
        from metier.examine.watched import Side

        name = look.item.name
        if not sources:
            return
        sealed = sources[0].sealed
        try:
            base = examiner.system("base", name, sealed)
        except MetierError as error:
            # A classifier without a base here still has to beat always saying one label.
            if not isinstance(error, NotFoundError):
                look.notes.append(f"base: {error.message}")
            base = examiner.system("majority", name, sealed)
        seen = look.item.task == PICTURES
        yield "base", Side(base, toolchain=examiner.judged_by(base, pictures=seen))
        side = self._general(look, examiner, sealed)
        if side is not None:
            yield "general", side

    def _general(self, look: Round, examiner: Examiner, sealed: Eval) -> Side | None:
        """The general model, or ``None`` with a note why it is not asked."""
        from metier.engines.questioned import WritingSystem
        from metier.examine.sealed import batch_of
        from metier.examine.watched import Side

        try:
            rival = examiner.system("general", look.item.name, sealed)
        except MetierError as error:
            told = NO_GENERAL if error.code == "no_general" else f"general: {error.message}"
            look.notes.append(told)
            return None
        if not isinstance(rival, WritingSystem):
            return Side(rival, batch_of(rival), local=False)
        if look.background and not rival.elsewhere:
            look.notes.append(_too_large("the general model", rival.name))
            return None
        rival = replace(rival, cancelled=look.cancelled)
        if rival.elsewhere:
            ref = self._workbench.rivals.ref("general") or rival.name
            same = _OnAnyDay(rival.generator, self._tables.binding.identity(ref))
            return Side(replace(rival, generator=same), batch_of(rival), local=False)
        judged_by = examiner.judged_by(rival, pictures=False)
        return Side(rival, batch_of(rival), toolchain=judged_by)

    def _examiner(self, *, background: bool) -> Examiner:
        """As for an eval, but that a general model is the same one tomorrow, by its name."""
        examiner = self._workbench.examiner()
        if background:
            examiner = without_fetching(examiner, self._workbench, self._settings.home)
        if examiner.service is None:
            return examiner
        return replace(examiner, service=replace(examiner.service, date=""))

    def _general_cost(self) -> str:
        service = self._workbench.service()
        return cost_class(service.price_in, service.price_out) if service else ""

    # --- chat specialists -------------------------------------------------------------------------

    def _converse(self, look: Round) -> None:
        conversant = self._conversations.conversant(look.item.name)
        base = self._settings.base or conversant_base(conversant)
        if base is None:
            look.notes.append("no base is configured, so there is nothing to hold it against")
            return
        if look.background and self._bases.is_local(base):
            look.notes.append(_too_large("its base", str(base)))
            return
        if not conversant.card.evals:
            look.notes.append("it names no eval, so there is nothing to measure it on")
        parts = self._parts(look)
        if not parts:
            return
        for on in conversant.card.evals:
            try:
                self._execute(look, on, base, parts)
            except MetierError as error:
                if error.code == "cancelled":
                    raise
                look.problems.append(error)

    def _parts(self, look: Round) -> tuple[str, ...]:
        """What it has here beside the base."""
        conversant = self._conversations.conversant(look.item.name)
        found = []
        if self._conversations.searcher(conversant) is not None:
            found.append("docs")
        if self._conversations.tools(conversant):
            found.append("tools")
        if not found:
            look.notes.append("neither its documents nor its tools are here")
        return tuple(found)

    def _execute(self, look: Round, on: str, base: str, parts: tuple[str, ...]) -> None:
        name = look.item.name
        suite = self._measuring.examiner(parts).suite_of(on)
        wanted = {f"{on}/{task.id}" for task in suite.tasks}
        against: list[tuple[Rival, str, tuple[str, ...]]] = [("base", base, ())]
        if "docs" in parts and parts != ("docs",):
            against.append(("base+documents", base, ("docs",)))
        general = self._workbench.rivals.ref("general")
        if general is None:
            look.notes.append(NO_GENERAL)
        elif plain(general) != plain(base):  # else it is met as the base
            if look.background and self._bases.is_local(general):
                look.notes.append(_too_large("the general model", str(general)))
            else:
                against.append(("general", str(general), ()))
        digests = {role: self._rival(base, ref, with_) for role, ref, with_ in against}
        look.rivals |= digests
        paired = {role: self._paired(look.item, role, rival) for role, rival in digests.items()}
        missing = [one for one in against if not wanted <= paired[one[0]]]
        if not missing:
            return
        tables = []
        for ref in dict.fromkeys((base, *(ref for _role, ref, _parts in missing))):
            table = self._tables.evaluate(
                name,
                on=on,
                bases=(ref,),
                with_=parts if ref == base else (),
                report=look.report,
                cancelled=look.cancelled,
            ).table
            tables.append((ref, table))
        entries = {(ref, one.parts): one for ref, table in tables for one in table.entries}
        own = entries[base, parts]
        for role, ref, with_ in missing:
            self._pair(look, on, own, entries[ref, with_], role)

    def _pair(self, look: Round, on: str, own: Entry, other: Entry, role: Rival) -> None:
        from metier.evals.tables import median_seconds

        rival = look.rivals[role]
        paired = self._paired(look.item, role, rival)
        card = look.item.chat
        made = card.made[:10] if card is not None else ""
        theirs = {item.id: item for item in other.result.items}
        pairs = []
        for item in own.result.items:
            there = theirs.get(item.id)
            key = f"{on}/{item.id}"
            if there is None or key in paired:
                continue
            if item.outcome == "unscored" or there.outcome == "unscored":
                continue
            day = (item.date or "")[:10]
            pairs.append(
                Pair(
                    rival=role,
                    item=key,
                    cluster=f"{on}/{item.cluster}",
                    own=item.outcome,
                    other=there.outcome,
                    date=day,
                    fresh=bool(day) and day >= made,
                )
            )
        if not pairs:
            return
        seconds = (median_seconds(own), median_seconds(other))
        meeting = Meeting(
            system=str(look.item.system),
            rival=role,
            rival_system=rival,
            rival_name=other.name,
            own_ms=None if seconds[0] is None else 1000.0 * seconds[0],
            rival_ms=None if seconds[1] is None else 1000.0 * seconds[1],
            own_cost=own.cost_class,
            rival_cost=other.cost_class,
        )
        record(self._ledger(), look.item.name, meeting, pairs)
        look.added += len(pairs)

    def _rival(self, own_base: str, base: str, parts: tuple[str, ...]) -> str:
        """The digest by which a rival is told from others that had its role, on any day."""
        identity = self._tables.binding.identity
        facts = {"own_base": identity(own_base), "base": identity(base), "parts": list(parts)}
        return str(Digest.of(canonical_json(facts)))

    def _paired(self, item: Installed, role: Rival, rival: str) -> set[str]:
        return {
            pair.item
            for one in self.known(item)
            if one.meeting.rival == role and one.meeting.rival_system == rival
            for pair in one.pairs
        }


def _is_slow(side: Side) -> bool:
    """Whether a model of this machine writes each of its answers."""
    from metier.engines.questioned import WritingSystem

    return isinstance(side.system, WritingSystem) and not side.system.elsewhere


def _later(sealed: Eval, without: Collection[str]) -> frozenset[str]:
    """The items that wait for another look, drawn by their ids: evals may be in order of label."""
    left = sorted(
        (item.id for item in sealed.items if item.id not in without),
        key=lambda item: hashlib.sha256(item.encode()).digest(),
    )
    return frozenset(left[MOST_OF_A_MODEL:])


def _too_large(what: str, name: str) -> str:
    return (
        f"{what} {name} runs on this machine; in the background no second model is loaded, so run "
        "'metier watch' by hand"
    )
