"""The files in a model's answer: fenced blocks with or without names, or the whole text.

It knows what a component looks like; it compiles nothing.
"""

from __future__ import annotations

import re

from metier.coding import SourceFile
from metier.tools.blocks import Block, blocks_of, plain_text

DEFAULT = "Component.svelte"
"""The name of a component that the answer does not name."""
_ENDINGS = r"svelte\.[jt]s|svelte|[cm]?[jt]s|css|html|json"
_FAMILY = {
    "svelte": "svelte",
    "html": "svelte",
    "js": "script",
    "javascript": "script",
    "ts": "script",
    "typescript": "script",
    "css": "css",
    "json": "json",
}
_OTHER = {"bash", "sh", "shell", "console", "zsh", "diff", "text", "txt", "md", "json", "css"}
_MARKUP = re.compile(
    r"<script[\s>]|<style[\s>]|<svelte:|<[a-z][a-z0-9-]*(\s[^<>]*)?/?>|\{[#@:/][a-z]|"
    r"\$(?:state|props|derived|effect|bindable|inspect|host)\b"
)
_ELEMENT = re.compile(r"<script[\s>]|<svelte:|^\s*<[A-Za-z][\w-]*", re.MULTILINE)


def files_of(answer: str) -> tuple[SourceFile, ...]:
    """The files of an answer in their order; the last of two with the same name is kept.

    Blocks without a name: the longest component is ``Component.svelte`` if the answer names no
    component; other unnamed blocks are examples and are left out. An unclosed block reaches to the
    end. Without any block the whole text is the component, if it looks like one; so it is if the
    only fences stand inside of it.
    """
    text = plain_text(answer)
    if _starts_as_component(text):
        return (SourceFile(DEFAULT, _before_fence(text)),)
    blocks = blocks_of(text, _ENDINGS)
    if not blocks:
        bare = text.strip("\n")
        return (SourceFile(DEFAULT, bare),) if _MARKUP.search(bare) else ()
    named: dict[str, str] = {}
    unnamed: list[Block] = []
    for block in blocks:
        if block.path and _fits(block.path, block.language):
            named.pop(block.path, None)
            named[block.path] = block.text
        elif _component(block):
            unnamed.append(block)
    files = tuple(SourceFile(path, body) for path, body in named.items())
    if unnamed and not any(path.endswith(".svelte") for path in named):
        chosen = max(unnamed, key=lambda block: len(block.text))
        return (SourceFile(DEFAULT, chosen.text), *files)
    return files


def _starts_as_component(text: str) -> bool:
    """Whether the answer is a component from its first character on."""
    return bool(re.match(r"\s*<(script|svelte:|style|[a-z]+[\s>])", text))


def _before_fence(text: str) -> str:
    """The component without a fence that only ends it, and without what follows that."""
    fence = re.search(r"^```[ \t]*$", text, re.MULTILINE)
    return text[: fence.start()] if fence else text


def _fits(path: str, language: str) -> bool:
    """Whether a block in this language can be the file."""
    if not language:
        return True
    if language in _OTHER and language not in _FAMILY:
        return False
    ending = path.rpartition(".")[2]
    return _FAMILY.get(language, language) == _FAMILY.get(ending, ending) or ending == language


def _component(block: Block) -> bool:
    if block.language in ("svelte", "html"):
        return True
    return block.language not in _OTHER and bool(_ELEMENT.search(block.text))
