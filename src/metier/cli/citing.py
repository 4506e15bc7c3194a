"""Passages as people read them in a terminal: trail, version, an excerpt, and where it stands.

It lays out what a search found. Retrieved text is somebody else's: nothing in it reaches the
terminal as a command.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from metier.cli.terminal import shown_text, wrapped
from metier.conversing import Passage

EXCERPT_LINES = 12
EXCERPT_CHARACTERS = 900
_PROSE = 92


def passage_lines(passages: Sequence[Passage], width: int) -> list[Text]:
    """Every passage: numbered, with an excerpt and its address."""
    lines: list[Text] = []
    for number, passage in enumerate(passages, start=1):
        lines += [Text()] if lines else []
        lines.append(_title(number, passage))
        lines += [Text(f"    {line}".rstrip()) for line in _excerpt(passage.text, width)]
        lines.append(Text(f"    {_where(passage)}", style="dim underline"))
    return lines


def citation_lines(passages: Sequence[Passage]) -> list[Text]:
    """Every passage in one line: number, trail and address."""
    lines = []
    for number, passage in enumerate(passages, start=1):
        line = _title(number, passage)
        line.append(f"  {_where(passage)}", style="dim")
        lines.append(line)
    return lines


def passage_document(passage: Passage) -> dict[str, object]:
    """One passage as JSON."""
    return {
        "id": passage.id,
        "title": passage.title,
        "trail": list(passage.trail),
        "text": passage.text,
        "path": passage.path,
        "source": passage.source,
        "version": passage.version,
        "address": passage.address,
        "score": passage.score,
    }


def _title(number: int, passage: Passage) -> Text:
    trail = " › ".join(shown_text(part) for part in passage.trail) or shown_text(passage.title)
    line = Text(f"[{number}] ", style="dim")
    line.append(trail.replace("\n", " "), style="bold")
    if passage.version:
        line.append(f"  {shown_text(passage.version)}", style="dim")
    return line


def _where(passage: Passage) -> str:
    return shown_text(passage.address or f"{passage.source}, {passage.path}")


def _excerpt(text: str, width: int) -> list[str]:
    """The first lines; prose is wrapped, code stays as it is."""
    room = min(width - 4, _PROSE)
    lines: list[str] = []
    code = False
    for line in shown_text(text.strip()[:EXCERPT_CHARACTERS]).splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        code = code != fence
        if code or fence or not line.strip():
            lines.append(line.expandtabs(2))
        else:
            lines += [part.plain for part in wrapped(line, room)]
    if len(lines) > EXCERPT_LINES or len(text.strip()) > EXCERPT_CHARACTERS:
        lines = [*lines[:EXCERPT_LINES], "…"]
    return lines
