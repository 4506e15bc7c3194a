"""What comes back from a model."""

from __future__ import annotations

from metier.generating import Written


def test_an_answer_without_more_is_a_whole_one():
    answer = Written("yes")
    assert (answer.finish, answer.truncated, answer.tool_calls) == ("stop", False, ())
