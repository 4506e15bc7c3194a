"""A conversation as a value."""

from __future__ import annotations

from typing import get_args

import pytest

from metier.cli.dialogue import COMMANDS, SHOWN, Dialogue, Shown, obey
from metier.errors import InputError
from metier.generating import Constraint, Message, Written

START = Dialogue("tiny")


def test_turns_are_remembered_until_told_otherwise():
    question = START.question("hello")
    after = START.after(question, Written("hi", thinking="hm"))
    assert [message.role for message in after.question("again").messages] == [
        "user",
        "assistant",
        "user",
    ]
    alone = obey(after, "/set nohistory").dialogue
    assert alone.question("again").messages == (Message("user", "again"),)
    assert alone.after(question, Written("hi")) == alone
    assert obey(after, "/clear").dialogue.messages == ()


def test_what_is_set_goes_into_the_question():
    dialogue = START
    for line in (
        "/set system You are brief.",
        "/set parameter temperature 0.2",
        "/set parameter stop 'the end' STOP",
        "/set parameter num_ctx 8192",
        "/set format json",
        "/set think high",
    ):
        dialogue = obey(dialogue, line).dialogue
    question = dialogue.question("hello", (b"png",))
    assert question.messages[0] == Message("system", "You are brief.")
    assert question.messages[-1].pictures == (b"png",)
    assert question.constraint == Constraint("json")
    assert question.think == "high"
    assert dialogue.loading.num_ctx == 8192
    assert dialogue.parameters == {
        "temperature": 0.2,
        "stop": ["the end", "STOP"],
        "num_ctx": 8192,
    }
    assert obey(dialogue, "/set noformat").dialogue.constraint is None
    assert obey(dialogue, "/set nothink").dialogue.think is False
    assert obey(dialogue, '/set system ""').dialogue.system is None


@pytest.mark.parametrize(
    ("line", "act", "what"),
    [
        ("/bye", "bye", ""),
        ("/exit", "bye", ""),
        ("/?", "help", ""),
        ("/show template", "show", "template"),
        ("/load other:2", "load", "other:2"),
        ("/save mine", "save", "mine"),
    ],
)
def test_what_is_left_to_do(line: str, act: str, what: str):
    did = obey(START, line)
    assert (did.act, did.what, did.dialogue) == (act, what, START)


@pytest.mark.parametrize(
    "line",
    [
        "/sing",
        "/set",
        "/set parameter",
        "/set parameter warmth 3",
        "/set parameter top_k many",
        "/set parameter temperature warm",
        "/set parameter temperature 1 2",
        "/set parameter stop 'open",
        "/set think deeply",
        "/set format xml",
        "/show me",
        "/load",
        "/save two names",
    ],
)
def test_wrong_words_say_how_it_is_written(line: str):
    with pytest.raises(InputError) as caught:
        obey(START, line)
    assert caught.value.code == "bad_usage"
    assert caught.value.remedy


def test_the_list_of_commands_names_what_can_be_shown():
    assert get_args(Shown) == SHOWN
    assert COMMANDS["/show WHAT"] == ", ".join(SHOWN)
