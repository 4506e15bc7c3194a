"""Mistakes by label: values by hand, with and without the items, and the interval's formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import InputError
from metier.evals.items import Eval, EvalItem
from metier.evals.mistakes import _interval, mistakes
from metier.evals.results import Result, ResultItem, answer_digest
from metier.stats import share_interval

TRUTH = ["a", "a", "a", "b", "b", "b", "c", "c"]
SAID: list[str | None] = ["a", "a", "b", "b", "a", "a", None, "c"]


def sealed(clusters: bool = False) -> Eval:
    return Eval(
        tuple(
            EvalItem(f"{i:02}", f"text {i}", label, "one" if clusters else f"{i:02}")
            for i, label in enumerate(TRUTH)
        )
    )


def result(said: list[str | None], of: Eval) -> Result:
    rows = tuple(
        ResultItem(
            item.id,
            item.cluster,
            1.0 if text == item.label else 0.0,
            None if text is None else answer_digest(text),
        )
        for item, text in zip(of.items, said, strict=True)
    )
    digest = f"sha256:{'0' * 64}"
    return Result(digest, "it", of.fingerprint, of.scorer, rows)


def test_with_the_items_labels_are_scored_by_their_own_items() -> None:
    of = sealed()
    found = mistakes(result(SAID, of), ("a", "b", "c"), sealed=of, shown=1)
    assert (found.n, found.wrong, found.abstained, found.truth_known) == (8, 4, 1, 4)
    assert found.by == "truth"
    assert [(row.label, row.n) for row in found.best] == [("a", 3)]
    assert [(row.label, round(row.share, 3)) for row in found.worst] == [("b", 0.333)]
    assert [(pair.truth, pair.said, pair.n) for pair in found.confusions] == [("b", "a", 2)]
    texts = [(one.text, one.truth, one.said) for one in found.examples]
    assert texts[:2] == [("text 4", "b", "a"), ("text 5", "b", "a")]
    assert ("text 6", "c", None) in texts


def test_without_the_items_another_systems_right_answers_tell_some_labels() -> None:
    of = sealed()
    other = result(["c", "c", "c", "c", "b", "b", "a", "a"], of)
    found = mistakes(result(SAID, of), ("a", "b", "c"), others=[other], shown=1)
    assert (found.wrong, found.truth_known, found.by) == (4, 2, "answer")
    assert found.examples == ()
    assert [(pair.truth, pair.said, pair.n) for pair in found.confusions] == [("b", "a", 2)]
    assert [(row.label, row.share, row.n) for row in found.best] == [("c", 1.0, 1)]


def test_labels_that_nobody_has_heard_of_are_left_out() -> None:
    of = sealed()
    found = mistakes(result(SAID, of), ("a",), shown=2)
    assert found.confusions == ()
    assert {row.label for row in (*found.best, *found.worst)} <= {"a"}


def test_a_result_of_another_eval_is_refused() -> None:
    of, other = sealed(), sealed(clusters=True)
    with pytest.raises(InputError) as caught:
        mistakes(result(SAID, of), ("a",), sealed=other)
    assert caught.value.code == "other_eval"
    with pytest.raises(InputError):
        mistakes(result(SAID, of), ("a",), others=[result(SAID, other)])


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60), st.booleans())
def test_the_interval_is_that_of_the_statistics(outcomes: list[float], together: bool) -> None:
    clusters = ["one" if together else str(i) for i in range(len(outcomes))]
    mine, theirs = _interval(outcomes, clusters), share_interval(outcomes, clusters)
    assert mine.low == pytest.approx(theirs.low, abs=1e-9)
    assert mine.high == pytest.approx(theirs.high, abs=1e-9)
