"""What a classifier gets right and wrong, label by label: computed from stored outcomes.

It knows results and, where they are here, the sealed items; it runs no model and reads no file.
A result stores an answer as a digest only: it is found again among the labels it may be. The true
label of a wrong answer is known from the sealed items, else from another system's right answer to
the same item, else not at all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from metier.card import Interval
from metier.errors import InputError
from metier.evals.items import Eval
from metier.evals.results import Result, ResultItem, answer_digest

MOST_CONFUSIONS = 12
MOST_WRONG = 40


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How many of one label's items, or of the answers that name it, were right.

    Attributes:
        label: The label.
        share: 0 to 1.
        interval: Wilson's, 95 %, by clusters.
        n: Scored items.
    """

    label: str
    share: float
    interval: Interval
    n: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """Two labels of which one is taken for the other, and how often."""

    truth: str
    said: str
    n: int


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """One item that was answered wrongly; ``said`` is ``None`` where it abstained."""

    id: str
    text: str
    truth: str
    said: str | None


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What is known of a classifier's answers on its sealed items.

    Attributes:
        n: Scored items.
        wrong: How many of them were answered wrongly.
        abstained: How many of the wrong ones got no answer.
        truth_known: Of how many wrong ones the true label is known.
        by: ``truth``: labels are scored by their own items; ``answer``: by the answers that name
            them, because the true labels are not here.
        best: Labels with the highest share, best first.
        worst: Labels with the lowest share, worst first; none of them is in ``best``.
        confusions: Pairs of labels that occur twice or more, the most frequent first.
        examples: Wrong answers with their texts, those of the most frequent pairs first; empty
            where the texts are not here.
    """

    n: int
    wrong: int
    abstained: int
    truth_known: int
    by: Literal["truth", "answer"]
    best: tuple[LabelScore, ...]
    worst: tuple[LabelScore, ...]
    confusions: tuple[Confusion, ...]
    examples: tuple[WrongAnswer, ...]


def mistakes(
    result: Result,
    labels: Sequence[str],
    *,
    sealed: Eval | None = None,
    others: Iterable[Result] = (),
    shown: int = 5,
) -> Mistakes:
    """What ``result`` got right and wrong.

    Args:
        result: The stored outcomes of a classifier.
        labels: The labels it may give.
        sealed: Its items, if they are here.
        others: Results of other systems on the same eval, whose right answers tell true labels.
        shown: Best and worst labels to name.

    Raises:
        InputError: An eval or a result is of another eval (code ``other_eval``).
    """
    named = {answer_digest(label): label for label in labels}
    if sealed is not None:
        named |= {answer_digest(label): label for label in sealed.labels}
    rows = result.scored
    truth = _truth(result, named, sealed, others)
    said = {row.id: named.get(row.answer) if row.answer else None for row in rows}
    wrong = [row for row in rows if float(row.outcome) < 1.0]
    pairs = Counter(
        (truth[row.id], told)
        for row in wrong
        if row.id in truth and (told := said[row.id]) is not None
    )
    best, worst = _extremes(rows, truth if sealed is not None else said, shown)
    return Mistakes(
        n=len(rows),
        wrong=len(wrong),
        abstained=sum(row.answer is None for row in wrong),
        truth_known=sum(row.id in truth for row in wrong),
        by="answer" if sealed is None else "truth",
        best=best,
        worst=worst,
        confusions=tuple(
            Confusion(*pair, n)
            for pair, n in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
            if n > 1
        )[:MOST_CONFUSIONS],
        examples=_examples(wrong, said, pairs, sealed),
    )


def _truth(
    result: Result, named: Mapping[str, str], sealed: Eval | None, others: Iterable[Result]
) -> dict[str, str]:
    """Item id to true label, as far as it is known."""
    known: dict[str, str] = {}
    for other in (result, *others):
        _same_eval(result.eval_fingerprint, other.eval_fingerprint)
        known |= {
            row.id: named[row.answer]
            for row in other.scored
            if row.outcome == 1.0 and row.answer is not None and row.answer in named
        }
    if sealed is not None:
        _same_eval(result.eval_fingerprint, sealed.fingerprint)
        known |= {item.id: item.label for item in sealed.items}
    return known


def _same_eval(one: str, other: str) -> None:
    if one != other:
        raise InputError(
            f"The result is of the eval {one}, not of {other}.",
            code="other_eval",
            remedy="Use the eval that the result was made on.",
        )


def _examples(
    wrong: Sequence[ResultItem],
    said: Mapping[str, str | None],
    pairs: Mapping[tuple[str, str], int],
    sealed: Eval | None,
) -> tuple[WrongAnswer, ...]:
    if sealed is None:
        return ()
    items = {item.id: item for item in sealed.items}
    ordered = sorted(
        wrong, key=lambda row: (-pairs.get((items[row.id].label, said[row.id] or ""), 0), row.id)
    )
    return tuple(
        WrongAnswer(row.id, items[row.id].text, items[row.id].label, said[row.id])
        for row in ordered[:MOST_WRONG]
    )


def _extremes(
    rows: Sequence[ResultItem], label_of: Mapping[str, str | None], shown: int
) -> tuple[tuple[LabelScore, ...], tuple[LabelScore, ...]]:
    """The best and the worst labels, with intervals; no label is in both."""
    outcomes: dict[str, list[float]] = {}
    clusters: dict[str, list[str]] = {}
    for row in rows:
        label = label_of.get(row.id)
        if label is not None:
            outcomes.setdefault(label, []).append(float(row.outcome))
            clusters.setdefault(label, []).append(row.cluster)
    means = {label: sum(values) / len(values) for label, values in outcomes.items()}
    order = sorted(means, key=lambda label: (-means[label], -len(outcomes[label]), label))
    count = min(shown, len(order) // 2)

    def scored(label: str) -> LabelScore:
        values = outcomes[label]
        return LabelScore(label, means[label], _interval(values, clusters[label]), len(values))

    best = tuple(scored(label) for label in order[:count])
    worst = tuple(scored(label) for label in reversed(order[len(order) - count :]))
    return best, worst


def _interval(outcomes: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Wilson's interval, 95 %; by clusters where items share one.

    For independent outcomes of 0 and 1 it is written out here (Wilson 1927), so that a page need
    not load scipy for ten labels; a test holds it to ``stats.share_interval``.
    """
    n = len(outcomes)
    if len(set(clusters)) < n or any(value not in (0.0, 1.0) for value in outcomes):
        from metier.stats import share_interval

        return share_interval(outcomes, clusters)
    square = NormalDist().inv_cdf(0.975) ** 2
    share = sum(outcomes) / n
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = math.sqrt(share * (1 - share) * square / n + (square / (2 * n)) ** 2) / (1 + square / n)
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))
