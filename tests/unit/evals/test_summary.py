"""Scores of one result: values by hand, clusters, abstentions, unscored items."""

import pytest
from sklearn.metrics import f1_score

from metier.errors import InputError
from metier.evals.items import Eval, EvalItem
from metier.evals.results import Result, ResultItem, answer_digest
from metier.evals.scoring import Accuracy, Scorer
from metier.evals.summary import mean_score, scores, worst_labels
from metier.messages import Answer

LABELS = ["a"] * 6 + ["b"] * 4 + ["oos"] * 2
ANSWERS: list[str | None] = [
    "a", "a", "a", "a", "b", None, "b", "b", "a", "unheard of", None, "a",
]  # fmt: skip


def made(
    answers: list[str | None], scorer: Scorer, *, clusters: int | None = None, unscored: int = 0
) -> tuple[Eval, Result]:
    items = tuple(
        EvalItem(
            f"{i:03}",
            f"text {i}",
            LABELS[i % len(LABELS)],
            f"{i:03}" if clusters is None else f"c{i % clusters}",
        )
        for i in range(len(answers))
    )
    sealed = Eval(items, scorer=scorer.name)
    rows = tuple(
        ResultItem(
            item.id,
            item.cluster,
            "unscored" if i < unscored else scorer.score(item, Answer(text)),
            None if text is None or i < unscored else answer_digest(text),
        )
        for i, (item, text) in enumerate(zip(items, answers, strict=True))
    )
    return sealed, Result(
        system="sha256:" + "1" * 64,
        system_name="s",
        eval_fingerprint=sealed.fingerprint,
        scorer=scorer.name,
        items=rows,
    )


def test_accuracy_macro_f1_and_coverage_by_hand() -> None:
    sealed, result = made(ANSWERS, Accuracy())
    accuracy, f1, coverage = scores(sealed, result)
    assert (accuracy.metric, f1.metric, coverage.metric) == ("accuracy", "macro_f1", "coverage")
    assert accuracy.value == pytest.approx(6 / 12)
    assert coverage.value == pytest.approx(10 / 12)
    said = [answer or "none" for answer in ANSWERS]
    expected = f1_score(LABELS, said, labels=["a", "b", "oos"], average="macro", zero_division=0)
    assert f1.value == pytest.approx(expected)
    for score in (accuracy, f1, coverage):
        assert score.interval is not None
        assert score.interval.low < score.value < score.interval.high
        assert (score.n, score.clusters, score.unscored) == (12, 12, 0)


def test_not_answering_out_of_scope_is_right_where_the_scorer_says_so() -> None:
    sealed, result = made(ANSWERS, Accuracy("oos"))
    accuracy, f1, coverage = scores(sealed, result)
    assert accuracy.metric == "accuracy"
    assert accuracy.value == pytest.approx(7 / 12)
    assert coverage.value == pytest.approx(10 / 12)
    said = ["oos" if i == 10 else answer or "none" for i, answer in enumerate(ANSWERS)]
    expected = f1_score(LABELS, said, labels=["a", "b", "oos"], average="macro", zero_division=0)
    assert f1.value == pytest.approx(expected)


def test_unscored_items_are_counted_and_left_out() -> None:
    sealed, result = made(ANSWERS, Accuracy(), unscored=3)
    accuracy, _, coverage = scores(sealed, result)
    assert accuracy.value == pytest.approx(3 / 9)
    assert coverage.value == pytest.approx(7 / 9)
    assert (accuracy.n, accuracy.unscored) == (9, 3)


def test_nothing_scored_is_no_score() -> None:
    sealed, result = made(ANSWERS, Accuracy(), unscored=12)
    (accuracy,) = scores(sealed, result)
    assert accuracy.interval is None
    assert (accuracy.n, accuracy.unscored) == (0, 12)
    assert mean_score(result) == accuracy


def test_clusters_widen_the_interval() -> None:
    answers: list[str | None] = [*ANSWERS * 20]
    _, single = made(answers, Accuracy())
    _, grouped = made(answers, Accuracy(), clusters=12)
    one, many = mean_score(grouped).interval, mean_score(single).interval
    assert one is not None
    assert many is not None
    assert mean_score(grouped).clusters == 12
    assert one.high - one.low > 3 * (many.high - many.low)


def test_the_same_seed_gives_the_same_scores() -> None:
    sealed, result = made(ANSWERS, Accuracy())
    assert scores(sealed, result, seed=4) == scores(sealed, result, seed=4)


def test_worst_labels_come_first() -> None:
    sealed, result = made(ANSWERS, Accuracy())
    assert worst_labels(sealed, result) == (
        ("oos", 0.0, 2),
        ("b", 0.5, 4),
        ("a", pytest.approx(4 / 6), 6),
    )
    assert worst_labels(sealed, result, count=1) == (("oos", 0.0, 2),)


def test_a_result_of_another_eval_is_refused() -> None:
    sealed, _ = made(ANSWERS, Accuracy())
    _, other = made(ANSWERS, Accuracy("oos"))
    with pytest.raises(InputError) as caught:
        scores(sealed, other)
    assert caught.value.code == "other_eval"
