"""The hard facts of a request: pictures, code, tools, tokens, language; no model is asked.

It knows scripts, frequent words and the look of code; it knows no domain. Each reader looks at no
more than a head and a tail of a text, except the count of tokens, which reads all of it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from metier.generating import Question
from metier.router.looks import holds_code
from metier.router.prompting import Said, hear, is_answered
from metier.router.tongues import language_of
from metier.routing import Request, Wanted

TURN_TOKENS = 8
"""What a template writes around one turn, from above."""
_NOTHING, _LETTER, _SIGN = range(3)
_EAST = range(0xE3, 0xEE)
"""First bytes of UTF-8 of Chinese, Japanese and Korean: not counted, so two of three bytes are."""
_KINDS = bytes(
    _NOTHING if byte == 0x20 or byte in _EAST
    else _LETTER if chr(byte).isalpha() and byte < 0x80
    else _SIGN
    for byte in range(256)
)  # fmt: skip
"""What each byte of UTF-8 counts as."""
PICTURE_TOKENS = 2_048
"""What one picture takes, from above: vision towers of open models give 64 to 2,048."""


def tokens_from_above(text: str) -> int:
    """Tokens of a text, estimated from above.

    A stretch of letters has one, and one more for each three letters after its first; any other
    sign has one; a sign outside ASCII has its bytes of UTF-8, of Chinese, Japanese and Korean two.
    For English that is half as much again as a vocabulary of 30,000 pieces gives, which leaves
    room for languages that are cut finer (docs/explanation/routing.md).
    """
    kinds = text.encode("utf-8", "surrogatepass").translate(_KINDS)
    signs = kinds.count(_SIGN)
    letters = np.frombuffer(b"\0" + kinds + b"\0", np.uint8) == _LETTER
    edges = np.flatnonzero(letters[1:] != letters[:-1])
    lengths = edges[1::2] - edges[0::2]
    return int(lengths.size + ((lengths - 1) // 3).sum() + signs)


def request_of(
    question: Question,
    *,
    wanted: Wanted = "chat",
    domain: str = "",
    most_cost: str = "",
    last: str = "",
    cached_tokens: int | None = None,
) -> Request:
    """What is routed, read off a question to a model.

    Args:
        question: The conversation, or the prompt to continue.
        wanted: See ``Wanted``.
        domain: The domain that the caller named, or "".
        most_cost: The dearest cost class that may answer, or "".
        last: Who answered the conversation's latest turn; it counts only if there is an answer.
        cached_tokens: What ``last`` holds in its prompt cache; ``None`` takes all that was said
            up to its latest answer.
    """
    turns = question.messages
    if not turns:
        return request_of_text(
            question.prompt or "", wanted=wanted, domain=domain, most_cost=most_cost,
            tools=bool(question.tools),
        )  # fmt: skip
    heard = hear(turns)
    text, answered = heard.latest, is_answered(turns)
    each = [tokens_from_above(turn.text) + TURN_TOKENS for turn in turns]
    pictures = sum(len(turn.pictures) for turn in turns)
    whole = sum(each) + tokens_of_tools(question.tools) + PICTURE_TOKENS * pictures
    if not (last and answered):
        cached = 0
    elif cached_tokens is None:
        cached = sum(each[: _after_answer(turns)])
    else:
        cached = cached_tokens
    return Request(
        text=text,
        wanted=wanted,
        pictures=pictures,
        code=holds_code(text),
        tools=bool(question.tools) and question.tool_choice != "none",
        tokens=whole,
        language=language_of(text),
        domain=domain,
        most_cost=most_cost,
        conversation=heard.key,
        last=last if answered else "",
        in_tool_loop=heard.in_tool_loop,
        cached_tokens=cached,
    )


def request_of_text(
    text: str,
    *,
    wanted: Wanted = "chat",
    pictures: int = 0,
    domain: str = "",
    most_cost: str = "",
    tools: bool = False,
) -> Request:
    """What is routed, where there is one text and no conversation."""
    return Request(
        text=text,
        wanted=wanted,
        pictures=pictures,
        code=holds_code(text),
        tools=tools,
        tokens=tokens_from_above(text) + TURN_TOKENS + PICTURE_TOKENS * pictures,
        language=language_of(text),
        domain=domain,
        most_cost=most_cost,
    )


def tokens_of_tools(tools: Sequence[Mapping[str, object]]) -> int:
    """What the descriptions of tools take in the prompt, from above."""
    return sum(tokens_from_above(repr(tool)) for tool in tools)


def _after_answer(turns: Sequence[Said]) -> int:
    return max(place for place, turn in enumerate(turns) if turn.role == "assistant") + 1
