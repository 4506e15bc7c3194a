"""The fenced blocks of a model's answer, with their language, their name and what stood before.

It reads Markdown as models write it: thoughts aloud, fences of any length, fences never closed,
file names in the info string, in a first comment or on the line before. It knows no language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_THOUGHT = re.compile(r"<(think|thinking|reasoning|thought)>.*?</\1>\s*", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r"\A.*?</(?:think|thinking|reasoning|thought)>\s*", re.DOTALL)
_FENCE = re.compile(r"^([ \t>]*)(`{3,}|~{3,})[ \t]*([^\n`]*)$", re.MULTILINE)
_PATH = r"(?<![\w./+=$-])((?:[\w@.()\[\]=$+-]+/)*[\w@()\[\]+-][\w@.()\[\]=+-]*\.(?:%s))(?![\w/])"
_COMMENT = re.compile(r"\A\s*(?:<!--|//|/\*|#)\s*(?:file(?:name)?:\s*)?(\S+?)\s*(?:-->|\*/)?\s*$")
_NAMING_LINE = 120
"""A longer line before a block is prose, not a name."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        language: First word of the info string, lower case, or "".
        path: The file name that the answer gives it, or ``None``.
        text: What stands in it.
        before: The text since the block before.
    """

    language: str
    path: str | None
    text: str
    before: str


def plain_text(answer: str) -> str:
    """The answer with line ends of one kind and without what the model thought aloud."""
    text = answer.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    text = _THOUGHT.sub("", text)
    ended = _THOUGHT_END.match(text)
    if ended is None or text[: ended.end()].count("```") % 2:  # inside a block it is code
        return text
    return text[ended.end() :]


def blocks_of(text: str, endings: str) -> list[Block]:
    """The blocks of a text in their order; one that is never closed reaches to the end.

    Args:
        text: As ``plain_text`` gives it.
        endings: Endings of file names that count, as alternatives (``py|pyi``).
    """
    path = re.compile(_PATH % endings)
    return [_block(info, body, before, path) for info, body, before in _fenced(text)]


def _fenced(text: str) -> Iterator[tuple[str, str, str]]:
    last = 0
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
            continue
        same = fence[2][0] == opened[2][0] and len(fence[2]) >= len(opened[2])
        if same and not fence[3].strip():
            yield _piece(text, opened, last, fence.start())
            last, opened = fence.end(), None
    if opened is not None:
        yield _piece(text, opened, last, len(text))


def _piece(text: str, opened: re.Match[str], last: int, end: int) -> tuple[str, str, str]:
    body = text[opened.end() + 1 : end]
    if opened[1]:
        body = "\n".join(line.removeprefix(opened[1]) for line in body.split("\n"))
    return opened[3].strip(), body, text[last : opened.start()]


def _block(info: str, body: str, before: str, path: re.Pattern[str]) -> Block:
    words = info.split()
    language = re.split(r"[:{=,]", words[0])[0].lower() if words else ""
    if language and path.fullmatch(language):
        language = language.rsplit(".", 1)[-1]
    return Block(language, _name(info, body, before, path), body, before)


def _name(info: str, body: str, before: str, path: re.Pattern[str]) -> str | None:
    in_info = path.search(info.replace(":", " ").replace("=", " ").replace('"', " "))
    if in_info:
        return in_info[1]
    comment = _COMMENT.match(body.lstrip("\n").split("\n", 1)[0])
    if comment and path.fullmatch(comment[1]):
        return comment[1]
    line = before.rstrip().rsplit("\n", 1)[-1]
    told = path.findall(line)
    return str(told[0]) if len(line) <= _NAMING_LINE and len(told) == 1 else None
