"""The untouched questions of a search by eval: which of them are clean, and what chance gets there.

It knows outcomes, training rows that overlap, and labels; it asks nobody. A question that a
finalist was trained on is left out for all of them, and the winner stands beside always giving
the most frequent label of the questions that chose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from metier.card import Cost, Evidence, Verdict
from metier.engines.systems import MajoritySystem
from metier.evals.comparing import MOST_LEAKED, Role, compare
from metier.evals.items import Eval
from metier.evals.matching import ANSWER
from metier.evals.results import Result, ResultItem, answer_digest
from metier.evals.scoring import scorer_from_name
from metier.examine.tried import Always, Overlap
from metier.messages import Answer
from metier.stats import Search
from metier.stats.halving import share_of
from metier.stats.searched import Share

_SHOWN_LABEL = 60


@dataclass(frozen=True, slots=True)
class ScoredAgain:
    """What the untouched questions came to.

    Attributes:
        search: The search, its final without the questions that overlap training rows.
        evidence: The winner against each rival, and against always giving one label.
        results: What the evidence was computed from.
        always: What always giving one label gets; ``None`` where answers are no labels.
        overlaps: What is known of each finalist's training rows.
    """

    search: Search
    evidence: tuple[Evidence, ...] = ()
    results: tuple[Result, ...] = ()
    always: Always | None = None
    overlaps: tuple[Overlap, ...] = ()


def scored_again(
    found: Search,
    sealed: Eval,
    result: Callable[[str, Eval], Result],
    leaked: Callable[[str], frozenset[str] | None],
    *,
    command: str,
    date: str,
) -> ScoredAgain:
    """The winner against its rivals on what nobody is known to have been trained on.

    Args:
        found: A search that is over.
        sealed: Everything that it had.
        result: What a candidate answered to an eval of its untouched items.
        leaked: Ids of the items that overlap a candidate's training rows; ``None`` if not known.
        command: What repeats the search.
        date: ISO date.
    """
    final = found.final
    if final is None or found.winner is None:
        return ScoredAgain(found)
    names = [found.winner, *(rival.name for rival in final.rivals)]
    whole = [sealed.items[place] for place in final.questions]
    trained = {name: leaked(name) for name in names}
    out = {item.id for item in whole if any(item.id in (ids or ()) for ids in trained.values())}
    overlaps = tuple(
        Overlap(name, len(whole), None if ids is None else sum(one.id in ids for one in whole))
        for name, ids in trained.items()
    )
    kept = tuple(place for place in final.questions if sealed.items[place].id not in out)
    if not kept:
        bare = [Share(name, None, None, 0, 0) for name in names]
        empty = replace(
            final,
            questions=(),
            winner=bare[0],
            rivals=tuple(bare[1:]),
            differences=(None,) * len(final.rivals),
        )
        return ScoredAgain(replace(found, final=empty), overlaps=overlaps)
    clean = Eval(tuple(sealed.items[place] for place in kept), sealed.scorer)
    results = {name: result(name, clean) for name in names}
    winner = results[found.winner]
    tainted = (overlaps[0].found or 0) / len(whole) > MOST_LEAKED
    evidence = [
        _evidence(winner, results[name], _role(name), tainted=tainted, command=command, date=date)
        for name in names[1:]
    ]
    if out:
        shares = [_share(results[name]) for name in names]
        final = replace(
            final,
            questions=kept,
            winner=shares[0],
            rivals=tuple(shares[1:]),
            differences=tuple(None if one is None else one.difference for one in evidence),
        )
    always, baseline = _always(found, sealed, clean, winner.toolchain)
    if baseline is not None:
        evidence.append(
            _evidence(winner, baseline, "majority", tainted=tainted, command=command, date=date)
        )
    return ScoredAgain(
        replace(found, final=final),
        tuple(one for one in evidence if one is not None),
        (*results.values(), *(() if baseline is None else (baseline,))),
        always,
        overlaps,
    )


def _evidence(
    winner: Result, rival: Result, role: Role, *, tainted: bool, command: str, date: str
) -> Evidence | None:
    """One comparison, or ``None`` if nothing is scored in both.

    Overlaps that were found tell of overlaps that were not: then no WIN is given (see
    ``evals.comparing.compare``, whose rule this is).
    """
    pairs = zip(winner.items, rival.items, strict=True)
    if all("unscored" in (one.outcome, two.outcome) for one, two in pairs):
        return None
    found = compare(
        winner,
        rival,
        against=role,
        command=command,
        date=date,
        costs=(_cost(winner), _cost(rival)),
    )
    if not tainted or found.difference.verdict is not Verdict.WIN:
        return found
    withheld = found.difference.model_copy(
        update={
            "verdict": Verdict.NOT_WORSE,
            "small": False,
            "method": f"{found.difference.method};training rows overlap: left out, no WIN",
        }
    )
    return found.model_copy(update={"difference": withheld})


def _role(name: str) -> Role:
    return "general" if name == "remote:general" else "other"


def _always(
    found: Search, sealed: Eval, clean: Eval, toolchain: Mapping[str, str]
) -> tuple[Always | None, Result | None]:
    """Always giving the label that is most frequent among the questions that chose.

    Where nothing was searched no question chose: then it is that of the clean ones themselves,
    which can only flatter it.
    """
    if sealed.scorer == ANSWER.name:
        return None, None
    chose = [sealed.items[place].label for one in found.rounds for place in one.questions]
    counted = Counter(chose or [item.label for item in clean.items])
    label = min(counted, key=lambda one: (-counted[one], one))
    shown = label if len(label) <= _SHOWN_LABEL else f"{label[: _SHOWN_LABEL - 1]}…"
    scorer = scorer_from_name(sealed.scorer)
    result = Result(
        system=MajoritySystem(label).digest,
        system_name=f"always saying '{shown}'",
        eval_fingerprint=clean.fingerprint,
        scorer=clean.scorer,
        items=tuple(
            ResultItem(
                id=item.id,
                cluster=item.cluster,
                outcome=scorer.score(item, Answer(label)),
                answer=answer_digest(label),
                date=item.date,
            )
            for item in clean.items
        ),
        toolchain=toolchain,
    )
    return Always(label, _share(result), bool(chose)), result


def _share(result: Result) -> Share:
    outcomes = [np.nan if one.outcome == "unscored" else one.outcome for one in result.items]
    clusters = np.asarray([one.cluster for one in result.items])
    return share_of(result.system_name, np.asarray(outcomes, dtype=np.float64), clusters)


def _cost(result: Result) -> Cost:
    return Cost(ms_per_text=result.timings.median_ms() if result.timings else None)
