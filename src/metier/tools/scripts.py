"""The JavaScript and TypeScript files in a model's answer.

It reads fenced blocks and guesses names for those that have none; it parses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from metier.coding import SourceFile
from metier.tools.blocks import Block, blocks_of, plain_text

_ENDINGS = "[cm]?[jt]s|jsx|tsx|css|json|html"
_STARTS = re.compile(
    r"^(?:import\b|export\b|const\s|let\s|var\s|function\b|async function\b|class\s|\(\s*\)\s*=>"
    r"|['\"]use \w+['\"])",
    re.MULTILINE,
)
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*$\n?", re.M)


def without_fences(text: str) -> str:
    """A file without the marks of Markdown blocks."""
    return _FENCE.sub("", text)


def script_files(answer: str, names: Mapping[str, str], default: str) -> tuple[SourceFile, ...]:
    """The files of an answer in their order; the last of two with one name is kept.

    Of the blocks without a name in a known language the longest is the file; the others are
    examples and are left out. Without any block the whole text is the file, if it looks like code.

    Args:
        answer: What a model wrote.
        names: The file name for an unnamed block, by its language; ``""`` for a block without one.
        default: The name of a text without blocks.
    """
    text = plain_text(answer)
    blocks = blocks_of(text, _ENDINGS)
    if not blocks:
        bare = text.strip("\n")
        return (SourceFile(default, bare + "\n"),) if _STARTS.search(bare) else ()
    named: dict[str, SourceFile] = {}
    unnamed: list[Block] = []
    for block in blocks:
        if block.path and not block.path.startswith("/") and ".." not in block.path:
            named.pop(block.path, None)
            named[block.path] = SourceFile(block.path, block.text)
        elif block.language in names and block.text.strip():
            unnamed.append(block)
    code = [block for block in unnamed if _STARTS.search(block.text)] or unnamed
    scripted = any(path.endswith(tuple(_suffixes(names))) for path in named)
    if not code or scripted:
        return tuple(named.values())
    chosen = max(code, key=lambda block: len(block.text))
    return (SourceFile(names[chosen.language], chosen.text), *named.values())


def _suffixes(names: Mapping[str, str]) -> set[str]:
    return {name[name.rindex(".") :] for name in names.values()}
