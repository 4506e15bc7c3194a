"""Hopping classifiers: the recipe made again on other bases, asked beside the champion.

It knows what a hop reuses (rows, leak scan, rungs without a base, challengers that were made
before a stop), how a budget is shared, and whom the examiner asks. The rule is ``metier.hop``'s;
the change of names is ``promoting``'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.answer import Answering
from metier.assembly.hopasking import Asking
from metier.assembly.hopbases import HopBases
from metier.assembly.making import Making
from metier.assembly.promoting import Promoting
from metier.assembly.workbench import Workbench, libraries_of, never, toolchain
from metier.card import Card
from metier.errors import InputError, MetierError, UnavailableError
from metier.finding import Found, Query
from metier.fleet import Installed
from metier.hop import (
    OVER_BASE,
    Challenger,
    Done,
    Hopped,
    Offer,
    Promotion,
    Wanted,
    on_base,
    views_of,
)
from metier.messages import Progress, Report, silent
from metier.reference import PREVIOUS

if TYPE_CHECKING:
    from metier.evals.items import Eval
    from metier.making.resuming import Keeper
    from metier.making.rows import Rows
    from metier.recipe import Recipe


@dataclass
class _Bout:
    """One hop while it goes on.

    Attributes:
        champion: What answers.
        card: Its card.
        recipe: Its recipe, local files found.
        rows: The rows of that recipe, read once.
        asking: Who asks champion and challengers.
        fresh: Fresh items, or ``None``.
        reused: What did not have to be done again.
        keepers: Of the makes; discarded when all is judged.
    """

    champion: Installed
    card: Card
    recipe: Recipe
    rows: Rows
    asking: Asking
    fresh: Eval | None
    reused: list[str] = field(default_factory=list)
    keepers: list[Keeper] = field(default_factory=list)


class Hopping:
    """``metier hop`` and ``metier rollback`` of one home; threads may share it."""

    def __init__(
        self,
        workbench: Workbench,
        maker: Making,
        promoting: Promoting,
        bases: HopBases,
    ) -> None:
        self._fleet = workbench.fleet
        self._workbench = workbench
        self._maker = maker
        self._bases = bases
        self.promoting = promoting

    def hop(
        self,
        name: str,
        *,
        bases: Sequence[str] = (),
        every_new: bool = False,
        pull: bool = False,
        fresh: Path | None = None,
        budget: float | None = None,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Hopped:
        """Make the recipe again on each base and promote the best that is shown to be better.

        Args:
            name: An installed classifier.
            bases: Installed bases: ``REF`` in all its views, ``REF@static``, ``REF@encoder``.
            every_new: Also on every installed base that was not held against this champion.
            pull: Bring bases here that are not, those of the catalogue that fit too.
            fresh: A file of labelled rows that neither base can have been made from.
            budget: Wall seconds for everything; shared among the bases.
            report: Receives progress.
            cancelled: Stops the work; what was made is kept, and the same call goes on from there.

        Raises:
            InputError: ``same_base``, ``no_bases``, ``bad_view``, ``not_a_classifier``,
                ``other_eval`` (the rows are no longer those), ``bad_budget``.
            UnavailableError: ``base_missing`` if none of the bases is here; ``rows_not_here``;
                ``hopping``: it is being hopped already.
            StorageError: ``name_changed``; ``disk_full``.
        """
        _check_budget(budget)
        start, processor = time.monotonic(), time.process_time()
        with self.promoting.alone(name) as champion:
            recipe = self._workbench.classifier_recipe(champion.name)
            wanted = self._bases.wanted(
                champion, bases, every_new=every_new, pull=pull, report=report
            )
            able = self._bases.able(champion, recipe, wanted)
            bout = self._bout(champion, recipe, fresh, report)
            challengers = []
            for number, one in enumerate(wanted):
                if (failed := able[one]) is not None:
                    challengers.append(failed)
                    continue
                left = budget - (time.monotonic() - start) if budget is not None else None
                share = max(0.001, left / (len(wanted) - number)) if left is not None else None
                part = _part_of(report, number, len(wanted))
                challengers.append(self._challenge(bout, one, share, part, cancelled))
            promotion = self.promoting.conclude(champion, challengers)
        for keeper in bout.keepers:
            keeper.discard()
        _tell(report, promotion)
        hopped = Hopped(
            name=champion.name,
            champion=str(champion.system),
            champion_key=key_of(recipe),
            promotion=promotion,
            seconds=time.monotonic() - start,
            cpu_seconds=time.process_time() - processor,
            reused=tuple(dict.fromkeys(bout.reused)),
        )
        report(Progress("done", promotion.why, 1.0, data=hopped.to_dict()))
        return hopped

    def rollback(self, name: str, *, to: str | None = None) -> Done:
        """Put the champion before this one back; see ``Promoting.rollback``."""
        return self.promoting.rollback(name, to=to)

    def history(self, name: str) -> tuple[Done, ...]:
        """What hops did to a name, the latest first."""
        return self.promoting.history(name)

    def offers(self, name: str) -> tuple[Offer, ...]:
        """Bases that a classifier was not held against yet; see ``HopBases.offers``."""
        return self._bases.offers(name)

    def document(self, name: str) -> dict[str, Any]:
        """Everything about a name's hops, as JSON; raises NotFoundError.

        ``base`` is what the champion stands on; ``previous`` and ``aside`` are what can be gone
        back to or promoted by hand; ``history`` are the acts, the latest first; ``bases`` are
        where it could hop.
        """
        item = self._fleet.show(name)
        front = item.reference.front
        here = front in self._fleet.store.entries()
        beside = [_told(one) for one in self._fleet.aside(front.familiar)]
        champion = self._fleet.show(front.familiar) if here else item
        hops = champion.classifier is not None and not item.reference.side
        return {
            "name": item.name,
            "champion": front.familiar,
            "side": item.reference.side,
            "base": key_of(self._workbench.classifier_recipe(champion.name)) if hops else "",
            "previous": next((one for one in beside if one["side"] == PREVIOUS), None),
            "aside": [one for one in beside if one["side"] != PREVIOUS],
            "history": [one.to_dict() for one in self.history(front.familiar)],
            "bases": [one.to_dict() for one in self.offers(champion.name)] if hops else [],
        }

    # --- before -----------------------------------------------------------------------------------

    def _bout(
        self, champion: Installed, recipe: Recipe, fresh: Path | None, report: Report
    ) -> _Bout:
        from metier.making.gathering import gather_any

        card = champion.classifier
        if card is None:
            raise InputError(f"{champion.name!r} has no card.", code="not_a_classifier")
        try:
            rows = gather_any(recipe, self._workbench.places(self._workbench.home), report)
        except MetierError as error:
            raise UnavailableError(
                f"The rows that {champion.name!r} was made from cannot be had: {error.message}",
                code="rows_not_here",
                remedy=error.remedy or "Bring its files back, set METIER_MIRROR, or go online.",
            ) from error
        if rows.sealed.fingerprint != card.data.eval_digest:
            raise InputError(
                f"The rows of {champion.name!r} are no longer what its eval was sealed from, so "
                "the two could not be compared on the same items.",
                code="other_eval",
                remedy="Bring the rows back as they were, or make it again with 'metier make'.",
            )
        if fresh and recipe.of_pictures:
            raise InputError(
                "Fresh items of a hop are texts; pictures are not taken in yet.",
                code="wrong_task",
                remedy="Hop without --fresh: both are asked the sealed pictures.",
            )
        asking = Asking(self._workbench, champion, rows)
        chosen = asking.fresh(fresh, report) if fresh else None
        return _Bout(champion, card, recipe, rows, asking, chosen)

    # --- one challenger ---------------------------------------------------------------------------

    def _challenge(
        self,
        bout: _Bout,
        wanted: Wanted,
        budget: float | None,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Challenger:
        start, processor = time.monotonic(), time.process_time()
        reused: list[str] = []
        try:
            made = self._made(bout, wanted, budget, report, cancelled, reused)
            if (cut := _cut_off(made.classifier, wanted)) is not None:
                self._fleet.store.rename({made.reference: None})
                return cut
            asking = bout.asking
            evidence = asking.evidence(made, wanted.key, None, report, cancelled, reused)
            fresh = None
            if bout.fresh is not None:
                fresh = asking.evidence(made, wanted.key, bout.fresh, report, cancelled, reused)
        except MetierError as error:
            if error.code in ("cancelled", "disk_full"):
                raise
            return Challenger(wanted.key, failed=error.message, remedy=error.remedy or "")
        bout.reused.extend(reused)
        return Challenger(
            key=wanted.key,
            system=str(made.system),
            name=made.name,
            evidence=evidence,
            fresh=fresh,
            seconds=time.monotonic() - start,
            cpu_seconds=time.process_time() - processor,
            reused=tuple(reused),
            what=made.classifier.rung if made.classifier else "",
        )

    def _made(
        self,
        bout: _Bout,
        wanted: Wanted,
        budget: float | None,
        report: Report,
        cancelled: Callable[[], bool],
        reused: list[str],
    ) -> Installed:
        """The recipe on this base, installed aside; made only if it is not there."""
        rows = replace(bout.rows, recipe=on_base(bout.rows.recipe, wanted))
        before = self._before(bout, rows) if budget is None else None
        if before is not None:
            reused.append("a challenger that was made before")
            report(Progress("make", f"{wanted.key} was made before: it is only asked."))
            return before
        reused.append("rows and leak scan")
        if bout.keepers and "linear" in rows.recipe.ladder.rungs:
            reused.append("rungs without a base")
        report(Progress("make", f"Making {bout.champion.name} on {wanted.key}."))
        front = bout.champion.reference
        installed, keeper = self._maker.challenger(
            rows.recipe,
            rows,
            report,
            cancelled,
            budget=budget,
            aside=lambda card: self.promoting.aside(front, card.system),
        )
        bout.keepers.append(keeper)
        return installed

    def _before(self, bout: _Bout, rows: Rows) -> Installed | None:
        base = self._workbench.base(rows.recipe.base.ref)
        expected = rows.recipe.build_id(
            base_digest=base.digest if base else None,
            data=(rows.summary.train_digest, rows.summary.eval_digest),
            toolchain=toolchain(*libraries_of(rows.recipe)),
        )
        for item in self._fleet.aside(bout.champion.name):
            card = item.classifier
            if item.reference.side == "previous" or card is None or _stopped(card):
                continue  # what a budget cut short is no answer to the whole question
            if card.build_id == str(expected):
                return item
        return None


def open_hopping(
    workbench: Workbench,
    maker: Making,
    answering: Answering,
    *,
    find: Callable[[Query], Found],
    pull: Callable[..., Installed],
) -> Hopping:
    """The hops of one home.

    Args:
        workbench: Rows, examiner, ledger.
        maker: Makes challengers.
        answering: Loads what would come back in a rollback.
        find: Searches the catalogues.
        pull: Brings a base here.
    """
    fleet = workbench.fleet

    def answers(name: str) -> None:
        if fleet.show(name).classifier is not None:
            answering.classifier(name)

    promoting = Promoting(fleet, lambda: workbench.ledger, workbench.home, answers)
    bases = HopBases(workbench, promoting.history, find=find, pull=pull)
    return Hopping(workbench, maker, promoting, bases)


def _told(item: Installed) -> dict[str, Any]:
    card = item.classifier
    score = card.accuracy() if card is not None else None
    return {
        "name": item.name,
        "side": item.reference.side,
        "system": str(item.system),
        "base": card.base.name if card is not None and card.base is not None else "",
        "rung": card.rung if card is not None else "",
        "accuracy": score.value if score is not None else None,
        "since": item.modified,
    }


def key_of(recipe: Recipe) -> str:
    """What people call the ground that a champion stands on: its base and view."""
    view = views_of(recipe.ladder.rungs)
    ref = recipe.base.ref or "no base"
    return f"{ref}@{view}" if view else ref


def _stopped(card: Card) -> list[str]:
    """The rungs that a budget left unclimbed."""
    return [rung.name for rung in card.ladder if rung.state == "stopped"]


def _cut_off(card: Card | None, wanted: Wanted) -> Challenger | None:
    """A challenger whose budget ended before any rung over the base: it says nothing of the base.

    It is not judged: a LOSS of the rung "majority" would stand in the ledger as one of the base.
    """
    if card is None:
        return None
    climbed = {rung.name for rung in card.ladder if rung.state in ("tried", "chosen")}
    stopped = [rung for rung in _stopped(card) if rung in OVER_BASE]
    if not stopped or climbed & OVER_BASE:
        return None
    return Challenger(
        wanted.key,
        failed=f"The budget ended before any rung over {wanted.base} was climbed.",
        remedy="Give it more time: --budget 5m, or leave --budget out.",
    )


def _check_budget(budget: float | None) -> None:
    if budget is not None and budget <= 0:
        raise InputError(
            f"A budget of {budget:g} s is not possible.",
            code="bad_budget",
            remedy="Name seconds above 0, like --budget 2m.",
        )


def _part_of(report: Report, number: int, count: int) -> Report:
    """Progress of one base as progress of all."""

    def tell(progress: Progress) -> None:
        inside = progress.fraction
        if inside is None:
            report(replace(progress, fraction=None))
            return
        left = progress.seconds_left
        if left is not None and inside < 1.0:
            left *= (count - number - inside) / (1.0 - inside)
        report(replace(progress, fraction=(number + inside) / count, seconds_left=left))

    return tell


def _tell(report: Report, promotion: Promotion) -> None:
    for ruling in promotion.rulings:
        report(Progress("judge", ruling.why, data=ruling.to_dict()))
