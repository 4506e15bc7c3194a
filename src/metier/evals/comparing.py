"""Two results of one eval to evidence with a verdict.

It knows outcomes, clusters and which items leaked; it knows no system. Items that either system
left unscored are not compared. ``docs/explanation/verdicts.md`` says how to read a verdict.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from metier.card import Cost, Difference, Evidence, Verdict
from metier.errors import InputError
from metier.evals.results import Result
from metier.evals.summary import mean_score

MOST_LEAKED = 0.01
"""Above this share of leaked items no WIN is given."""

Role = Literal["majority", "base", "general", "other"]


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Where two results differ, as item ids, sorted.

    Attributes:
        first_better: Items on which the first has the higher outcome.
        second_better: Items on which the second has.
        other_answer: Same outcome, but not the same answer.
        left_out: Items that one of the two left unscored.
    """

    first_better: tuple[str, ...]
    second_better: tuple[str, ...]
    other_answer: tuple[str, ...]
    left_out: tuple[str, ...]


def compare(
    first: Result,
    second: Result,
    *,
    against: Role,
    command: str,
    date: str,
    leaked: Collection[str] = frozenset(),
    margin: float = 0.01,
    costs: tuple[Cost, Cost] = (Cost(), Cost()),
) -> Evidence:
    """The evidence of two results of one eval.

    Leaked items favour the system that trained on them. If more than 1 % of the eval's items
    leaked, the verdict is the one that the others support, and a WIN there is given as NOT
    WORSE, because leaks that were found tell of leaks that were not; a LOSS stays a LOSS.
    Otherwise it is that of all items. ``without_leaks`` stands beside it.

    Args:
        first: The result of the specialist.
        second: The result of its rival.
        against: The rival's role.
        command: What repeats the comparison.
        date: ISO date of the comparison.
        leaked: Ids of items that overlap the first system's training rows.
        margin: The margin m.
        costs: Of the first and of the second.

    Raises InputError: ``other_eval``; ``nothing_to_compare`` if no item is scored in both.
    """
    _same_eval(first, second)
    everything = _difference(first, second, frozenset(), margin)
    if everything is None:
        raise InputError(
            f"No item is scored in both results, {first.system_name} and {second.system_name}.",
            code="nothing_to_compare",
            remedy="Look at why items are unscored, mend it, and run the eval again.",
        )
    inside = frozenset(leaked) & {item.id for item in first.items}
    clean = _difference(first, second, inside, margin) if inside else None
    share = len(inside) / len(first.items)
    if share > MOST_LEAKED:
        everything = _withhold(everything, clean, len(inside), len(first.items))
    return Evidence(
        against=against,
        system=first.system,
        system_name=first.system_name,
        rival=second.system,
        rival_name=second.system_name,
        eval_fingerprint=first.eval_fingerprint,
        metric=first.scorer.partition("{")[0],
        score=mean_score(first),
        rival_score=mean_score(second),
        difference=everything,
        without_leaks=clean,
        date=date,
        cost=costs[0],
        rival_cost=costs[1],
        results=(first.digest, second.digest),
        command=command,
    )


def disagreements(first: Result, second: Result) -> Disagreements:
    """Item ids on which two results of one eval differ; raises InputError (``other_eval``)."""
    _same_eval(first, second)
    better: list[str] = []
    worse: list[str] = []
    other: list[str] = []
    left_out: list[str] = []
    for one, two in zip(first.items, second.items, strict=True):
        if one.outcome == "unscored" or two.outcome == "unscored":
            left_out.append(one.id)
        elif one.outcome != two.outcome:
            (better if one.outcome > two.outcome else worse).append(one.id)
        elif one.answer != two.answer:
            other.append(one.id)
    return Disagreements(tuple(better), tuple(worse), tuple(other), tuple(left_out))


def _difference(
    first: Result, second: Result, without: frozenset[str], margin: float
) -> Difference | None:
    """The paired difference over the items that both scored; ``None`` if there are none."""
    from metier.stats import paired_difference

    pairs = [
        (one.outcome, two.outcome, one.cluster)
        for one, two in zip(first.items, second.items, strict=True)
        if one.outcome != "unscored" and two.outcome != "unscored" and one.id not in without
    ]
    if not pairs:
        return None
    left, right, clusters = zip(*pairs, strict=True)
    return paired_difference(left, right, clusters, margin=margin)


def _withhold(
    everything: Difference, clean: Difference | None, leaked: int, items: int
) -> Difference:
    """The difference of all items under the verdict that too many leaks allow."""
    if everything.verdict is Verdict.LOSS:
        return everything
    verdict = Verdict.UNDERPOWERED if clean is None else clean.verdict
    if verdict is Verdict.WIN:
        verdict = Verdict.NOT_WORSE
    note = f"{leaked} of {items} items leaked: verdict of the others, no WIN"
    return everything.model_copy(
        update={
            "verdict": verdict,
            "small": False,
            "needed_n": None if clean is None else clean.needed_n,
            "method": f"{everything.method};{note}",
        }
    )


def _same_eval(first: Result, second: Result) -> None:
    same = (
        first.eval_fingerprint == second.eval_fingerprint
        and first.scorer == second.scorer
        and [item.id for item in first.items] == [item.id for item in second.items]
    )
    if not same:
        raise InputError(
            f"{first.system_name} and {second.system_name} answered different evals: "
            f"{first.eval_fingerprint} scored by {first.scorer}, and "
            f"{second.eval_fingerprint} scored by {second.scorer}.",
            code="other_eval",
            remedy="Run both on the same eval with 'metier eval NAME --on EVAL'.",
        )
