"""Where a specialist stands with the watch, as one word, one line or one field.

It lays out a standing and judges nothing; the whole of it is ``metier watch``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from metier.cli.terminal import Line, shown_text, wrapped
from metier.cli.wording import date
from metier.watching import ROUTED, Standing

_STYLES = {"PROMOTED": "", "WATCH": "yellow", "DEMOTED": "bold red", "HOP": "bold red"}
_PROSE = 92


def state_word(standing: Standing | None) -> Text:
    """The state, or ``suspect`` where it wins on old items only; empty if nobody looked."""
    if standing is None:
        return Text()
    if standing.suspect and standing.state in ROUTED:
        return Text("suspect", style="yellow")
    return Text(standing.state, style=_STYLES[standing.state])


def with_states(rows: list[list[Line]], standings: Mapping[str, Standing]) -> list[list[Line]]:
    """Rows that begin with a title row, and with names, with the state as one more column.

    The rows as they are if nobody looked at anything.
    """
    if not standings:
        return rows
    title, *rest = rows
    found = [[*title, Text("watch", style="dim")]]
    return [*found, *([*row, state_word(standings.get(str(row[0])))] for row in rest)]


def standing_lines(standing: Standing | None, width: int) -> list[Line]:
    """State, since when and why; nothing if nobody looked."""
    if standing is None:
        return []
    doubt = ", suspect" if standing.suspect and standing.state in ROUTED else ""
    said = f"Watch: {standing.state}{doubt} since {date(standing.since)}: {standing.why}"
    return list(wrapped(shown_text(said), min(width, _PROSE)))


def standing_document(standing: Standing | None) -> dict[str, Any]:
    """The field ``watch`` of a JSON document; null if nobody looked."""
    if standing is None:
        return {"watch": None}
    names = ("state", "since", "why", "suspect")
    return {"watch": {name: getattr(standing, name) for name in names}}
