"""Plans, and what a caller puts in their place."""

from __future__ import annotations

import pytest

from metier.answer import Plan, overlaid
from metier.conversing import Sampling
from metier.errors import InputError


@pytest.mark.parametrize(
    "fields",
    [{"candidates": 0}, {"candidates": 101}, {"repairs": -1}, {"repairs": 11}, {"top": -1}],
)
def test_a_plan_has_bounds(fields) -> None:
    with pytest.raises(InputError) as caught:
        Plan(**fields)
    assert caught.value.code == "bad_plan"
    assert next(iter(fields)) in caught.value.message


def test_a_callers_sampling_overlays_the_plans() -> None:
    plan = Sampling(0.2, 0.9, 100, 1, ("A",), {"tools": [], "top_k": 5})
    assert overlaid(plan, None) == plan
    assert overlaid(plan, Sampling()) == plan
    given = Sampling(temperature=0.0, stop=("B",), extra={"top_k": 1})
    assert overlaid(plan, given) == Sampling(0.0, 0.9, 100, 1, ("B",), {"tools": [], "top_k": 1})
