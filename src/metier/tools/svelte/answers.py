"""The files in a model's answer: fenced blocks with or without names, or the whole text.

It reads text and guesses names; it compiles nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from metier.coding import SourceFile

DEFAULT = "Component.svelte"
"""The name of a component that the answer does not name."""
_THINKING = re.compile(
    r"<(think|thinking|reasoning|thought)>.*?</\1>\s*", re.DOTALL | re.IGNORECASE
)
_THINKING_END = re.compile(r"\A.*?</(?:think|thinking|reasoning|thought)>\s*", re.DOTALL)
_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^\n`]*)$", re.MULTILINE)
_PATH = re.compile(
    r"(?<![\w./+-])((?:[\w@.()\[\]+=-]+/)*[\w@()\[\]+=-][\w@.()\[\]+=-]*"
    r"\.(?:svelte(?:\.(?:js|ts))?|[cm]?[jt]s|jsx|tsx|css|html|json))(?![\w/])"
)
_COMMENTED = re.compile(r"\A\s*(?:<!--|//|/\*)\s*(?:file(?:name)?:\s*)?(\S+?)\s*(?:-->|\*/)?\s*$")
_LANGUAGES = {
    "svelte": ".svelte",
    "html": ".svelte",
    "js": ".js",
    "javascript": ".js",
    "ts": ".ts",
    "typescript": ".ts",
    "css": ".css",
    "json": ".json",
}
_SHELL = {"bash", "sh", "shell", "console", "zsh", "diff", "text", "txt", "plaintext", "md"}
_MARKUP = re.compile(
    r"<script[\s>]|<style[\s>]|<svelte:|<[a-z][a-z0-9-]*[\s/>]|\{[#@:/][a-z]|\$(?:state|props|"
    r"derived|effect|bindable|inspect|host)\b"
)


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block: its info string, its text, and the text before it."""

    info: str
    text: str
    before: str


def files_of(answer: str) -> tuple[SourceFile, ...]:
    """The files of an answer in their order; the last of two with the same name is kept.

    Blocks without a name: the longest component is ``Component.svelte`` if the answer names no
    component; other unnamed blocks are examples and are left out. An unclosed block reaches to the
    end. Without any block the whole text is the component, if it looks like one.
    """
    text = answer.replace("\r\n", "\n").removeprefix("\ufeff")
    text = _without_thinking(text)
    blocks = list(_blocks(text))
    if not blocks:
        bare = text.strip("\n")
        return (SourceFile(DEFAULT, bare),) if _MARKUP.search(bare) else ()
    if not _MARKUP.search("".join(block.text for block in blocks)) and text.lstrip()[:1] == "<":
        return (SourceFile(DEFAULT, text),)
    named: dict[str, SourceFile] = {}
    unnamed: list[_Block] = []
    for block in blocks:
        path = _name(block)
        if path:
            named.pop(path, None)
            named[path] = SourceFile(path, block.text)
        elif _component(block):
            unnamed.append(block)
    if unnamed and not any(path.endswith(".svelte") for path in named):
        chosen = max(unnamed, key=lambda block: len(block.text))
        return (SourceFile(DEFAULT, chosen.text), *named.values())
    return tuple(named.values())


def _without_thinking(text: str) -> str:
    """The text without what the model thought aloud; an unopened end tag ends a thought too."""
    text = _THINKING.sub("", text)
    if "```" in text:
        ended = _THINKING_END.match(text)
        if ended and "```" in text[ended.end() :]:
            return text[ended.end() :]
    return text


def _blocks(text: str) -> Iterator[_Block]:
    """Every fenced block; a fence is closed by one at least as long and of the same kind."""
    last = 0
    open_fence: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if open_fence is None:
            open_fence = fence
            continue
        same = fence[2][0] == open_fence[2][0] and len(fence[2]) >= len(open_fence[2])
        if same and not fence[3].strip():
            body = _dedent(text[open_fence.end() + 1 : fence.start()], open_fence[1])
            yield _Block(open_fence[3].strip(), body, text[last : open_fence.start()])
            last, open_fence = fence.end(), None
    if open_fence is not None:
        body = _dedent(text[open_fence.end() + 1 :], open_fence[1])
        yield _Block(open_fence[3].strip(), body, text[last : open_fence.start()])


def _dedent(body: str, indent: str) -> str:
    if not indent:
        return body
    return "\n".join(line.removeprefix(indent) for line in body.split("\n"))


def _name(block: _Block) -> str | None:
    """The file name in the info string, in a first comment, or alone on the line before."""
    in_info = _PATH.search(block.info)
    if in_info:
        return in_info[1]
    if block.info.split()[:1] and block.info.split()[0].lower() in _SHELL:
        return None
    first = block.text.lstrip("\n").split("\n", 1)[0]
    comment = _COMMENTED.match(first)
    if comment and _PATH.fullmatch(comment[1]):
        return comment[1]
    before = block.before.rstrip().rsplit("\n", 1)[-1]
    in_line = _PATH.findall(before)
    told = len(before) <= 120 and len(in_line) == 1 and _fits(in_line[0], block)
    return str(in_line[0]) if told else None


def _fits(path: str, block: _Block) -> bool:
    """Whether a block in this language can be the file."""
    language = block.info.split()[0].lower() if block.info.split() else ""
    ending = _LANGUAGES.get(language)
    if ending is None:
        return not language or path.endswith(f".{language}")
    return path.endswith(ending) or (ending in (".js", ".ts") and path.endswith((".js", ".ts")))


def _component(block: _Block) -> bool:
    language = block.info.split()[0].lower() if block.info.split() else ""
    if language in ("svelte", "html"):
        return True
    markup = re.search(r"<script[\s>]|<svelte:|^\s*<[a-z][\w-]*", block.text)
    return language not in _SHELL and bool(markup) and language not in ("json", "css")
