"""What the ledger holds of the watch: pairs, standings and feedback, as rows and back again.

It knows the bodies of the kinds ``outcomes``, ``state`` and ``feedback``; it asks nobody anything
and judges nothing. A row that a later version wrote is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from metier.ledger import Ledger, Row
from metier.manifest import canonical_json
from metier.reference import Digest
from metier.watching import Pair, Rival, Standing, State, Track

FORMAT = "metier.outcomes/1"
STATE_FORMAT = "metier.state/1"
MOST_PAIRS = 20_000
"""Pairs in one row: a row's body is bounded."""
_RIVALS: tuple[Rival, ...] = get_args(Rival)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A specialist and a rival that answered the same items.

    Attributes:
        system: Digest of the specialist.
        rival: The rival's role.
        rival_system: Its digest.
        rival_name: What people call it.
        own_ms, rival_ms: Median milliseconds of an answer, ``None`` where nothing was timed.
        own_cost, rival_cost: What a person pays, as a cost class.
    """

    system: str
    rival: Rival
    rival_system: str
    rival_name: str
    own_ms: float | None = None
    rival_ms: float | None = None
    own_cost: str = "this machine"
    rival_cost: str = "this machine"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Pairs of one meeting, as one row of the ledger holds them; ``date`` is the row's."""

    meeting: Meeting
    pairs: tuple[Pair, ...]
    date: str = ""
    hash: str = ""


def record(ledger: Ledger, name: str, meeting: Meeting, pairs: Sequence[Pair]) -> None:
    """Append pairs; more than ``MOST_PAIRS`` take several rows."""
    for start in range(0, len(pairs), MOST_PAIRS):
        body = {
            "format": FORMAT,
            **asdict(meeting),
            "pairs": [_packed(pair) for pair in pairs[start : start + MOST_PAIRS]],
        }
        ledger.append("outcomes", name, Digest.of(canonical_json(body)), body)


def outcomes_of(ledger: Ledger, name: str, system: str) -> list[Outcomes]:
    """All pairs of the specialist as it is today, oldest first."""
    found = []
    for row in ledger.rows("outcomes", name):
        body = row.body
        if body.get("format") != FORMAT or body.get("system") != system:
            continue
        if body.get("rival") not in _RIVALS:
            continue
        known = {one.name for one in fields(Meeting)}
        meeting = Meeting(**{key: value for key, value in body.items() if key in known})
        pairs = tuple(_unpacked(meeting.rival, one, row.date) for one in body["pairs"])
        found.append(Outcomes(meeting, pairs, row.date, row.hash))
    return found


def record_standing(ledger: Ledger, standing: Standing, *, date: str | None = None) -> Row:
    """Append what a look came to, whether it changed anything or not."""
    body = {"format": STATE_FORMAT, **standing_document(standing)}
    digest = Digest.parse(standing.system)
    return ledger.append("state", standing.name, digest, body, date=date)


def standings_of(ledger: Ledger, name: str | None = None) -> Iterator[tuple[Row, Standing]]:
    """Every look at a specialist, or at all, oldest first."""
    for row in ledger.rows("state", name):
        standing = _standing(row.body)
        if standing is not None:
            yield row, standing


def standing_document(standing: Standing) -> dict[str, Any]:
    """JSON-serialisable mapping of a standing."""
    document = asdict(standing)
    document["tracks"] = [asdict(track) for track in standing.tracks]
    return document


def _standing(body: Mapping[str, Any]) -> Standing | None:
    if body.get("format") != STATE_FORMAT or body.get("state") not in get_args(State):
        return None
    known = {one.name for one in fields(Standing)}
    facts = {key: value for key, value in body.items() if key in known}
    own = {one.name for one in fields(Track)}
    tracks = tuple(
        Track(**{key: value for key, value in track.items() if key in own})
        for track in body["tracks"]
        if track.get("rival") in _RIVALS
    )
    return Standing(**{**facts, "tracks": tracks})


def _packed(pair: Pair) -> list[Any]:
    """Cluster and date only where they say something; pairs make up nearly all of the ledger."""
    cluster = "" if pair.cluster == pair.item else pair.cluster
    return [pair.item, cluster, pair.own, pair.other, pair.date, int(pair.fresh), pair.source]


def _unpacked(rival: Rival, packed: Sequence[Any], look: str) -> Pair:
    item, cluster, own, other, date, fresh, source = packed
    return Pair(
        rival=rival,
        item=item,
        cluster=cluster or item,
        own=own,
        other=other,
        date=date,
        fresh=bool(fresh),
        source=source,
        look=look,
    )
