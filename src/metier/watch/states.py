"""The state machine: PROMOTED, WATCH, DEMOTED, HOP.

It knows tracks, costs, the day and how long a proof holds, all handed in. The burden is on the
specialist: to keep the route it must show that it is better, or not worse at half the cost or less,
against every rival; a rival takes the route at once only by showing that it is better itself. In
between, in WATCH, the proof carries the route until it ends.

Errors, under unlimited looking, if each rival's pairs are what ``stats.sequential`` asks for:

* A specialist that is truly better than every rival is shown to be worse, ever, with a chance of at
  most 5 %. Each rival has up to three e-values that can show it: of all its pairs, of the fresh
  ones, and of pairs that may start to count at any look (``stats.turning``). Each starts with half
  a stake, so the sum of a rival's n ever reaches 10 N with a chance of at most n / (20 N), where N
  is how many there are over all rivals.
* One that is not better than some rival (and not within the margin at half the cost) is ever
  promoted by pairs with a chance of at most 5 %: that rival's two tracks, 2.5 % each.

That a proof ends unrenewed is no finding about the specialist and has no error of this kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from metier.card import Cost
from metier.stats.sequential import SHOWN
from metier.watch.saying import Because, said
from metier.watching import ROUTED, Rival, Standing, State, Track

ENOUGH = 50
"""Pairs from which an undecided track says something by being undecided: below, the proof speaks;
fresh pairs rule alone from here on, or as soon as they show anything."""

_Found = Literal["ahead", "cheap", "lost", "turned", "open", "few"]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched, and how things stand on the day.

    Attributes:
        name: The specialist.
        system: Digest of what answers; a new one starts afresh.
        today: ISO date.
        proved: ISO date of the newest proof of this system on this base, or "".
        until: ISO date from which that proof holds no longer; "" if there never was one. Against
            the general model where one is known, else against the base.
        proved_fresh: Whether that proof stands on fresh items.
        cost: What an answer costs.
        rivals: What an answer of each rival costs.
        bases: Other bases at hand on which it could be made again.
        head: Hash of the last ledger row that counts.
    """

    name: str
    system: str
    today: str
    proved: str = ""
    until: str = ""
    proved_fresh: bool = False
    cost: Cost = field(default_factory=Cost)
    rivals: Mapping[Rival, Cost] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    head: str = ""

    @property
    def holds(self) -> bool:
        """Whether the proof still holds."""
        return self.today < self.until

    @property
    def lapsed(self) -> bool:
        """Whether there was a proof that has ended."""
        return bool(self.until) and not self.holds


@dataclass(frozen=True, slots=True)
class _View:
    """One rival.

    Attributes:
        ruling: The track that rules.
        found: What it says.
        suspect: Whether a win rests on old items only.
        doubted: Whether anything is left that says it has become worse.
    """

    ruling: Track
    found: _Found
    suspect: bool = False
    doubted: bool = False


def judge(before: Standing | None, tracks: Sequence[Track], now: Watched) -> Standing:
    """Where the specialist stands now; a pure function of its arguments.

    Args:
        before: Where it stood; ``None``, or of another system, if it was not watched before.
        tracks: Of ``tracks_of``.
        now: What is watched, and how things stand.
    """
    prior = before if before is not None and before.system == now.system else None
    views = _views(tracks, now)
    suspect = any(view.suspect for view in views)
    state, because = _next(prior, views, now, suspect=suspect)
    since = now.today
    if prior is not None and (prior.state == state or {prior.state, state} == {"DEMOTED", "HOP"}):
        since = prior.since
    return Standing(
        name=now.name,
        system=now.system,
        state=state,
        since=since,
        why=said(because, _telling(views), until=now.until, lapsed=now.lapsed, suspect=suspect),
        suspect=suspect,
        tracks=tuple(tracks),
        head=now.head,
    )


