"""What a service does not take: learnt from what it says, and never more than that."""

from __future__ import annotations

import pytest

from metier.engines.adapting import Manners

REQUEST = {
    "model": "m",
    "messages": [],
    "stream": True,
    "stream_options": {},
    "seed": 1,
    "temperature": 0.2,
    "max_tokens": 9,
    "tools": [],
}


def left_out(message: str, parameter: str | None = None) -> set[str]:
    manners = Manners()
    assert manners.learn(REQUEST, message, parameter)
    return set(REQUEST) - set(manners.fitted(REQUEST))


def test_a_field_that_is_named_is_left_out() -> None:
    assert left_out("seed is not supported") == {"seed"}
    assert left_out("Invalid", "seed") == {"seed"}
    assert left_out("Unknown field", "stream_options.include_usage") == {"stream_options"}


def test_max_tokens_has_another_name() -> None:
    manners = Manners()
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    assert manners.learn(REQUEST, message, "max_tokens")
    sent = manners.fitted(REQUEST)
    assert "max_tokens" not in sent
    assert sent["max_completion_tokens"] == 9
    assert manners.learn(sent, "Unknown parameter: max_completion_tokens", None)
    assert not {"max_tokens", "max_completion_tokens"} & set(manners.fitted(REQUEST))
    assert manners.refused == ("max_completion_tokens", "max_tokens")


def test_a_refusal_without_a_name_takes_out_what_matters_least() -> None:
    assert left_out("Bad request") == {"stream_options", "seed"}


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ("the context length is 4096 tokens, max_tokens is 9", None),
        ("Input too long", None),
        ("temperature must be at most 2", None),
        ("temperature must be at most 2", "temperature"),
        ("Invalid 'tools[0]'", "tools"),
        ("no such role", "messages"),
        ("no such model", "model"),
    ],
)
def test_what_is_wrong_with_the_request_itself_teaches_nothing(message, parameter) -> None:
    manners = Manners()
    assert not manners.learn(REQUEST, message, parameter) or "tools" in message
    assert "temperature" in manners.fitted(REQUEST)
    assert "max_tokens" in manners.fitted(REQUEST)


def test_it_comes_to_an_end() -> None:
    manners = Manners()
    rounds = 0
    while manners.learn(manners.fitted(REQUEST), "Bad request", None):
        rounds += 1
    assert rounds == 1
