"""Splits are stratified, grouped, repeatable, and leave a given test split alone."""

import os
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.datasets.splitting import divide, folds, independent_groups, sample_per_class, split
from metier.errors import InputError
from metier.features import fold
from metier.messages import Example
from metier.recipe import SplitPart


def rows(count: int, labels: int = 4, groups: int | None = None) -> list[Example]:
    return [
        Example(
            f"text number {n}",
            f"label {n % labels}",
            f"g{n % groups}" if groups else None,
            row=n + 1,
        )
        for n in range(count)
    ]


def test_shares_are_exact_for_every_label():
    train, evaluation = split(rows(400), eval_share=0.2)
    assert Counter(e.label for e in evaluation) == {f"label {n}": 20 for n in range(4)}
    assert len(train) == 320
    assert [e.row for e in train] == sorted(e.row for e in train)


def test_small_classes_share_the_rounding():
    examples = [Example(f"text {c} {n}", f"label {c}") for c in range(300) for n in range(3)]
    train, evaluation = split(examples, eval_share=0.2)
    assert len(evaluation) == 180
    assert set(Counter(e.label for e in train).values()) == {2, 3}


def test_groups_and_copies_never_straddle():
    copies = [Example("The SAME text!", "label 0"), Example("the same text", "label 1")]
    examples = [*rows(200, groups=25), *copies]
    train, evaluation = split(examples, seed=3)
    assert not {e.group for e in train if e.group} & {e.group for e in evaluation if e.group}
    assert not {fold(e.text) for e in train} & {fold(e.text) for e in evaluation}
    assert 0.1 < len(evaluation) / len(examples) < 0.3


def test_the_order_of_the_rows_changes_nothing():
    examples = rows(300, groups=60)
    shuffled = random.Random(1).sample(examples, len(examples))
    one, other = split(examples, seed=5)[1], split(shuffled, seed=5)[1]
    assert {e.row for e in one} == {e.row for e in other}
    assert {e.row for e in one} != {e.row for e in split(examples, seed=6)[1]}


SCRIPT = """
from metier.datasets.splitting import folds, sample_per_class, split
from metier.messages import Example
examples = [Example(f"text {n}", f"label {n % 3}", f"g{n % 20}", row=n) for n in range(120)]
print([e.row for e in split(examples, seed=4)[1]])
print(folds([e.label for e in examples], [e.group for e in examples], 5, 4).tolist())
print([e.row for e in sample_per_class(examples, 7, seed=4)])
"""


def test_hash_randomisation_changes_nothing():
    found = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_rows_that_hang_together_cannot_be_split():
    with pytest.raises(InputError) as error:
        split([Example(f"text {n}", "ab"[n % 2], "all") for n in range(20)])
    assert error.value.code == "cannot_split"


LABELLED = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 6))),
    min_size=2,
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(LABELLED, st.floats(0.05, 0.8), st.integers(0, 3))
def test_laws_of_a_split(found, share, seed):
    examples = [
        Example(f"text {text}", label, None if group is None else str(group), row=row)
        for row, (text, label, group) in enumerate(found)
    ]
    try:
        train, evaluation = split(examples, eval_share=share, seed=seed)
    except InputError:
        # A split that is refused breaks no law.
        return
    assert sorted(e.row for e in train + evaluation) == list(range(len(examples)))
    assert {e.label for e in train} == {e.label for e in examples}
    assert not {e.text for e in train} & {e.text for e in evaluation}
    assert not {e.group for e in train if e.group} & {e.group for e in evaluation if e.group}


@settings(max_examples=200, deadline=None)
@given(LABELLED, st.integers(2, 6), st.integers(0, 3))
def test_laws_of_folds(found, k, seed):
    labels = [label for _, label, _ in found]
    groups = [group for _, _, group in found]
    assigned = folds(labels, groups, k, seed)
    assert assigned.dtype == np.int64
    assert set(assigned.tolist()) <= set(range(k))
    for group in set(groups) - {None}:
        assert len({int(f) for f, g in zip(assigned, groups, strict=True) if g == group}) == 1


