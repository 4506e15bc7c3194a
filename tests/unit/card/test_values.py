from __future__ import annotations

import pytest
from pydantic import ValidationError

from metier.card import Cost, Difference, Interval, Verdict


def test_verdicts_are_the_words_of_the_design() -> None:
    assert [str(verdict) for verdict in Verdict] == [
        "WIN",
        "LOSS",
        "TIE",
        "NOT WORSE",
        "UNDERPOWERED",
    ]


def test_values_are_frozen_and_refuse_what_they_do_not_know() -> None:
    cost = Cost(ms_per_text=1.0)
    with pytest.raises(ValidationError):
        cost.ms_per_text = 2.0  # type: ignore[misc]
    with pytest.raises(ValidationError, match="stars"):
        Cost.model_validate({"stars": 5})


def test_a_difference_carries_its_interval() -> None:
    found = Difference(
        verdict=Verdict.WIN, difference=0.1, interval=Interval(low=0.05, high=0.15), n=10,
        clusters=10, discordant=3, method="paired",
    )  # fmt: skip
    assert found.interval.level == 0.95
    assert found.margin == 0.01
