"""Thinning: a budget that cannot carry all rows carries a fair part of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import made_up
from metier.card import DataSummary, LeakReport
from metier.evals.items import seal
from metier.making.clock import Clock
from metier.making.rows import Rows
from metier.making.thinning import LEAST_PER_LABEL, stratified, within_budget
from metier.messages import Example, Progress
from metier.recipe import DataPart, Recipe, SpecialistPart


def many(number: int) -> Rows:
    content = made_up.rows(number // 4, noise=0.0)
    labels = tuple(sorted(made_up.SAID))
    examples = tuple(Example(row["text"], row["label"]) for row in content)
    return Rows(
        texts=tuple(item.text for item in examples),
        classes=np.array([labels.index(item.label) for item in examples], np.int64),
        clusters=np.arange(len(examples)),
        examples=examples,
        labels=labels,
        outside=(),
        sealed=seal(examples[:10]),
        leaked=frozenset(),
        leaks=LeakReport(
            eval_items=10,
            leaked=0,
            share=0.0,
            by_kind={},
            duplicate_train_rows=0,
            conflicting_labels=0,
            blocks_win=False,
            method="none",
        ),
        summary=DataSummary(
            train_rows=len(examples),
            eval_rows=10,
            labels=4,
            smallest_class=1,
            largest_class=1,
            train_digest="",
            eval_digest="",
            source="",
        ),
        recipe=Recipe(specialist=SpecialistPart(name="x"), data=(DataPart(kind="file", path="x"),)),
        located={},
        notes=(),
    )


@pytest.fixture(scope="module")
def rows() -> Rows:
    return many(12_000)


def test_without_a_budget_every_row_stays(rows) -> None:
    assert within_budget(rows, Clock(None), 0, lambda _: None) is rows


def test_a_generous_budget_keeps_every_row(rows) -> None:
    assert within_budget(rows, Clock(10_000.0), 0, lambda _: None) is rows


def test_a_small_budget_keeps_a_part_in_step_and_says_so(rows) -> None:
    heard: list[Progress] = []
    thinned = within_budget(rows, Clock(0.05), 0, heard.append)
    assert 1_900 <= len(thinned.texts) < len(rows.texts)
    assert len(thinned.texts) == thinned.classes.size == thinned.clusters.size
    label_of = {item.text: item.label for item in rows.examples}
    assert [rows.labels[number] for number in thinned.classes] == [
        label_of[text] for text in thinned.texts
    ]
    assert "12,000 rows" in heard[-1].message
    assert heard[-1].message in thinned.notes
    assert thinned.sealed is rows.sealed


def test_few_rows_are_never_thinned(rows) -> None:
    few = replace(rows, texts=rows.texts[:100])
    assert within_budget(few, Clock(0.0001), 0, lambda _: None) is few


def test_rare_labels_keep_their_rows_and_the_rest_its_proportions() -> None:
    classes = np.array([0] * 9_000 + [1] * 900 + [2] * 12)
    kept = stratified(classes, 1_000, 0)
    counts = np.bincount(classes[kept])
    assert counts[2] == LEAST_PER_LABEL
    assert counts[0] == pytest.approx(10 * counts[1], rel=0.05)
    assert np.array_equal(kept, stratified(classes, 1_000, 0))
    assert not np.array_equal(kept, stratified(classes, 1_000, 1))
