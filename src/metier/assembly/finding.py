"""What can be found: what is installed and what catalogues name, behind one question.

It puts together the fleet, the ledger and the catalogues; how words are matched and what is
ranked first is ``catalog``'s matter.
"""

from __future__ import annotations

import difflib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from metier.assembly.entering import entry_of
from metier.errors import NotFoundError
from metier.finding import Facet, Found, Hit, Query
from metier.fleet import Fleet
from metier.generating import ModelListing

if TYPE_CHECKING:
    from metier.assembly.metier import Metier

HERE = "here"


class Finder:
    """Searches what is known; threads may share it."""

    def __init__(self, fleet: Fleet, listings: Callable[[], Sequence[ModelListing]]) -> None:
        self._fleet = fleet
        self._listings = listings

    def find(self, query: Query) -> Found:
        """Hits in an honest order, each with the reasons why it is there."""
        began = time.perf_counter()
        words = query.words.casefold().split()
        hits = [hit for hit in self._all() if _passes(hit, query, words)]
        shown = hits[query.offset : query.offset + query.limit]
        took = (time.perf_counter() - began) * 1000
        return Found(query, tuple(shown), len(hits), _facets(hits), milliseconds=took)

    def entry(self, origin: str, name: str) -> Hit:
        """One entry; raises NotFoundError (code ``no_entry``) with near names."""
        hits = [hit for hit in self._all() if hit.origin == origin]
        for hit in hits:
            if hit.entry.name == name:
                return hit
        near = difflib.get_close_matches(name, [hit.entry.name for hit in hits], n=3)
        guess = f" Did you mean {' or '.join(near)}?" if near else ""
        raise NotFoundError(
            f"There is no entry {name[:200]!r} in the catalogue {origin[:200]!r}.{guess}",
            code="no_entry",
            remedy="'metier find WORDS' lists what there is.",
            details={"near": near},
        )

    def _all(self) -> list[Hit]:
        listed = {listing.name: listing for listing in self._listings()}
        return [
            Hit(
                entry_of(installed, listed.get(installed.name)),
                HERE,
                installed=installed.name,
                verdicts=_verdicts(installed),
            )
            for installed in self._fleet.list()
        ]


def open_finder(metier: Metier) -> Finder:
    """The finder of one home; nothing is read before it is asked."""
    return Finder(metier.fleet, metier.models.listings)


def _verdicts(installed: object) -> Mapping[str, str]:
    evidence = getattr(getattr(installed, "card", None), "evidence", ())
    return {one.against: str(one.difference.verdict) for one in evidence}


def _passes(hit: Hit, query: Query, words: Sequence[str]) -> bool:
    entry = hit.entry
    text = " ".join((entry.name, entry.task, entry.domain, *entry.also, entry.description))
    folded = text.casefold()
    wanted = {"task": query.task, "domain": query.domain}
    return all(word in folded for word in words) and all(
        not value or str(getattr(entry, name)).casefold() == value.casefold()
        for name, value in wanted.items()
    )


def _facets(hits: Sequence[Hit]) -> Mapping[str, tuple[Facet, ...]]:
    counted = {
        "task": Counter(hit.entry.task for hit in hits),
        "domain": Counter(hit.entry.domain for hit in hits),
        "licence": Counter(hit.entry.licence for hit in hits if hit.entry.licence),
        "origin": Counter(hit.origin for hit in hits),
    }
    return {
        name: tuple(Facet(value, count) for value, count in counts.most_common())
        for name, counts in counted.items()
    }