def test_folds_are_stratified_and_of_one_size():
    labels = [f"label {n % 7}" for n in range(703)]
    assigned = folds(labels, None, 5, 1)
    sizes = np.bincount(assigned, minlength=5)
    assert sizes.max() - sizes.min() <= 1
    for label in set(labels):
        counts = np.bincount(assigned[np.array(labels) == label], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_every_label_with_two_independent_rows_is_in_train_of_every_fold():
    labels = ["a", "a", "b", "b", "b", "c", "c"]
    assigned = folds(labels, None, 5, 0)
    for fold_number in range(5):
        assert {label for label, f in zip(labels, assigned, strict=True) if f != fold_number} == {
            "a",
            "b",
            "c",
        }


def test_independent_groups_join_texts_and_groups():
    texts = ["Hello!", "other", "hello", "third", "fourth", "!!"]
    found = independent_groups(texts, [None, "x", "x", "y", None, None])
    assert found[0] == found[1] == found[2]
    assert len(set(found.tolist())) == 4


def test_samples_are_nested_and_take_copies_last():
    examples = rows(100) + [Example("text number 0", "label 0", row=101 + n) for n in range(50)]
    small, large = sample_per_class(examples, 5, seed=2), sample_per_class(examples, 25, seed=2)
    assert {e.row for e in small} <= {e.row for e in large}
    assert Counter(e.label for e in large) == {f"label {n}": 25 for n in range(4)}
    assert len({e.text for e in large}) == 100
    assert len(sample_per_class(examples, 1_000)) == 150


def given_split(**counts: int) -> tuple[list[Example], list[str]]:
    splits = [name for name, count in counts.items() for _ in range(count)]
    return rows(len(splits)), splits


def test_a_given_test_split_is_never_touched():
    examples, splits = given_split(train=80, valid=12, test=20)
    division = divide(examples, splits, SplitPart(per_class=5))
    assert division.given
    assert [e.row for e in division.evaluation] == list(range(93, 113))
    assert Counter(e.label for e in division.train) == {f"label {n}": 5 for n in range(4)}
    assert any("12 rows of the split valid" in note for note in division.notes)


def test_valid_rows_serve_where_there_is_no_test():
    examples, splits = given_split(train=80, valid=20)
    division = divide(examples, splits, SplitPart())
    assert (len(division.evaluation), division.given) == (20, True)


def test_training_rows_alone_are_split():
    examples, splits = given_split(train=80)
    division = divide(examples, splits, SplitPart())
    assert (len(division.evaluation), division.given) == (16, False)


def test_rows_without_a_split_are_split():
    division = divide(rows(100), None, SplitPart(eval_share=0.3))
    assert (len(division.evaluation), division.given) == (30, False)


def test_no_training_rows():
    examples, splits = given_split(test=20)
    with pytest.raises(InputError) as error:
        divide(examples, splits, SplitPart())
    assert error.value.code == "no_train_rows"


def test_one_training_row_of_a_label():
    examples = [*rows(40), Example("lonely", "rare", row=41), Example("tested", "rare", row=42)]
    with pytest.raises(InputError) as error:
        divide(examples, ["train"] * 41 + ["test"], SplitPart())
    assert error.value.code == "one_example"
    assert "'rare' (row 41)" in error.value.message


def test_eval_labels_that_train_does_not_have():
    examples = [*rows(40), Example("strange", "unseen", row=41), Example("odd", "unseen", row=42)]
    splits = ["train"] * 40 + ["test"] * 2
    with pytest.raises(InputError) as error:
        divide(examples, splits, SplitPart())
    assert error.value.code == "unseen_labels"
    assert "row 41" in error.value.message
    assert len(divide(examples, splits, SplitPart(), out_of_scope_label="unseen").evaluation) == 2


def test_groups_that_a_given_split_divides_are_mentioned():
    examples = rows(100, groups=10)
    division = divide(examples, ["train"] * 80 + ["test"] * 20, SplitPart())
    assert any("10 groups" in note for note in division.notes)
