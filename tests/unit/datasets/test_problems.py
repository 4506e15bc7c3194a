"""Problems are gathered: the first twenty with their rows, all of them counted."""

import json

import pytest

from metier.datasets.problems import SHOWN, Problem, Problems, excerpt
from metier.errors import InputError


def problem(row: int) -> Problem:
    return Problem("empty_text", row, f"line {row}", "the text is empty", "Write a text.")


def test_none_raises_nothing():
    Problems("data.csv").raise_if_any()


def test_the_first_is_told_and_the_rest_counted():
    problems = Problems("data.csv")
    for row in range(1, 1_002):
        problems.add(problem(row))
    with pytest.raises(InputError) as error:
        problems.raise_if_any()
    assert error.value.message == ("data.csv, line 1: the text is empty (and 1,000 more problems).")
    assert (error.value.code, error.value.remedy) == ("empty_text", "Write a text.")
    assert len(error.value.details["problems"]) == SHOWN
    assert json.loads(json.dumps(error.value.details))["count"] == 1_001


def test_excerpts_stand_on_one_line():
    assert excerpt("a\n b\t c") == "a b c"
    assert len(excerpt("word " * 100)) <= 60
