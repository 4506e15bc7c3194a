"""The values that cards are made of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from metier.card import Cost, Interval, Row, Score, Verdict


def test_values_are_frozen_and_refuse_what_they_do_not_know() -> None:
    score = Score(metric="accuracy", value=0.5, n=2, clusters=2)
    with pytest.raises(ValidationError):
        score.value = 1.0
    with pytest.raises(ValidationError):
        Cost.model_validate({"colour": "red"})


def test_an_interval_is_of_95_per_cent_unless_it_says_otherwise() -> None:
    assert Interval(low=0.1, high=0.2).level == 0.95


def test_a_row_without_a_score_may_say_why_and_how_to_get_one() -> None:
    row = Row(role="general", name="general", note="no service", command="metier eval x")
    assert row.score is None


def test_verdicts_are_written_as_people_read_them() -> None:
    assert [verdict.value for verdict in Verdict] == [
        "WIN",
        "LOSS",
        "TIE",
        "NOT WORSE",
        "UNDERPOWERED",
    ]
