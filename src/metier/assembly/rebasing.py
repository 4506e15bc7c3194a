"""A chat specialist hopped to another base: its executed eval on both, pair by pair.

It knows whose base is whose and what is installed with another one; which tasks are asked, how an
answer is judged and who is promoted are known below. Recorded answers are no base to hop to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metier.assembly.bases import REMOTE, REPLAY, Bases
from metier.assembly.making import Making
from metier.assembly.promoting import Promoting
from metier.assembly.tables import Tables
from metier.assembly.workbench import Workbench, never
from metier.card import Cost, Evidence
from metier.errors import InputError, MetierError
from metier.fleet import Installed
from metier.hop import Challenger, Hopped
from metier.messages import Progress, Report, silent
from metier.recipe import ChatRecipe
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.evals.tables import Entry, Table
    from metier.stats import Anytime

Price = Callable[[str], float | None]
"""A base to the blended price of a million tokens, ``None`` where none is known."""


@dataclass(frozen=True)
class _Bout:
    """One hop: who is champion, on which base, and the table that both stand in."""

    champion: Installed
    base: str | None
    table: Table
    eval: str


class Rebasing:
    """The chat specialists of one home, hopped from base to base."""

    def __init__(
        self,
        workbench: Workbench,
        maker: Making,
        tables: Tables,
        promoting: Promoting,
        price: Price,
    ) -> None:
        self._workbench = workbench
        self._maker = maker
        self._tables = tables
        self._promoting = promoting
        self._price = price

    def base(self, name: str) -> str | None:
        """The base that a chat specialist has, here or not; ``None`` of anything else."""
        try:
            return self._recipe(self._workbench.fleet.show(name)).base.ref
        except MetierError:
            return None

    def evals(self, name: str) -> tuple[str, ...]:
        """The executed evals that have a name, those that a chat specialist names first.

        Empty of anything else.
        """
        try:
            own = self._recipe(self._promoting.champion(name)).eval.names
        except MetierError:
            return ()
        known = self._tables.evals()
        return tuple(dict.fromkeys([*(one for one in own if one in known), *known]))

    def hop(
        self,
        name: str,
        bases: Sequence[str],
        *,
        on: str | None = None,
        budget: float | None = None,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Hopped:
        """Run a chat specialist's eval on its base and on others; the best that wins is its base.

        A specialist that has no base yet, or whose base is gone, has nothing to lose: a base is
        taken if the specialist on it beats that base alone.

        Args:
            name: An installed chat specialist.
            bases: ``remote:NAME``, an installed model.
            on: The executed eval; by default the first that the specialist names.
            budget: Wall seconds after which the run stops, to be gone on with.
            report: Receives progress.
            cancelled: Stops the work; what was answered is kept.

        Raises:
            InputError: ``not_a_chat_specialist``, ``no_bases``, ``same_base``, ``not_servable``,
                ``no_eval``.
            NotFoundError: There is no such base.
            UnavailableError: ``budget_spent``, ``no_sandbox``, ``cancelled``, ``hopping``.
        """
        start, processor = time.monotonic(), time.process_time()
        with self._promoting.alone(name) as champion:
            recipe = self._recipe(champion)
            chosen = on or next(iter(recipe.eval.names), None)
            if chosen is None:
                raise InputError(
                    f"{champion.name!r} names no executed eval.",
                    code="no_eval",
                    remedy="Name one with --on: svelte, react, python or a folder of tasks.",
                )
            own = self._own(recipe)
            wanted = self._wanted(bases, own)
            examination = self._tables.evaluate(
                champion.name,
                on=chosen,
                bases=[*([own] if own else []), *wanted],
                with_=self._parts(champion.name),
                budget=budget,
                report=report,
                cancelled=cancelled,
            )
            bout = _Bout(champion, own, examination.table, chosen)
            challengers = [self._challenger(bout, recipe, base) for base in wanted]
            promotion = self._promoting.conclude(champion, challengers)
        for ruling in promotion.rulings:
            report(Progress("judge", ruling.why, data=ruling.to_dict()))
        hopped = Hopped(
            name=champion.name,
            champion=str(champion.system),
            champion_key=own or "no base",
            promotion=promotion,
            seconds=time.monotonic() - start,
            cpu_seconds=time.process_time() - processor,
            reused=(),
        )
        report(Progress("done", promotion.why, 1.0, data=hopped.to_dict()))
        return hopped

    def _recipe(self, champion: Installed) -> ChatRecipe:
        recipe = None if champion.chat is None else self._workbench.recipe_of(champion.name)
        if not isinstance(recipe, ChatRecipe):
            raise InputError(
                f"{champion.name!r} is no chat specialist.",
                code="not_a_chat_specialist",
                remedy="'metier list' shows the task of each.",
            )
        return recipe

    def _own(self, recipe: ChatRecipe) -> str | None:
        """The base that it has, if it is still there."""
        own = recipe.base.ref
        if own is None:
            return None
        try:
            self._tables.binding.identity(own)
        except MetierError:
            return None
        return own

    def _wanted(self, bases: Sequence[str], own: str | None) -> list[str]:
        binding = self._tables.binding
        wanted: list[str] = []
        known = {binding.named(own)} if own else set()
        for base in bases:
            if base.startswith(REPLAY):
                raise InputError(
                    f"{base[:120]} holds recorded answers, which prove nothing of this machine.",
                    code="not_servable",
                    remedy="Name a base that answers: remote:NAME, or an installed model.",
                )
            name = binding.named(base)
            if own and name == binding.named(own):
                raise InputError(
                    f"It stands on {base} already.",
                    code="same_base",
                    remedy="Name another base; 'metier show NAME' lists some.",
                )
            if name not in known:
                known.add(name)
                wanted.append(base)
        if not wanted:
            raise InputError(
                "No base is named.",
                code="no_bases",
                remedy="Write --base REF, once for each base.",
            )
        return wanted

    def _parts(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(self._tables.binding.bound(name).parts))

    def _challenger(self, bout: _Bout, recipe: ChatRecipe, base: str) -> Challenger:
        """The specialist with another base, installed aside, and how it did."""
        moved = recipe.model_copy(update={"base": recipe.base.model_copy(update={"ref": base})})
        made = self._maker.chat_challenger(
            moved,
            aside=lambda card: self._promoting.aside(bout.champion.reference, card.system),
        )
        try:
            evidence = self._evidence(bout, made, base)
        except MetierError as error:
            return Challenger(
                base,
                system=str(made.system),
                name=made.name,
                failed=error.message,
                remedy=error.remedy or "",
            )
        entry = _entry(bout.table, self._tables.binding.named(base), whole=True)
        return Challenger(
            base,
            system=str(made.system),
            name=made.name,
            evidence=evidence,
            standing=self._standing(bout, str(made.system), entry),
            seconds=sum(entry.seconds.values()),
        )

    def _standing(self, bout: _Bout, system: str, mine: Entry) -> Anytime | None:
        """Where the two were compared before on other tasks: what holds at every look."""
        before = str(bout.champion.system)
        looked = any(
            (one.before, one.after) == (before, system)
            and any(fact.get("eval") != bout.table.fingerprint for fact in one.evidence)
            for one in self._promoting.history(bout.champion.name)
        )
        if not looked or bout.base is None:
            return None
        from metier.stats import anytime

        rival = _entry(bout.table, self._tables.binding.named(bout.base), whole=True)
        pairs = [
            (one.outcome, two.outcome, one.cluster)
            for one, two in zip(mine.result.items, rival.result.items, strict=True)
            if one.outcome != "unscored" and two.outcome != "unscored"
        ]
        own, other, clusters = zip(*pairs, strict=True)
        return anytime(own, other, clusters)

    def _evidence(self, bout: _Bout, made: Installed, base: str) -> Evidence:
        """The specialist on this base against itself on its own; without one, the base alone."""
        from metier.evals.comparing import compare

        binding, table = self._tables.binding, bout.table
        mine = _entry(table, binding.named(base), whole=True)
        if bout.base is not None:
            rival = _entry(table, binding.named(bout.base), whole=True)
        else:
            rival = _entry(table, binding.named(base), whole=False)
        found = compare(
            mine.result,
            rival.result,
            against="other" if bout.base is not None else "base",
            command=f"metier hop {bout.champion.name} --base {base}",
            date=table.date,
            costs=(self._cost(mine, base), self._cost(rival, bout.base or base)),
        )
        named = {"system": str(made.system), "system_name": f"{bout.champion.name} on {base}"}
        if bout.base is not None:
            named |= {
                "rival": str(bout.champion.system),
                "rival_name": f"{bout.champion.name} on {bout.base}",
            }
        found = found.model_copy(update=named)
        body = found.model_dump(mode="json")
        digest = Digest.parse(mine.result.digest)
        self._workbench.ledger.append("evidence", bout.champion.name, digest, body)
        return found

    def _cost(self, entry: Entry, base: str) -> Cost:
        from metier.evals.findings import cost_of

        cost = cost_of(entry)
        if not base.startswith(REMOTE):
            return cost
        price = self._price(base.removeprefix(REMOTE))
        return cost.model_copy(update={"price_per_million_tokens": price})


def _entry(table: Table, base: str, *, whole: bool) -> Entry:
    """The specialist on a base (its entry with most parts), or the base alone."""
    own = [entry for entry in table.entries if entry.base == base]
    if whole:
        return max(own, key=lambda entry: len(entry.parts))
    return next(entry for entry in own if not entry.parts)


def open_rebasing(
    workbench: Workbench, maker: Making, tables: Tables, promoting: Promoting, bases: Bases
) -> Rebasing:
    """The chat specialists of one home that may change their base."""
    return Rebasing(workbench, maker, tables, promoting, bases.price)
