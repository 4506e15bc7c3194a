from __future__ import annotations

import pytest

from metier.generating import Message, Question
from metier.router.facts import (
    PICTURE_TOKENS,
    TURN_TOKENS,
    request_of,
    request_of_text,
    tokens_from_above,
    tokens_of_tools,
)

TOOL = {"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}


def test_facts_are_read_off_a_conversation() -> None:
    question = Question(
        messages=(
            Message("system", "You help."),
            Message("user", "What is in this picture and why?", pictures=(b"png", b"png")),
            Message("assistant", "A cat."),
            Message("user", "```js\nlet x\n```"),
        ),
        tools=(TOOL,),
    )
    request = request_of(question, last="cat-teller", most_cost="4 GB", domain="cats")
    assert request.text == "```js\nlet x\n```"
    assert request.pictures == 2
    assert (request.code, request.tools, request.in_tool_loop) == (True, True, False)
    assert request.last == "cat-teller"
    assert (request.most_cost, request.domain, request.wanted) == ("4 GB", "cats", "chat")
    assert request.tokens > 2 * PICTURE_TOKENS + tokens_of_tools((TOOL,))
    assert 3 * TURN_TOKENS < request.cached_tokens < 60


def test_who_answered_counts_only_where_somebody_did() -> None:
    question = Question(messages=(Message("user", "hi"),))
    assert request_of(question, last="anna").last == ""
    assert request_of(question, last="anna", cached_tokens=90).cached_tokens == 0


def test_tools_that_may_not_be_called_are_not_offered() -> None:
    question = Question(messages=(Message("user", "hi"),), tools=(TOOL,), tool_choice="none")
    assert not request_of(question).tools


def test_a_prompt_is_one_text() -> None:
    request = request_of(Question(prompt="Once upon a time in the west"))
    assert request == request_of_text("Once upon a time in the west")
    assert (request.language, request.conversation) == ("en", "")
    assert request_of(Question()).text == ""
    assert request_of_text("what is it", pictures=3).pictures == 3


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("hello", 1, 3),
        ("The quick brown fox jumps over the lazy dog.", 10, 20),
        ("1234567890", 10, 10),
        ("{}[]();", 7, 7),
        ("你好吗", 4, 6),
        ("👍👍", 8, 8),
        ("Donaudampfschifffahrtsgesellschaft", 10, 14),
    ],
)
def test_tokens_are_estimated_from_above(text: str, least: int, most: int) -> None:
    assert least <= tokens_from_above(text) <= most


def test_more_text_never_has_fewer_tokens() -> None:
    text = "Some words, 12 numbers; ünd mehr 你好 👍 \ud83d end"
    counts = [tokens_from_above(text[:end]) for end in range(len(text) + 1)]
    assert counts == sorted(counts)


def test_ten_megabytes_are_counted() -> None:
    assert tokens_from_above("word " * 2_000_000) == 4_000_000
    request = request_of_text("\u202e" * 1_000_000)
    assert (request.tokens, request.language) == (3_000_000 + TURN_TOKENS, "")
