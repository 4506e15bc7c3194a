"""Runs of 13 words that an eval shares with train, found as sets of tuples would find them."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from metier.evals import wordruns
from metier.evals.wordruns import LENGTH, shared_runs


def tuples(text: str) -> list[tuple[str, ...]]:
    words = text.split()
    return [tuple(words[at : at + LENGTH]) for at in range(len(words) - LENGTH + 1)]


def words(count: int, start: int = 0) -> str:
    return " ".join(f"w{number}" for number in range(start, start + count))


def test_thirteen_words_are_a_run_and_twelve_are_none():
    train = [words(40)]
    assert set(shared_runs(train, [words(13, 5)]).items) == {0}
    assert not shared_runs(train, [words(12, 5) + " other"]).items


def test_a_run_does_not_cross_from_one_text_into_the_next():
    assert not shared_runs([words(30)], [words(7), words(6, 7)]).items
    assert not shared_runs([words(7), words(6, 7)], [words(13)]).items


def test_the_first_training_row_and_the_share_of_the_runs():
    train = ["nothing here", words(20), words(20)]
    found = shared_runs(train, [words(20) + " " + words(8, 100)])
    # 28 words have 16 runs, 8 of them inside the first 20 words.
    assert found.items == {0: (1, 0.5)}
    assert found.sources == {1, 2}


def test_nothing_to_compare():
    assert not shared_runs([], ["a"]).items
    assert not shared_runs(["a"], []).items


TEXT = st.lists(st.sampled_from(["a", "b"]), max_size=40).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=6))
def test_as_sets_of_tuples(train, evaluation):
    known = {run for text in train for run in tuples(text)}
    found = shared_runs(train, evaluation)
    assert set(found.items) == {
        at for at, text in enumerate(evaluation) if known & set(tuples(text))
    }
    wanted = {run for text in evaluation for run in tuples(text)}
    assert found.sources == {at for at, text in enumerate(train) if wanted & set(tuples(text))}


def test_chunks_change_nothing(monkeypatch):
    chance = random.Random(0)
    texts = [" ".join(chance.choices("ab", k=chance.randrange(60))) for _ in range(80)]
    whole = shared_runs(texts[:40], texts[40:])
    monkeypatch.setattr(wordruns, "_CHUNK_WORDS", 50)
    assert shared_runs(texts[:40], texts[40:]) == whole
    assert whole.items
