"""Markdown cut into sections: a heading, the headings above it, and its blocks.

It knows markdown-it, and only to find where blocks begin and end: a block's text is the source's
own lines, so nothing is lost or rewritten. It knows neither chunks nor what a document is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from metier.retrieval.dialects import split_heading

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

Kind = Literal["prose", "code", "table", "list"]

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^([A-Za-z_][\w-]*):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
MAX_NESTING = 24
"""Deeper quotes and lists are text of the block that they stand in."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a section: a paragraph, a fenced block, a table, a whole list."""

    kind: Kind
    text: str


@dataclass(slots=True)
class Section:
    """A heading and what stands under it, up to the next heading.

    Attributes:
        level: 1 to 6; 0 for what stands before the first heading.
        heading: Its words, markdown marks taken out; "" at level 0.
        anchor: The anchor that the heading states itself, or ``None``.
        trail: Headings above it, outermost first, its own left out.
        blocks: In order.
    """

    level: int
    heading: str
    anchor: str | None
    trail: tuple[str, ...]
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document in sections.

    Attributes:
        title: From the front matter, else its first heading of level 1, else "".
        fields: Simple fields of the front matter.
        sections: In order; headings of level 1 that repeat the title are its opening.
    """

    title: str
    fields: dict[str, str]
    sections: tuple[Section, ...]


def parse(text: str) -> Parsed:
    """Cut a document into sections; every string is a document."""
    fields: dict[str, str] = {}
    front = _FRONT_MATTER.match(text)
    if front:
        fields = {name: value.strip("'\"") for name, value in _FIELD.findall(front[1])}
        text = text[front.end() :]
    sections = _sections(text)
    title = plain_heading(fields.get("title", ""))
    first = next((section for section in sections if section.level == 1), None)
    if not title and first is not None:
        title = first.heading
    return Parsed(title, fields, tuple(sections))


def plain_heading(text: str) -> str:
    """A heading without the marks of markdown: code, emphasis, links."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<!\w)(\*{1,2}|_{1,2})(?=\S)(.+?)(?<=\S)\1(?!\w)", r"\2", text)
    text = re.sub(r"</?[A-Za-z][^>`]*>$", "", text.strip())
    text = re.sub(r"\\([\\`*_{}\[\]()#+\-.!$<>])", r"\1", text)
    return text.replace("`", "").strip()


def _sections(text: str) -> list[Section]:
    lines = text.split("\n")
    current = Section(0, "", None, ())
    found = [current]
    above: list[tuple[int, str]] = []
    for token in _parser().parse(text):
        if token.level != 0 or token.map is None or token.nesting < 0:
            continue
        first, last = token.map
        if token.type == "heading_open":
            level = int(token.tag[1])
            words, anchor = split_heading(_heading_text(lines[first:last]))
            above = [entry for entry in above if entry[0] < level]
            trail = tuple(entry[1] for entry in above)
            current = Section(level, plain_heading(words), anchor, trail)
            above.append((level, current.heading))
            found.append(current)
            continue
        block = "\n".join(lines[first:last]).strip("\n").rstrip()
        if block.strip() and token.type != "hr":
            current.blocks.append(Block(_kind(token.type), block))
    return found


def _heading_text(lines: list[str]) -> str:
    """The words of a heading from its lines, whether it is underlined or begins with hashes."""
    if len(lines) > 1:
        return " ".join(line.strip() for line in lines[:-1])
    return re.sub(r"^\s{0,3}#{1,6}[ \t]*|[ \t]+#+[ \t]*$", "", lines[0]) if lines else ""


def _kind(token: str) -> Kind:
    if token in ("fence", "code_block"):
        return "code"
    if token == "table_open":  # noqa: S105  (a kind of token of the parser)
        return "table"
    return "list" if token in ("bullet_list_open", "ordered_list_open") else "prose"


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """The block rules of CommonMark and tables; what stands inside a line is not looked at."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    return parser.disable(["inline", "html_block", "code", "reference"])
