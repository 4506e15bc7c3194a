"""The shapes of local generation."""

from __future__ import annotations

from metier.generating import Options, Question, Written


def test_a_callers_options_stand_over_the_models():
    model = Options(temperature=0.2, top_k=5, stop=("x",))
    asked = Options(temperature=0.0, seed=7)
    merged = asked.over(model)
    assert merged == Options(temperature=0.0, top_k=5, stop=("x",), seed=7)


def test_what_nobody_says_stays_unsaid():
    assert Options().over(Options()) == Options()
    assert Question(prompt="a").options.temperature is None


def test_an_answer_without_more_is_a_whole_one():
    answer = Written("yes")
    assert (answer.finish, answer.truncated, answer.tool_calls) == ("stop", False, ())
