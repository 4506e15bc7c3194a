"""The hard facts of a request: pictures, code, tools, tokens, language; no model is asked.

It knows scripts, frequent words and the look of code; it knows no domain. Each reader looks at no
more than a head and a tail of a text, except the count of tokens, which reads all of it once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from metier.generating import Question
from metier.router.prompting import (
    Said,
    conversation_key,
    in_tool_loop,
    is_answered,
    own_words,
)
from metier.router.tongues import language_of
from metier.routing import Request, Wanted

LOOKED_AT = 8_000
"""Characters of a text that are looked at for code: its first and its last half of these."""
TURN_TOKENS = 8
"""What a template writes around one turn, from above."""
PICTURE_TOKENS = 2_048
"""What one picture takes, from above: vision towers of open models give 64 to 2,048."""
_CODE_LINE = re.compile(
    r"^\s*(?:"
    r"(?:async )?def \w+\(|class \w+[(:{ ]|from [\w.]+ import |import [\w.{*\"']+|#include\s*[<\"]"
    r"|(?:export |default |async |public |private |static )*(?:function\*?|const|let|var|fn|func)"
    r" [\w$({\[]"
    r"|(?:if|for|while|switch|catch) ?\(.*\) ?\{?$|\} ?(?:else|catch|finally)\b|else:$|try:$"
    r"|return\b.*[;()\[\].]|@\w+[\w.]*(?:\(.*)?$|package \w+;?$|using [\w.]+;$|<\?php"
    r"|</?[a-z][\w.:-]*(?: [^<>]*)?/?>|\{[#:/@][a-z]+.*\}|\$: "
    r"|SELECT .+ FROM |INSERT INTO |CREATE TABLE |UPDATE \w+ SET "
    r"|Traceback \(most recent call last\)|File \".+\", line \d+|at [\w.$<>]+\(.*:\d+\)"
    r"|>>> |\$ (?:npm|git|pip|cargo|docker|sudo|cd|ls)\b|#!/"
    r")"
)
_CODE_END = re.compile(r"(?:[;{}]|\)\s*=>\s*\{?|\):|\],?|\}\)?,?)\s*$")
_CODE_INSIDE = re.compile(
    r"\w+\.\w+\([^)]*\)|=>|===|!==|&&|\|\||::|->\s*\w|\w+\[\w+\]|\w+ ?[-+*/|]?= ?[\w\"'\[{(]"
)


def holds_code(text: str) -> bool:
    """Whether a text holds code: a fence, or two lines that look like it.

    One line is enough where it is all there is and looks like code at its beginning and its end.
    """
    if len(text) > LOOKED_AT:
        text = text[: LOOKED_AT // 2] + "\n" + text[-LOOKED_AT // 2 :]
    if "```" in text or "~~~\n" in text:
        return True
    found = 0.0
    for line in text.splitlines():
        if not line or len(line) > 2_000:
            continue
        begins = bool(_CODE_LINE.match(line))
        ends = bool(_CODE_END.search(line))
        inside = bool(_CODE_INSIDE.search(line))
        found += max(1.0 if begins and (ends or inside) else 0.7 * begins, 0.5 * (ends and inside))
        if found >= 1.0:
            return True
    return False


def tokens_from_above(text: str) -> int:
    """Tokens of a text, estimated from above.

    A piece of a word has at least one token and one for each four letters, every digit and sign
    one, and what is not ASCII one for each byte of UTF-8 beyond the first: no vocabulary with
    bytes to fall back on needs more for text that people write.
    """
    words = _WORD.sub("", text)
    letters = len(text) - len(words)
    runs = sum(1 for _ in _WORD.finditer(text)) if letters else 0
    signs = len(words) - words.count(" ")
    beyond = len(words.encode("utf-8", "surrogatepass")) - len(words)
    return runs + letters // 3 + signs + beyond


_WORD = re.compile(r"[A-Za-z]+")


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
    text = own_words(turns)
    answered = is_answered(turns)
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
        conversation=conversation_key(turns),
        last=last if answered else "",
        in_tool_loop=in_tool_loop(turns),
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
