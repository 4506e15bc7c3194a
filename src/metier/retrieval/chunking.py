"""Documents cut into chunks: a section each, long ones at borders of blocks, small ones together.

It knows what makes a chunk readable on its own (its trail, its version, its address) and how long
one may be; it knows no search. A fenced block is never cut unless it alone is over the limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from metier.conversing import Passage
from metier.retrieval.dialects import Dialect, anchor, included, plainly
from metier.retrieval.markdown import Block, Parsed, Section, parse

LONG = 2400
"""Characters from which a section is cut into several chunks."""
HUGE = 6000
"""Characters from which even a single fenced block is cut, at a line."""
SMALL = 240
"""Characters below which a section stands with the one before it."""

_NUMBERED = re.compile(r"(^|/)\d+-")
_IDENTIFIER = re.compile(r"^`?[@$+]?[\w$]+([._:-][\w$]+)+`?$|^[a-z]+_[a-z_]+$")


@dataclass(frozen=True, slots=True)
class PackSource:
    """Documents of one origin and what is known about them.

    Attributes:
        documents: Path to markdown; paths are relative to the folder of the documents.
        source: Where they came from: repository and commit, package and version, folder.
        version: What they document (``svelte@5``), or "".
        address: Pattern of a page's address with ``{path}`` (without ending) or ``{name}`` (the
            path's last part without number), or ``None`` where no site shows them.
        dialect: Whose conventions they follow.
    """

    documents: Mapping[str, str]
    source: str
    version: str = ""
    address: str | None = None
    dialect: Dialect = "plain"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a document, as it is searched and shown.

    Attributes:
        id: ``version/path#anchor``, with ``~2`` … for further parts of one section.
        path: The file inside its source.
        title: The document's title.
        trail: Headings from the title down to this section.
        text: Markdown.
        source: Where it came from.
        version: What is documented, or "".
        address: The section's address on the web, or ``None``.
        covers: Every heading whose words stand here: its own and those of small sections in it.
    """

    id: str
    path: str
    title: str
    trail: tuple[str, ...]
    text: str
    source: str
    version: str = ""
    address: str | None = None
    covers: tuple[str, ...] = ()

    def as_line(self) -> bytes:
        """One line of ``chunks.jsonl``, newline included."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(values, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes | str) -> Chunk:
        """The chunk of one line; raises ValueError, KeyError or TypeError if it is none."""
        values = json.loads(line)
        values["trail"] = tuple(values["trail"])
        values["covers"] = tuple(values["covers"])
        return cls(**values)

    def passage(self, score: float) -> Passage:
        """The chunk as a search answers with it."""
        return Passage(
            id=self.id,
            text=self.text,
            title=self.title,
            trail=self.trail,
            path=self.path,
            source=self.source,
            address=self.address,
            version=self.version,
            score=score,
        )


def chunks_of(source: PackSource) -> Iterator[Chunk]:
    """The chunks of a source, documents sorted by path, sections in their order."""
    texts = included(source.documents) if source.dialect == "svelte" else source.documents
    for path in sorted(texts):
        parsed = parse(plainly(texts[path], source.dialect))
        yield from _of_document(path, parsed, source)


# ------------------------------------------------------------------------------------- documents


@dataclass(slots=True)
class _Draft:
    """Sections that will be one chunk, or several if they are long."""

    section: Section
    blocks: list[Block] = field(default_factory=list)
    covers: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(len(block.text) for block in self.blocks)


def _of_document(path: str, parsed: Parsed, source: PackSource) -> Iterator[Chunk]:
    title = parsed.title or _NUMBERED.sub(r"\1", path).rpartition("/")[2].rpartition(".")[0]
    page = _address(path, source)
    taken: dict[str, int] = {}
    for draft in _drafts(parsed):
        section = draft.section
        above = [heading for heading in section.trail if heading != title]
        own = [section.heading] if section.level and section.heading != title else []
        trail = (title, *above, *own)
        place = section.anchor or anchor((*above, *own), source.dialect)
        for part in _parts(draft.blocks):
            name = f"{path}#{place}" if place else path
            taken[name] = taken.get(name, 0) + 1
            number = f"~{taken[name]}" if taken[name] > 1 else ""
            yield Chunk(
                id=f"{source.version}/{name}{number}" if source.version else name + number,
                path=path,
                title=title,
                trail=trail,
                text=part,
                source=source.source,
                version=source.version,
                address=(f"{page}#{place}" if place else page) if page else None,
                covers=tuple(draft.covers) or (title,),
            )


def _drafts(parsed: Parsed) -> list[_Draft]:
    """Sections with words of their own; small ones joined to what stands before them."""
    drafts: list[_Draft] = []
    waiting: list[str] = []
    for section in parsed.sections:
        if section.level:
            waiting.append(section.heading)
        if not section.blocks:
            continue
        draft = _Draft(section, list(section.blocks), waiting or [parsed.title])
        waiting = []
        if drafts and _joins(drafts[-1], draft):
            heading = Block("prose", f"{'#' * section.level} {section.heading}")
            drafts[-1].blocks += [heading, *draft.blocks]
            drafts[-1].covers += draft.covers
        else:
            drafts.append(draft)
    return drafts


def _joins(before: _Draft, draft: _Draft) -> bool:
    """Whether a section is too small to stand alone and belongs to the one before it.

    A heading that is an identifier (an error's code, an option) is what people search for, however
    little stands under it.
    """
    section, other = draft.section, before.section
    if section.level <= other.level and section.trail != other.trail:
        return False
    if _IDENTIFIER.match(section.heading) or before.size + draft.size > LONG:
        return False
    beneath = section.level > other.level
    return draft.size < SMALL and (beneath or before.size < SMALL)


def _address(path: str, source: PackSource) -> str | None:
    if source.address is None:
        return None
    bare = _NUMBERED.sub(r"\1", path).rpartition(".")[0]
    bare = bare.removesuffix("/index")
    return source.address.format(path=bare, name=bare.rpartition("/")[2])


# ----------------------------------------------------------------------------------------- parts


def _parts(blocks: Sequence[Block]) -> Iterator[str]:
    """Texts of at most ``LONG`` characters where blocks allow it, of nearly equal length."""
    pieces = [piece for block in blocks for piece in _cut(block)]
    total = sum(len(piece) for piece in pieces)
    if total <= LONG:
        yield "\n\n".join(pieces)
        return
    share = total / -(-total // LONG)
    part: list[str] = []
    size = 0
    for at, piece in enumerate(pieces):
        # What introduces a block of code ("like this:") stays with it.
        leads = piece.rstrip().endswith((":", "...", "…")) and at + 1 < len(pieces)
        full = size + len(piece) / 2 > share or size + len(piece) > HUGE
        introduced = at > 0 and pieces[at - 1].rstrip().endswith((":", "...", "…"))
        if part and (full or (leads and size > share * 0.8)) and not introduced:
            yield "\n\n".join(part)
            part, size = [], 0
        part.append(piece)
        size += len(piece)
    if part:
        yield "\n\n".join(part)


def _cut(block: Block) -> Iterator[str]:
    """A block in pieces of at most ``HUGE`` characters, at lines; fences are opened again."""
    if len(block.text) <= (HUGE if block.kind == "code" else LONG):
        yield block.text
        return
    lines = block.text.split("\n")
    fenced = block.kind == "code" and re.match(r"\s*[`~]{3}", lines[0])
    head = [lines[0]] if fenced else (lines[:2] if block.kind == "table" else [])
    tail = [lines[-1]] if fenced else []
    limit = HUGE if block.kind == "code" else LONG
    piece: list[str] = []
    size = 0
    for line in lines[len(head) : len(lines) - len(tail)]:
        for start in range(0, max(len(line), 1), limit):
            part = line[start : start + limit]
            if piece and size + len(part) > limit:
                yield "\n".join((*head, *piece, *tail))
                piece, size = [], 0
            piece.append(part)
            size += len(part) + 1
    if piece:
        yield "\n".join((*head, *piece, *tail))
