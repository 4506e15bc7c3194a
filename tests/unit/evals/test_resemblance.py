"""Near-duplicates are found as comparing all with all would find them."""

import random

import numpy as np
import pytest

from metier.evals import resemblance
from metier.evals.resemblance import LONGEST, sets_of, similar_pairs

WORDS = ("card", "transfer", "my", "the", "a", "pay", "lost", "money", "bank", "account", "fee")


def texts(count: int, seed: int, longest: int = 12) -> list[str]:
    chance = random.Random(seed)
    made = [
        " ".join(chance.choices(WORDS, k=chance.randrange(1, longest))) for _ in range(count // 2)
    ]
    # Half of them are changed copies, so that there are pairs to find.
    return made + [text[:-1] + chance.choice("abc") for text in made]


def all_pairs(queries, known, threshold, query_classes, classes) -> dict[tuple[int, int], float]:
    found = {}
    for left in range(queries.shape[0]):
        mine = set(queries[left].indices.tolist())
        for right in range(known.shape[0]):
            other = set(known[right].indices.tolist())
            value = len(mine & other) / max(1, len(mine | other))
            if value >= threshold and query_classes[left] == classes[right]:
                found[left, right] = value
    return found


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.75, 0.9, 1.0])
def test_no_pair_is_missed_and_none_is_made_up(threshold):
    queries, known = sets_of(texts(60, 1)), sets_of([*texts(40, 2), *texts(40, 1)])
    query_classes = np.arange(60) % 2
    classes = np.arange(80) % 2
    found = {}
    searched = []
    for pairs in similar_pairs(
        queries, known, threshold, query_classes=query_classes, text_classes=classes
    ):
        searched.extend(pairs.searched.tolist())
        for left, right, value in zip(pairs.left, pairs.right, pairs.similarity, strict=True):
            found[int(left), int(right)] = float(value)
    assert sorted(searched) == list(range(60))
    wanted = all_pairs(queries, known, threshold, query_classes, classes)
    assert found.keys() == wanted.keys()
    assert found == pytest.approx(wanted, abs=1e-6)
    assert found


def test_blocks_change_nothing(monkeypatch):
    queries, known = sets_of(texts(60, 1)), sets_of(texts(80, 2))
    ones = {"query_classes": np.zeros(60, np.int64), "text_classes": np.zeros(80, np.int64)}

    def found() -> set[tuple[int, int]]:
        return {
            (int(left), int(right))
            for pairs in similar_pairs(queries, known, 0.6, **ones)
            for left, right in zip(pairs.left, pairs.right, strict=True)
        }

    whole = found()
    monkeypatch.setattr(resemblance, "_BLOCK", 100)
    assert found() == whole


def test_work_is_bounded_and_what_was_searched_is_spread_evenly(monkeypatch):
    monkeypatch.setattr(resemblance, "_BLOCK", 2_000)
    queries, known = sets_of(texts(1_000, 1)), sets_of(texts(100, 2))
    searched = np.concatenate(
        [
            pairs.searched
            for pairs in similar_pairs(
                queries,
                known,
                0.7,
                query_classes=np.zeros(1_000, np.int64),
                text_classes=np.zeros(100, np.int64),
                most_work=200_000,
            )
        ]
    )
    assert 10 < searched.size < 500
    assert 0.35 < (searched < 500).mean() < 0.65


def test_long_and_empty_texts_resemble_nothing():
    sets = sets_of(["", "x" * (LONGEST + 1), "x " * (LONGEST // 2), "fine"])
    assert np.diff(sets.indptr).tolist()[:2] == [0, 0]
    assert all(np.diff(sets.indptr)[2:] > 0)


def test_chunks_change_nothing(monkeypatch):
    made = texts(50, 3)
    whole = sets_of(made)
    monkeypatch.setattr(resemblance, "_CHUNK_CHARACTERS", 40)
    assert (sets_of(made) != whole).nnz == 0


def test_a_sample_of_the_elements_keeps_the_similarity():
    chance = random.Random(0)
    one = " ".join(f"word{number}" for number in range(70))
    other = " ".join(chance.choice((f"word{number}", f"next{number}")) for number in range(70))

    def similarity(most: int) -> float:
        sets = sets_of([one, other], most=most)
        both = sets[0].multiply(sets[1]).nnz
        return both / (sets[0].nnz + sets[1].nnz - both)

    assert similarity(10**9) == pytest.approx(similarity(1_000), abs=0.12)
    assert sets_of([one, other], most=1_000).nnz < 0.7 * sets_of([one, other]).nnz


def test_the_order_of_words_changes_nothing():
    sets = sets_of(["where is my card", "my card is where"])
    assert (sets[0] != sets[1]).nnz == 0
