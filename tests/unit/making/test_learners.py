"""Single rungs: what each looks at, and that its parts answer as its head did."""

from __future__ import annotations

import numpy as np
import pytest

from known_vectors import KnownVectors, telling
from metier.engines.parts import Member, unpack
from metier.making.learners import NOMINAL, hashed, majority, vectors
from metier.making.material import HashedWords, RememberingEncoder

TEXTS = ["lost card", "my card", "late parcel", "my parcel", "the parcel"]
CLASSES = np.array([0, 0, 1, 1, 1], np.int64)


def over_base(name: str = "encoder", size_bytes: int = 91_000_000):
    encoder = RememberingEncoder(
        KnownVectors("known", telling, size_bytes), lambda done, number: None
    )
    member = Member(kind="encoder", file="head.safetensors", precision="fp32", encoder="known")
    return vectors(name, "title", encoder, member, 2)


def test_the_majority_answers_with_the_shares_of_the_labels() -> None:
    learner = majority(3)
    head = learner.fit(learner.view(TEXTS), CLASSES, 3, 0)
    logits = head.logits(learner.view(["anything", ""]))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert logits.argmax(axis=1).tolist() == [1, 1]
    assert shares[0] == pytest.approx([2.5 / 6.5, 3.5 / 6.5, 0.5 / 6.5], abs=1e-6)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("kind", ["majority", "hashed", "vectors"])
def test_the_packed_head_answers_as_the_fitted_one(kind) -> None:
    words = HashedWords(TEXTS, 2)
    learner = {"majority": majority(2), "hashed": hashed(words, 2), "vectors": over_base()}[kind]
    texts = [f"c{row} x" for row in CLASSES.tolist()] if kind == "vectors" else TEXTS
    rows = learner.view(texts)
    head = learner.fit(rows, CLASSES, 2, 0)
    parts = {learner.member.file: learner.pack(head)}
    dimension = {"majority": None, "hashed": None, "vectors": 3}[kind]
    again, idf = unpack(learner.member, 2, parts.__getitem__, dimension)
    if idf is not None:
        np.testing.assert_array_equal(idf, words.idf)
    np.testing.assert_allclose(again.logits(rows), head.logits(rows), atol=2e-2)
    assert learner.own_bytes == pytest.approx(len(parts[learner.member.file]), abs=600)
    assert learner.milliseconds(texts) >= 0


def test_a_larger_base_counts_as_slower_in_proportion() -> None:
    assert over_base().nominal_ms == pytest.approx(NOMINAL["encoder"])
    assert over_base(size_bytes=182_000_000).nominal_ms == pytest.approx(2 * NOMINAL["encoder"])
    assert over_base("static", 5).nominal_ms == NOMINAL["static"]


def test_rungs_rise_in_cost() -> None:
    costs = [majority(2).nominal_ms, *(NOMINAL[name] for name in ("linear", "encoder"))]
    assert costs == sorted(costs)
    assert NOMINAL["encoder-int8"] < NOMINAL["encoder"]