def half_the_cost(cost: Cost, rival: Cost) -> bool:
    """Whether an answer costs half of a rival's or less.

    Half the money; something on this machine against something paid by the token; or, both on this
    machine, in what is known of both neither slower nor larger, and one of them at most half. What
    is not known is no advantage.
    """
    mine, theirs = cost.price_per_million_tokens, rival.price_per_million_tokens
    if mine is not None and theirs is not None:
        return theirs > 0.0 and mine <= 0.5 * theirs
    remote, rival_remote = (one.cost_class.startswith("remote") for one in (cost, rival))
    if remote or rival_remote:
        return rival_remote and not remote
    both = [(cost.ms_per_text, rival.ms_per_text), (_bytes(cost), _bytes(rival))]
    known = [(one, two) for one, two in both if one is not None and two is not None]
    return all(one <= two for one, two in known) and any(one <= 0.5 * two for one, two in known)


def _views(tracks: Sequence[Track], now: Watched) -> list[_View]:
    rivals = list(dict.fromkeys(track.rival for track in tracks))
    ways = len(tracks) + len(rivals)  # each track, and of each rival that it has turned
    found = []
    for rival in rivals:
        mine = [track for track in tracks if track.rival == rival]
        whole = next((track for track in mine if not track.fresh), mine[0])
        fresh = next((track for track in mine if track.fresh), None)
        cost = now.rivals.get(rival)
        half = cost is not None and half_the_cost(now.cost, cost)
        view = _view(whole, fresh, 0.5 * SHOWN * ways, half=half)
        old_win = whole.for_it >= SHOWN or (now.holds and not now.proved_fresh)
        unconfirmed = fresh is not None and fresh.for_it < SHOWN
        doubted = (whole.turned_far if half else whole.turned) >= 1.0
        found.append(replace(view, suspect=old_win and unconfirmed, doubted=doubted))
    return found


def _view(whole: Track, fresh: Track | None, worse: float, *, half: bool) -> _View:
    """One rival; ``worse`` is the sum of e-values that takes the route."""
    ruling = fresh if fresh is not None and _rules(fresh, half=half) else whole
    turned = whole.turned_far if half else whole.turned
    if turned < worse:
        if ruling.for_it >= SHOWN:
            return _View(ruling, "ahead")
        if half and ruling.not_worse >= SHOWN:
            return _View(ruling, "cheap")
    tracks = [whole] if fresh in (None, whole) else [fresh, whole]
    if turned + sum(track.against_it for track in tracks) >= worse:
        worst = max(tracks, key=lambda track: track.against_it)
        shown = worst.against_it >= SHOWN
        return _View(worst, "lost") if shown else _View(whole, "turned")
    return _View(ruling, "open" if ruling.pairs >= ENOUGH else "few")


def _rules(fresh: Track, *, half: bool) -> bool:
    shown = max(fresh.for_it, fresh.against_it, fresh.not_worse if half else 0.0)
    return fresh.pairs >= ENOUGH or shown >= SHOWN


def _next(
    prior: Standing | None, views: list[_View], now: Watched, *, suspect: bool
) -> tuple[State, Because]:
    gone: State = "HOP" if now.bases else "DEMOTED"
    out = prior is not None and prior.state not in ROUTED
    if any(view.found == "lost" for view in views):
        return gone, "lost"
    if any(view.found == "turned" for view in views):
        return gone, "turned"
    keeps = bool(views) and all(view.found in ("ahead", "cheap") for view in views)
    if keeps and not (out and (suspect or any(view.doubted for view in views))):
        return "PROMOTED", "ahead" if any(v.found == "ahead" for v in views) else "cheap"
    if out and prior is not None:
        # A proof that is younger than the demotion gives the route back, on watch.
        if now.holds and now.proved[:10] > prior.since[:10]:
            return "WATCH", "proved again"
        return gone, "stays out"
    if now.lapsed:
        return gone, "lapsed"
    if now.holds and not any(view.found == "open" for view in views):
        return "PROMOTED", "proof"
    return "WATCH", "open" if now.holds else "unproved"


def _telling(views: list[_View]) -> Track | None:
    """The track that the sentence is about: who speaks against it most, the general model first."""
    order: tuple[_Found, ...] = ("lost", "turned", "open", "few", "cheap", "ahead")
    ranked = sorted(views, key=lambda view: order.index(view.found))
    return ranked[0].ruling if ranked else None


def _bytes(cost: Cost) -> int | None:
    if cost.size_bytes is None and cost.shared_bytes is None:
        return None
    return (cost.size_bytes or 0) + (cost.shared_bytes or 0)
