"""Find by eval: candidates are tried on somebody's own examples, and the best is scored again.

It knows systems that answer, an eval, a budget and a journal of answers; it does not know where
candidates come from, and the choice itself is ``stats.halving``'s. What was answered once is not
asked again: a search that was stopped, or is repeated with a larger budget, reads the journals.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from metier.errors import InputError, MetierError, UnavailableError
from metier.evals.items import Eval
from metier.evals.results import Result, Timings, write_result
from metier.examine.answered import Answered, Answers
from metier.examine.tried import Budget, Candidate, LeftOut, Tried, round_dict
from metier.examine.untouched import scored_again
from metier.messages import Progress, Report
from metier.reference import Digest
from metier.stats import Asked, Contender, Rules, halve, least_budget, plan
from metier.stats.searched import Round

PER_CANDIDATE = 40
"""Questions a candidate, if no budget is named."""
LEAST_BUDGET = 200
"""Questions of a search for which no budget is named, if there are as many to ask."""
QUICK_KINDS = ("classifier", "encoder")
"""Kinds of candidates that answer in milliseconds."""
QUICK = 5_000
"""Questions of a search for which no budget is named, if all candidates are of such a kind."""
PROBES = 2
"""Questions by which the speed of a candidate is seen, where the budget is time."""
USUAL = Budget()
LEAST_ITEMS = 6
"""Examples below which there is nothing to search on and to score again on."""


@dataclass(frozen=True)
class Trier:
    """What assembly hands to a search.

    Attributes:
        journals: Folder of the answers.
        results: Folder in which results are kept.
        toolchain: Part of every result.
        today: ISO date.
        leaked: Ids of the items that overlap a candidate's training rows; ``None``: not known.
        report: Receives progress.
        cancelled: Asked before each batch.
    """

    journals: Path
    results: Path
    toolchain: dict[str, str]
    today: str
    leaked: Callable[[Candidate, Eval], frozenset[str] | None]
    report: Report
    cancelled: Callable[[], bool]

    def search(
        self,
        sealed: Eval,
        candidates: Sequence[Candidate],
        *,
        budget: Budget = USUAL,
        seed: int = 0,
        reference: str | None = None,
        command: str = "",
    ) -> Tried:
        """Try candidates on an eval, and score the best again on items that chose nobody.

        Args:
            sealed: The examples.
            candidates: One or more that can answer them.
            budget: Questions or seconds; ``PER_CANDIDATE`` questions each if it says neither.
            seed: Of the order of the questions.
            reference: A candidate's name: the winner is compared with it too.
            command: What repeats the search.

        Raises:
            InputError: Too few examples (``too_few_items``), no candidate (``no_candidates``), a
                reference that is none (``no_reference``), or a budget that would choose by chance
                (``budget_too_small``).
            UnavailableError: ``cancelled``; what was answered is kept. ``nobody_answered``.
            StorageError: A journal cannot be written or is held by another process.
        """
        _check(sealed, candidates, reference)
        with ExitStack() as held:
            asking = _Asking(self, sealed, held)
            taking, left_out = asking.admitted(candidates, budget, seed, reference)
            contenders = [one.contender(cost) for one, cost in taking]
            quick = all(one.kind in QUICK_KINDS for one, _ in taking)
            spendable = _spendable(contenders, sealed, budget, quick)
            asking.expect(spendable, in_seconds=budget.seconds is not None)
            rules = Rules(
                budget=spendable,
                seed=seed,
                clusters=_clusters(sealed),
                reference=reference,
            )
            found = halve(
                contenders, len(sealed.items), asking.ask, rules, on_round=asking.round_over
            )
            if found.winner is None:
                raise _nobody(asking.failures)
            by_name = {one.name: one for one, _ in taking}
            again = scored_again(
                found,
                sealed,
                lambda name, items: asking.result(by_name[name], items),
                lambda name: self.leaked(by_name[name], sealed),
                command=command,
                date=self.today,
            )
            self._keep(again.results)
            return Tried(
                fingerprint=sealed.fingerprint,
                scorer=sealed.scorer,
                items=len(sealed.items),
                candidates=tuple(by_name.values()),
                left_out=left_out,
                failures=tuple(sorted(asking.failures.items())),
                search=again.search,
                budget=replace(budget, questions=None if budget.seconds else int(spendable)),
                evidence=again.evidence,
                again=asking.known,
                seconds=asking.fresh_seconds,
                date=self.today,
                command=command,
                always=again.always,
                overlaps=again.overlaps,
            )

    def _keep(self, results: Sequence[Result]) -> None:
        """Write what the evidence was computed from."""
        self.results.mkdir(parents=True, exist_ok=True)
        for result in results:
            write_result(self.results / f"{Digest.parse(result.digest).hex}.jsonl", result)


class _Asking:
    """Asks candidates through their journals, and tells how far it is."""

    def __init__(self, trier: Trier, sealed: Eval, held: ExitStack) -> None:
        self._trier = trier
        self._sealed = sealed
        self._held = held
        self._answers: dict[str, Answers] = {}
        self._candidates: dict[str, Candidate] = {}
        self._in_seconds = False
        self._budget = 0.0
        self._spent = 0.0
        self._rounds: list[Round] = []
        self.failures: dict[str, str] = {}
        self.known = 0
        self.fresh = 0
        self.fresh_seconds = 0.0

    def expect(self, budget: float, *, in_seconds: bool) -> None:
        """What is there to spend; what admission cost is told with the rest."""
        self._budget, self._in_seconds = budget, in_seconds
        self._spent = 0.0

    def admitted(
        self,
        candidates: Sequence[Candidate],
        budget: Budget,
        seed: int,
        reference: str | None,
    ) -> tuple[list[tuple[Candidate, float]], tuple[LeftOut, ...]]:
        """Who takes part, with what an answer costs; where the budget is time, after a probe."""
        for one in candidates:
            journal = self._trier.journals / "tries"
            self._answers[one.name] = self._held.enter_context(
                Answers.opened(journal, one.system, self._sealed, self._trier.toolchain)
            )
            self._candidates[one.name] = one
        if budget.seconds is None:
            return [(one, 1.0) for one in candidates], ()
        self._in_seconds, self._budget = True, budget.seconds
        every = [Contender(one.name) for one in candidates]
        rules = Rules(budget=1.0, seed=seed, clusters=_clusters(self._sealed))
        probes = plan(every, len(self._sealed.items), rules).order[:PROBES]
        costs = {one.name: self._speed(one.name, probes) for one in candidates}
        taking = [one for one in candidates if one.name not in self.failures]
        left_out = []
        # The slowest leave until the others get enough questions.
        while len(taking) > 2 and budget.seconds < least_budget(
            [one.contender(costs[one.name]) for one in taking]
        ):
            slowest = max(
                (one for one in taking if one.name != reference), key=lambda one: costs[one.name]
            )
            taking.remove(slowest)
            why = f"About {costs[slowest.name]:.2g} s an answer is too slow for this budget."
            left_out.append(LeftOut(slowest.name, why))
        if not taking:
            raise _nobody(self.failures)
        return [(one, costs[one.name]) for one in taking], tuple(left_out)

    def _speed(self, name: str, probes: Sequence[int]) -> float:
        """Seconds of an answer: of the second, for the first may wait for a model to load."""
        seconds = 1e-6
        for place in probes:
            self.ask(name, [place])
            kept = self._answers[name].of(self._sealed.items[place])
            seconds = max(kept.wall, 1e-6) if kept is not None else seconds
        return seconds

    def ask(self, name: str, positions: Sequence[int]) -> Asked:
        """The outcomes of some items: from the journal, else asked now.

        A candidate that cannot be asked at all leaves its items unscored, and is not asked again.
        """
        answers, candidate = self._answers[name], self._candidates[name]
        items = [self._sealed.items[place] for place in positions]
        lacking = [item for item in items if answers.of(item) is None]
        self.known += len(items) - len(lacking)
        for start in range(0, len(lacking), candidate.batch):
            if name in self.failures:
                break
            if self._trier.cancelled():
                raise self._stopped()
            began = time.monotonic()
            try:
                fresh = answers.ask(lacking[start : start + candidate.batch])
            except MetierError as error:
                if error.code == "cancelled" or self._trier.cancelled():
                    raise self._stopped() from error
                self.failures[name] = error.message
                break
            self.fresh += len(fresh)
            self.fresh_seconds += time.monotonic() - began
            self._tell(name, len(answers))
        got = [answers.of(item) for item in items]
        cost = sum(one.wall for one in got if one is not None)
        self._spent += cost if self._in_seconds else len(items)
        outcomes = ["unscored" if one is None else one.item.outcome for one in got]
        return Asked(outcomes, cost if self._in_seconds else None)

    def round_over(self, finished: Round) -> None:
        """Tell who went on."""
        self._rounds.append(finished)
        stay, gone = len(finished.kept), len(finished.standings) - len(finished.kept)
        self._trier.report(
            Progress(
                stage="round",
                message=f"Round {finished.number}: {stay} of {stay + gone} stay after "
                f"{finished.total:,} question{'s' if finished.total != 1 else ''} each.",
                fraction=self._share(),
                seconds_left=self._left(),
                data={"name": f"round {finished.number}", **round_dict(finished)},
            )
        )

    def result(self, candidate: Candidate, untouched: Eval) -> Result:
        """What a candidate came to on the untouched items, all of which it was asked."""
        answers = self._answers[candidate.name]
        kept = [answers.of(item) or Answered.silent(item) for item in untouched.items]
        return Result(
            system=candidate.system.digest,
            system_name=candidate.name,
            eval_fingerprint=untouched.fingerprint,
            scorer=untouched.scorer,
            items=tuple(one.item for one in kept),
            toolchain=self._trier.toolchain,
            timings=Timings(
                date=self._trier.today,
                seconds={one.item.id: one.seconds for one in kept},
                machine={},
            ),
        )

    def _tell(self, name: str, answers: int) -> None:
        over = self._rounds and len(self._rounds[-1].kept) <= 1
        where = "Untouched questions" if over else f"Round {len(self._rounds) + 1}"
        rate = self._rate()
        told = f", {rate:,.1f} a second" if rate is not None else ""
        self._trier.report(
            Progress(
                stage="try",
                message=f"{where}: {name}, {answers:,} answers{told}",
                fraction=self._share(),
                seconds_left=self._left(),
                data={"candidate": name, "asked": self.fresh, "known": self.known},
            )
        )

    def _rate(self) -> float | None:
        return self.fresh / self.fresh_seconds if self.fresh and self.fresh_seconds > 0.0 else None

    def _share(self) -> float | None:
        return min(1.0, self._spent / self._budget) if self._budget else None

    def _left(self) -> float | None:
        left = max(0.0, self._budget - self._spent)
        rate = self._rate()
        if self._in_seconds:
            return left
        return left / rate if rate else None

    def _stopped(self) -> UnavailableError:
        return UnavailableError(
            f"The search was stopped after {self.fresh:,} new answers.",
            code="cancelled",
            remedy="Run the same command again; it goes on from there.",
            retryable=True,
        )


def _check(sealed: Eval, candidates: Sequence[Candidate], reference: str | None) -> None:
    if len(sealed.items) < LEAST_ITEMS or len({item.cluster for item in sealed.items}) < 2:
        raise InputError(
            f"{len(sealed.items)} examples are too few: some choose, and others score the choice.",
            code="too_few_items",
            remedy=f"Give {LEAST_ITEMS} or more that do not all belong together; 100 tell most "
            "candidates apart.",
        )
    if not candidates:
        raise InputError(
            "There is no candidate that can answer these examples.",
            code="no_candidates",
            remedy="Pull a model that writes, write down a service, or make a specialist.",
        )
    names = [one.name for one in candidates]
    if reference is not None and reference not in names:
        raise InputError(
            f"{reference[:120]!r} is none of the candidates.",
            code="no_reference",
            remedy=f"Name one of {', '.join(names[:12])}.",
        )


def _spendable(contenders: Sequence[Contender], sealed: Eval, budget: Budget, quick: bool) -> float:
    """The budget in the unit of the costs; never more than asking everybody everything."""
    everything = sum(one.cost for one in contenders) * len(sealed.items)
    if budget.seconds is not None:
        wanted = budget.seconds
    else:
        usual = QUICK if quick else max(LEAST_BUDGET, PER_CANDIDATE * len(contenders))
        wanted = float(budget.questions or usual)
    least = min(everything, least_budget(contenders))
    if wanted < least:
        told, unit = (
            (f"{math.ceil(least)}s", "seconds")
            if budget.seconds is not None
            else (f"{math.ceil(least)}", "questions")
        )
        raise InputError(
            f"{wanted:,.0f} {unit} for {len(contenders)} candidates would choose by chance.",
            code="budget_too_small",
            remedy=f"Give --budget {told} or more, or name fewer candidates.",
        )
    return min(wanted, everything) if budget.seconds is None else wanted


def _clusters(sealed: Eval) -> tuple[str, ...]:
    return tuple(item.cluster for item in sealed.items)


def _nobody(failures: dict[str, str]) -> UnavailableError:
    told = "; ".join(f"{name}: {why}" for name, why in sorted(failures.items())[:5])
    return UnavailableError(
        f"Nobody's answers could be scored. {told}".strip(),
        code="nobody_answered",
        remedy="Try one of them with 'metier run', and mend what it says.",
    )
