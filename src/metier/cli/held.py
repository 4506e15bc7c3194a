"""What a chat specialist proved on this machine: bars and until when, on its sheet.

A card of a chat specialist claims nothing, since it is made without a base; what was measured since
stands in the ledger. It shows and computes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metier.cli.sheet import bar_lines
from metier.cli.terminal import Signs
from metier.cli.wording import date
from metier.errors import MetierError
from metier.fleet import Installed

if TYPE_CHECKING:
    from metier.assembly import Metier


def proof_lines(metier: Metier, item: Installed, width: int, signs: Signs) -> list[Text]:
    """The comparisons of this home, newest of each rival; none where nothing was measured."""
    if item.chat is None:
        return []
    try:
        hit = metier.entry("here", item.name)
    except MetierError:
        return []  # A catalogue that cannot be read proves nothing; the sheet stands without it.
    if not hit.measured:
        return []
    lines = [Text(), Text("Measured on this machine", style="bold")]
    lines += bar_lines(list(hit.measured.values()), width, signs)
    if hit.proof is None:
        return [*lines, Text("  no proof: 'metier find' says why", style="dim")]
    return [*lines, Text(f"  proved, until {date(hit.proof.until)}", style="dim")]
