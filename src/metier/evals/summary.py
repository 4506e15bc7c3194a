"""The scores of one result: accuracy, macro-F1 and coverage with intervals, and the worst labels.

It knows an eval and a result of it; it compares nothing.
"""

from __future__ import annotations

from metier.card import Score
from metier.errors import InputError
from metier.evals.items import Eval
from metier.evals.results import Result, ResultItem, answer_digest


def scores(sealed: Eval, result: Result, *, seed: int = 0) -> tuple[Score, ...]:
    """``accuracy``, ``macro_f1`` and ``coverage`` of a result, without its unscored items.

    Accuracy is the mean outcome with Wilson's interval; macro-F1 the mean F1 of the eval's labels
    with a bootstrap interval; coverage the share of items that got an answer. All of them count
    clusters, not items, where the eval has clusters.

    Args:
        sealed: The eval.
        result: Its result; raises InputError (code ``other_eval``) if it is another eval's.
        seed: Of the bootstrap.

    Returns:
        Three scores; only ``accuracy`` with value 0 and no interval if nothing was scored.
    """
    from metier.stats import macro_f1, share_interval

    rows = result.scored
    truth = _labels_by_id(sealed, result)
    if not rows:
        return (Score(metric="accuracy", value=0.0, n=0, clusters=0, unscored=len(result.items)),)
    codes = {label: code for code, label in enumerate(sealed.labels)}
    by_digest = {answer_digest(label): code for label, code in codes.items()}
    clusters = [row.cluster for row in rows]
    answered = [0.0 if row.abstained else 1.0 for row in rows]
    true_codes = [codes[truth[row.id]] for row in rows]
    said = [_said(row, by_digest, codes[truth[row.id]]) for row in rows]
    f1 = macro_f1(true_codes, said, clusters, seed=seed)
    found = (
        ("macro_f1", f1.value, f1.interval),
        ("coverage", sum(answered) / len(rows), share_interval(answered, clusters)),
    )
    counts = {
        "n": len(rows),
        "clusters": len(set(clusters)),
        "unscored": len(result.items) - len(rows),
    }
    return (
        mean_score(result),
        *(Score(metric=name, value=value, interval=ends, **counts) for name, value, ends in found),
    )


def mean_score(result: Result, *, metric: str | None = None) -> Score:
    """The mean outcome of a result with its interval; the metric is the scorer's by default."""
    from metier.stats import share_interval

    rows = result.scored
    name = metric or result.scorer.partition("{")[0]
    unscored = len(result.items) - len(rows)
    if not rows:
        return Score(metric=name, value=0.0, n=0, clusters=0, unscored=unscored)
    outcomes = [float(row.outcome) for row in rows]
    clusters = [row.cluster for row in rows]
    return Score(
        metric=name,
        value=sum(outcomes) / len(rows),
        interval=share_interval(outcomes, clusters),
        n=len(rows),
        clusters=len(set(clusters)),
        unscored=unscored,
    )


def worst_labels(
    sealed: Eval, result: Result, *, count: int = 5
) -> tuple[tuple[str, float, int], ...]:
    """The labels with the lowest mean outcome: label, mean, scored items; worst first."""
    truth = _labels_by_id(sealed, result)
    outcomes: dict[str, list[float]] = {}
    for row in result.scored:
        outcomes.setdefault(truth[row.id], []).append(float(row.outcome))
    means = [(label, sum(rows) / len(rows), len(rows)) for label, rows in outcomes.items()]
    return tuple(sorted(means, key=lambda row: (row[1], -row[2], row[0]))[:count])


def _said(row: ResultItem, by_digest: dict[str, int], true_code: int) -> int:
    """Code of the label that was answered; -1 for none; an abstention that is right is right."""
    if row.answer is None:
        return true_code if row.outcome == 1.0 else -1
    return by_digest.get(row.answer, -1)


def _labels_by_id(sealed: Eval, result: Result) -> dict[str, str]:
    if result.eval_fingerprint != sealed.fingerprint:
        raise InputError(
            f"The result is of the eval {result.eval_fingerprint}, not of {sealed.fingerprint}.",
            code="other_eval",
            remedy="Use the eval that the result was made on, or run this eval.",
        )
    return {item.id: item.label for item in sealed.items}
