"""Turns, passages and diagnostics to the turns that a base is asked with.

It knows where documents stand and what they may not do; it searches nothing and generates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from metier.coding import Diagnostic, SourceFile
from metier.conversing import Passage, Sampling, Turn
from metier.errors import InputError

QUERY_CHARACTERS = 1_500
FEW_WORDS = 8
"""A question of fewer words than this probably leans on what was said before."""
MOST_DIAGNOSTICS = 12

_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.S | re.M)


def last_user(turns: Sequence[Turn]) -> int:
    """Index of the last turn of the person; raises InputError if there is none."""
    for index in range(len(turns) - 1, -1, -1):
        if turns[index].role == "user":
            return index
    raise InputError(
        "The conversation has no turn of a user.",
        code="bad_turns",
        remedy="Send at least one message with the role user.",
    )


def in_tool_loop(turns: Sequence[Turn], sampling: Sampling) -> bool:
    """Whether an agent drives: it brings tools of its own, or tool messages stand in the turns."""
    if sampling.extra.get("tools") or sampling.extra.get("functions"):
        return True
    return any(
        turn.role == "tool" or turn.extra.get("tool_calls") or turn.extra.get("tool_call_id")
        for turn in turns
    )


def query_of(turns: Sequence[Turn]) -> str:
    """What to search for: the last question's words, earlier ones if they are few, then its code.

    A function of the turns up to the last one of the user; what follows it (an agent's tool
    results) changes nothing.
    """
    at = last_user(turns)
    question = turns[at].text
    words = _prose(question)
    if len(words.split()) < FEW_WORDS:
        earlier = next((turn.text for turn in reversed(turns[:at]) if turn.role == "user"), "")
        words = f"{words}\n{_prose(earlier)[: QUERY_CHARACTERS // 2]}".strip()
    code = "\n".join(match.group(0) for match in _FENCE.finditer(question))
    return f"{words[:QUERY_CHARACTERS]}\n{code}".strip()[:QUERY_CHARACTERS]


def prompted(turns: Sequence[Turn], prompt: str, documents: str) -> tuple[Turn, ...]:
    """The turns a base is asked with.

    The specialist's prompt comes first and a caller's system turns follow it in the same turn,
    because many models take one only, at the start. Documents stand in the last user turn, before
    the question, with the rights of what a user pastes, and no other.
    """
    system = "\n\n".join(
        text for text in (prompt, *(turn.text for turn in turns if turn.role == "system")) if text
    )
    others = [turn for turn in turns if turn.role != "system"]
    asked = with_documents(others, documents)
    return (Turn("system", system), *asked) if system else asked


def with_documents(turns: Sequence[Turn], documents: str) -> tuple[Turn, ...]:
    """The same turns, documents put before the text of the last user turn."""
    if not documents:
        return tuple(turns)
    at = last_user(turns)
    turn = turns[at]
    extra = dict(turn.extra)
    if isinstance(extra.get("content"), list):
        extra["content"] = [{"type": "text", "text": documents}, *extra["content"]]
    shown = replace(turn, text=f"{documents}\n\n{turn.text}", extra=extra)
    return (*turns[:at], shown, *turns[at + 1 :])


def fitting(passages: Sequence[Passage], characters: int) -> tuple[Passage, ...]:
    """The passages that fit into so many characters together, better ones first.

    A long one is passed over for a later one that fits; none is cut, so that no example ends in
    the middle.
    """
    fitted = []
    left = characters
    for passage in passages:
        if len(passage.text) <= left:
            left -= len(passage.text)
            fitted.append(passage)
    return tuple(fitted)


def repair_request(
    files: Sequence[SourceFile], diagnostics: Sequence[Diagnostic], why: str = ""
) -> str:
    """What the base is told of its last answer."""
    texts = {file.path: file.text.splitlines() for file in files}
    lines = []
    for item in diagnostics[:MOST_DIAGNOSTICS]:
        place = item.path + (f", line {item.line}" if item.line else "")
        lines.append(f"- {place}: {item.code}: {item.message} {item.explanation}".rstrip())
        source = texts.get(item.path, [])
        if item.line and 0 < item.line <= len(source):
            lines.append(f"      {source[item.line - 1].strip()[:200]}")
    if len(diagnostics) > MOST_DIAGNOSTICS:
        lines.append(f"- and {len(diagnostics) - MOST_DIAGNOSTICS} more")
    if why:
        lines.append(f"- {why}")
    found = "\n".join(lines)
    return (
        f"Your code was checked, and it does not work yet:\n\n{found}\n\n"
        "Correct this and change nothing else. Give the whole of every file again."
    )


def _prose(text: str) -> str:
    return " ".join(_FENCE.sub(" ", text).split())
