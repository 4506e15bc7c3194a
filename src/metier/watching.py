"""The words of the standing watch: paired outcomes, states, standings, notices; values only.

They compute nothing: whether a specialist keeps its route is ``metier.watch``'s matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rival = Literal["base", "general", "base+documents"]
"""Whom a specialist is held against: its own base, the general model of its cost class, its base
with the same documents and nothing else."""

State = Literal["PROMOTED", "WATCH", "DEMOTED", "HOP"]
"""``PROMOTED``: holds the route. ``WATCH``: holds it, but what speaks for it is no longer clear.
``DEMOTED``: a rival of its cost class is as good, so the route is gone. ``HOP``: demoted, and
another base is at hand: make it again."""

ROUTED: tuple[State, ...] = ("PROMOTED", "WATCH")
"""The states in which a specialist may hold a route."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One item that a specialist and a rival both answered.

    Attributes:
        rival: Its role.
        item: The item's id in its eval; of feedback, the id of the answer.
        cluster: Items of one cluster hang together and count as one; "" for an item by itself.
            Names are taken across evals: where ids could meet, they name their eval.
        own: Outcome of the specialist, 0 to 1.
        other: Outcome of the rival.
        date: ISO date of the item: when the question came into the world.
        fresh: Whether that is later than what either system can have been made from.
        source: Where the pair comes from.
        look: When it was first looked at, as text that sorts by time (ISO). The items of a cluster
            count in the first look that has any of them; later ones are set aside.
    """

    rival: Rival
    item: str
    cluster: str
    own: float
    other: float
    date: str = ""
    fresh: bool = False
    source: Literal["eval", "feedback"] = "eval"
    look: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """What the pairs against one rival say so far, valid however often anybody looks.

    Attributes:
        rival: Its role.
        rival_name: What people call it.
        pairs: Pairs, after clusters were reduced to one each.
        wins, losses: Discordant pairs for and against the specialist.
        difference: Mean paired difference.
        low, high: Ends of its confidence sequence at 95 %.
        for_it: E-value against "it is no better"; 20 shows that it is better (``low`` above 0).
        against_it: E-value against "it is no worse"; 20 shows that it is worse.
        not_worse: E-value against "it is worse by the margin or more".
        needed: Pairs in all that it would take to decide, at the rate so far; ``None`` if it is
            decided or would take for ever.
        fresh: Whether only fresh pairs are counted.
        turned: E-value against "it was never worse": it may start to count at any look, so that a
            good past does not hide a bad present. Told of all pairs together.
        turned_far: The same against "it was never worse by the margin or more".
        turned_since: The look since which the pairs speak most for it, if ``turned`` shows it.
    """

    rival: Rival
    rival_name: str
    pairs: int
    wins: int
    losses: int
    difference: float
    low: float
    high: float
    for_it: float
    against_it: float
    not_worse: float
    needed: int | None = None
    fresh: bool = False
    turned: float = 0.5
    turned_far: float = 0.5
    turned_since: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a specialist stands with the watch.

    Attributes:
        name: The specialist.
        system: Digest of what was watched.
        state: See ``State``.
        since: ISO date of the last change; between DEMOTED and HOP it stays that of the demotion.
        why: One sentence for people, numbers first.
        suspect: Whether it wins on old items only.
        tracks: Old and fresh items together, then fresh ones alone, per rival.
        head: Hash of the last ledger row that counts.
    """

    name: str
    system: str
    state: State
    since: str
    why: str
    suspect: bool = False
    tracks: tuple[Track, ...] = ()
    head: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know: a state changed, or an eval is too small to decide."""

    name: str
    date: str
    kind: Literal["demoted", "restored", "suspect", "undecided", "hop", "hopped", "rolled-back"]
    said: str
    command: str = ""
