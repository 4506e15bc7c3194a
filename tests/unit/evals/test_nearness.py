"""Near-duplicates are judged by how alike the training rows are among themselves."""

import random

import pytest

from metier.evals.nearness import Level, measure
from metier.features import fold
from metier.messages import Example

CHANCE = random.Random(7)
NAMES = ["".join(CHANCE.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(4_000)]


def distinct(count: int, start: int = 0) -> list[Example]:
    """Texts of random words: none is like another."""
    chance = random.Random(start)
    return [
        Example(" ".join(chance.choices(NAMES, k=7)), f"label {row % 3}", row=row)
        for row in range(count)
    ]


def alike(count: int, seed: int) -> list[Example]:
    """Texts from one template: most are nearly the same as some other."""
    chance = random.Random(seed)
    filled = (chance.choices(NAMES[:30], k=2) for _ in range(count))
    return [
        Example(f"hello there dear all, {one} is not {other} since yesterday evening", "a", row=row)
        for row, (one, other) in enumerate(filled)
    ]


def found(train: list[Example], evaluation: list[Example]):
    return measure(
        train, evaluation, [fold(e.text) for e in train], [fold(e.text) for e in evaluation]
    )


def reworded(example: Example) -> Example:
    return Example(f"please {example.text} now", example.label, row=example.row)


def test_texts_of_one_template_are_alike_by_nature():
    nearness = found(alike(600, 1), alike(200, 2))
    assert nearness.levels[0].share > 0.5
    assert nearness.levels[0].among_train == pytest.approx(nearness.levels[0].share, abs=0.15)
    assert nearness.counted_from > 1


def test_a_few_reworded_items_among_distinct_texts_are_leaks():
    train, evaluation = distinct(600), distinct(200, start=1)
    assert not found(train, evaluation).matches
    nearness = found([*train, *map(reworded, evaluation[:10])], evaluation)
    assert set(nearness.matches) == set(range(10))
    assert set(nearness.sources) == set(range(600, 610))
    assert nearness.counted_from <= 0.9


def test_reworded_items_of_another_label_are_none():
    train, evaluation = distinct(600), distinct(200, start=1)
    other = [Example(reworded(e).text, "label 9") for e in evaluation[:10]]
    assert not found([*train, *other], evaluation).matches


def test_copies_are_no_near_duplicates():
    train = distinct(100)
    nearness = found([*train, *train], train)
    assert not nearness.matches
    assert nearness.levels[0].among_train == 0


def test_all_copies_of_a_near_duplicate_are_its_sources():
    train, evaluation = distinct(100), distinct(50, start=1)
    twice = [reworded(evaluation[0])] * 3
    assert set(found([*train, *twice], evaluation).sources) == {100, 101, 102}


def test_the_best_match_is_the_most_similar_row():
    text = "one two three four five six seven eight"
    train = [
        Example("one two three four five six seven nine", "a"),
        Example("one two three four five six seven eight eight x", "a"),
        Example("one two three four five six ten eleven", "a"),
    ]
    assert found(train, [Example(text, "a")]).matches[0].train == 1


def test_nothing_to_compare():
    assert not found([], distinct(3)).matches
    assert found(distinct(3), []).counted_from > 1


@pytest.mark.parametrize(
    ("share", "among", "items", "natural"),
    [
        (0.0, 0.0, 10, True),
        (0.02, 0.0, 50, True),
        (0.02, 0.0, 5_000, False),
        (0.013, 0.0, 1_000, True),
        (0.29, 0.26, 3_080, True),
        (0.41, 0.26, 3_080, True),
        (0.45, 0.26, 3_080, False),
    ],
)
def test_limits(share, among, items, natural):
    level = Level(0.7, share, among, items, rows=5_000)
    assert level.natural is natural
    assert 0 <= level.limit <= 1


def test_few_training_rows_tell_little():
    assert Level(0.7, 0.05, 0.0, 100, rows=20).natural
    assert not Level(0.7, 0.05, 0.0, 100, rows=5_000).natural
