"""Which parser an answer gets."""

from __future__ import annotations

from metier.engines.prompting.parsing import Parser
from metier.engines.prompting.template import compile_template
from metier.generating import Piece, ToolCall

TOOLS = ({"type": "function", "function": {"name": "f", "parameters": {}}},)
HERMES = compile_template("{{ messages[0].content }}<tool_call><think>", "jinja")
CALL = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'


def heard(parser: Parser, text: str) -> list[Piece]:
    return [*parser.feed(""), *parser.feed(text), *parser.finish()]


def test_a_raw_answer_is_text() -> None:
    assert heard(Parser(None, TOOLS), "<think>a") == [Piece(text="<think>a")]


def test_a_constrained_answer_is_text() -> None:
    assert heard(Parser(HERMES, TOOLS, literal=True), CALL) == [Piece(text=CALL)]


def test_a_forced_answer_is_a_call() -> None:
    forced = Parser(HERMES, TOOLS, forced=True)
    text = '{"name": "f", "arguments": {"a": 1}}'
    assert forced.feed(text[:9]) == []
    assert forced.feed(text[9:]) == []
    assert forced.finish() == [Piece(tool_calls=(ToolCall("f", {"a": 1}),))]


def test_a_forced_answer_that_was_cut_off_is_text() -> None:
    assert heard(Parser(None, TOOLS, forced=True), '{"name": "f", ') == [
        Piece(text='{"name": "f", ')
    ]
    assert heard(Parser(None, TOOLS, forced=True), '{"a": 1} b') == [Piece(text='{"a": 1} b')]


def test_the_prompt_may_open_the_thoughts() -> None:
    parser = Parser(HERMES, TOOLS, prompt="… assistant\n<think>\n")
    assert heard(parser, "a</think>b") == [Piece(thinking="a"), Piece(text="b")]
    closed = Parser(HERMES, TOOLS, prompt="… <think>\n\n</think>\n\n")
    assert heard(closed, "b") == [Piece(text="b")]


def test_channels() -> None:
    template = compile_template("{{ '<|channel|>' }}<|message|>", "jinja")
    parser = Parser(template, TOOLS, prompt="<|start|>assistant")
    assert heard(parser, "<|channel|>analysis<|message|>a<|end|>") == [Piece(thinking="a")]


def test_calls() -> None:
    assert heard(Parser(HERMES, TOOLS), CALL) == [Piece(tool_calls=(ToolCall("f", {}),))]
    assert heard(Parser(HERMES), CALL) == [Piece(text=CALL)]
