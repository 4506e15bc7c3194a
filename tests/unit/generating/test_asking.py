"""What is asked of a model."""

from __future__ import annotations

from metier.generating import Options, Question


def test_a_callers_options_stand_over_the_models():
    model = Options(temperature=0.2, top_k=5, stop=("x",))
    asked = Options(temperature=0.0, seed=7)
    merged = asked.over(model)
    assert merged == Options(temperature=0.0, top_k=5, stop=("x",), seed=7)


def test_what_nobody_says_stays_unsaid():
    assert Options().over(Options()) == Options()
    assert Question(prompt="a").options.temperature is None
