"""A family tree as a drawing: what went into a thing, itself, and what was made from it.

Pure functions: kin in, rows and markup out; everything that is text is escaped. One row a member,
one under the other, so that it reads at 360 pixels; lines on the left say what flows into what.
The same members stand in a table on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol
from urllib.parse import quote

from metier.site.words import clip, dated, listed, plural

ROW = 46
_TRUNK, _SIDE, _TEXT = 11, 29, 48
_WORDS = {
    "data": "data",
    "recipe": "recipe",
    "base": "base",
    "pack": "documents",
    "tool": "tool",
    "self": "this one",
    "earlier": "stood here before",
    "lost": "held against it",
    "made": "made from it",
}
_ASIDE = frozenset({"base", "pack", "tool", "earlier", "lost", "made"})
_PAST = frozenset({"earlier", "lost"})
MOST_DRAWN = 24


class Kin(Protocol):
    """One member of the family; see ``metier.fleet.Kin``."""

    @property
    def role(self) -> str:
        """What it is to the thing itself: ``data``, ``base``, ``earlier`` …; see ``fleet.Kin``."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def facts(self) -> Sequence[str]:
        """A few words each."""

    @property
    def digest(self) -> str:
        """``sha256:…`` or ""."""

    @property
    def here(self) -> str:
        """The name under which it is installed, or ""."""

    @property
    def why(self) -> str:
        """Why it does not stand here any more, or never did, in a sentence; or ""."""


@dataclass(frozen=True, slots=True)
class Row:
    """One member for a table."""

    role: str
    name: str
    facts: str
    digest: str
    address: str
    why: str = ""


def rows(family: Sequence[Kin]) -> list[Row]:
    """The members, in the order of the drawing."""
    return [
        Row(
            _WORDS.get(kin.role, "part"),
            clip(kin.name, 200),
            clip(dated(", ".join(kin.facts)), 200),
            kin.digest,
            f"/specialists/{quote(kin.here)}" if kin.here and kin.role != "self" else "",
            clip(dated(kin.why), 400),
        )
        for kin in _ordered(family)
    ]


def drawing(family: Sequence[Kin]) -> str:
    """SVG with title and description; "" for a family of one."""
    shown = _ordered(family)[:MOST_DRAWN]
    at = next((place for place, kin in enumerate(shown) if kin.role == "self"), None)
    if at is None or len(shown) < 2:
        return ""
    name = clip(shown[at].name, 80)
    title = f"Lineage of {name}"
    said = "; ".join(f"{_WORDS.get(kin.role, 'part')}: {clip(kin.name, 80)}" for kin in shown)
    head = (
        f'<svg class="chart lineage" role="img" width="100%" height="{len(shown) * ROW}" '
        'aria-labelledby="lineage-t lineage-d">'
        f'<title id="lineage-t">{escape(title)}</title>'
        f'<desc id="lineage-d">{escape(clip(said, 1500))}.</desc>'
    )
    parts = [head]
    parts += [_flow(place, at, kin) for place, kin in enumerate(shown) if place != at]
    parts += [_member(place, kin) for place, kin in enumerate(shown)]
    return "".join((*parts, "</svg>"))


def summary(family: Sequence[Kin]) -> str:
    """The family in one line."""
    made = sum(kin.role == "made" for kin in family)
    bases = [kin.name for kin in family if kin.role == "base"]
    packs = [clip(kin.name, 80) for kin in family if kin.role == "pack"]
    tools = [clip(kin.name, 80) for kin in family if kin.role == "tool"]
    if bases:
        said = f"Made from {clip(bases[0], 80)}."
    elif packs or tools:
        does = [f"reads {listed(packs)}"] if packs else []
        does += [f"checks with {listed(tools)}"] if tools else []
        said = f"It {listed(does)}; the base is chosen when it is asked."
    else:
        data = [clip(kin.name, 80) for kin in family if kin.role == "data"]
        said = (
            f"Made from {listed(data)}, on no base."
            if data
            else "Where it came from is not known here."
        )
    said += _past(family)
    if made:
        said += f" {plural(made, 'thing')} here {'is' if made == 1 else 'are'} made from it."
    return said


def _past(family: Sequence[Kin]) -> str:
    """How many stood here before, and how many were held against it and not promoted."""
    earlier = sum(kin.role == "earlier" for kin in family)
    lost = sum(kin.role == "lost" for kin in family)
    said = []
    if earlier:
        said.append(f"{plural(earlier, 'other')} stood under its name before")
    if lost:
        said.append(f"{plural(lost, 'challenger')} {'was' if lost == 1 else 'were'} not promoted")
    return f" {listed(said)[:1].upper()}{listed(said)[1:]}." if said else ""


def _ordered(family: Sequence[Kin]) -> list[Kin]:
    order = ("data", "recipe", "base", "pack", "tool", "self", "earlier", "lost", "made")
    return sorted(family, key=lambda kin: order.index(kin.role) if kin.role in order else 0)


def _middle(place: int) -> int:
    return place * ROW + 17


def _flow(place: int, at: int, kin: Kin) -> str:
    """A line from a member to the thing itself."""
    start, end = _middle(place), _middle(at)
    style = "flow dashed" if kin.role in _PAST else "flow"
    if kin.role not in _ASIDE:
        return f'<path class="{style}" d="M{_TRUNK} {start}V{end}"/>'
    turn = end - 16 if start < end else end + 16
    return f'<path class="{style}" d="M{_SIDE} {start}V{turn}Q{_SIDE} {end} {_TRUNK} {end}"/>'


def _member(place: int, kin: Kin) -> str:
    across, down = (_SIDE if kin.role in _ASIDE else _TRUNK), _middle(place)
    style = "self" if kin.role == "self" else "kin"
    dot = f'<circle class="{style}" cx="{across}" cy="{down}" r="{6 if style == "self" else 5}"/>'
    if kin.role == "lost":
        ends = f"M{across - 5} {down - 5}l10 10m0 -10l-10 10"
        dot = f'<path class="lost" d="{ends}"/>'
    name = (
        f'<text class="member {style}" x="{_TEXT}" y="{down + 4}">{escape(_cut(kin.name))}</text>'
    )
    if kin.here and kin.role != "self":
        name = f'<a href="/specialists/{escape(quote(kin.here))}">{name}</a>'
    facts = [_WORDS.get(kin.role, "part"), *kin.facts]
    if kin.digest:
        facts.append(kin.digest.removeprefix("sha256:")[:12])
    small = escape(clip(dated(" · ".join(facts)), 46))
    return f'{dot}{name}<text x="{_TEXT}" y="{down + 20}">{small}</text>'


def _cut(name: str) -> str:
    """The end of an address says more than its start."""
    plain = name.removeprefix("https://").removeprefix("http://")
    if len(plain) > 34 and " at " in plain:
        where, _, commit = plain.partition(" at ")
        plain = f"{where.rsplit('/', 1)[-1]} at {commit[:7]}"
    return clip(plain, 34)
