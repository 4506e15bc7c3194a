"""When a free answer is right: the same number, or the same words."""

from __future__ import annotations

import pytest

from metier.evals.items import EvalItem
from metier.evals.matching import ANSWER, matches
from metier.evals.scoring import scorer_from_name
from metier.messages import Answer


@pytest.mark.parametrize(
    ("right", "written"),
    [
        ("42", "42"),
        ("42", "17 + 25 = 42"),
        ("42", "First 17, then 25.\nSo it is 42."),
        ("1,200", "1200.0"),
        ("$3.50", "It costs 3.5 dollars"),
        ("-7", "The result is \N{MINUS SIGN}7"),
        ("12 %", "12%"),
        ("Paris", "paris."),
        ("Paris", "I think of France.\nThe answer is Paris"),
        ("the moon", "Moon"),
        ("New York", "Answer: new york"),
        ("+", " + "),
    ],
)
def test_right(right: str, written: str) -> None:
    assert matches(right, written)


@pytest.mark.parametrize(
    ("right", "written"),
    [
        ("42", "It is 42, or perhaps 43"),
        ("42", "forty-two"),
        ("42", ""),
        ("420", "42"),
        ("Paris", "Paris or London"),
        ("Paris", "London.\nNot Paris, I mean"),
        ("+", "-"),
        ("1" * 50, "1" * 49),
    ],
)
def test_wrong(right: str, written: str) -> None:
    assert not matches(right, written)


def test_a_huge_number_is_compared_as_words() -> None:
    assert matches("9" * 60, "9" * 60)


def test_no_answer_is_wrong_and_no_way_to_answer_is_unscored() -> None:
    item = EvalItem("1", "One?", "1", "1")
    assert ANSWER.score(item, Answer("1")) == 1.0
    assert ANSWER.score(item, Answer(None)) == 0.0
    assert ANSWER.score(item, Answer(None, error="gone")) == "unscored"


def test_the_name_says_every_setting_and_finds_the_scorer() -> None:
    assert ANSWER.name == 'answer{"number":"last","words":"folded, whole or last line"}'
    assert scorer_from_name(ANSWER.name) is ANSWER
