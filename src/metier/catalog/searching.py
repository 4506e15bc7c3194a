"""One question to all volumes: what the words mean, which entries may answer, in which order.

It knows records, volumes and rules; it builds none of them, encodes no text and reads no ledger.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metier.catalog.ranking import Candidate, covered, ordered, sought, weights
from metier.catalog.records import Records, Row, day_number
from metier.catalog.resolving import known, resolve
from metier.catalog.standing import PROVED, verdict_bit
from metier.catalog.tongues import foreign, named_in
from metier.catalog.volumes import Filters, Mask, Volume
from metier.catalog.words import Meant, fold, idle, unicode_only, words
from metier.finding import Proof, Query

if TYPE_CHECKING:
    from metier.catalog.text import Wanted

WINDOW, LARGE_WINDOW, LARGE = 200, 40, 100_000
"""Entries by words, and half as many by meaning, that are ranked against each other; fewer where
there are many. All that are proved are among them. Further pages follow in the order of words."""
NEAR_ENOUGH = 0.3
"""The least cosine by which meaning alone finds an entry."""
RELEVANT = 0.1
"""Relevance under which an entry is left out, where all that match were ranked."""
SHARE = 0.4
"""The share of the best one's relevance under which it is left out too: who has one word of many
is noise behind who has them all, and stays where nobody has more."""
MOST_TRIED = 5000
"""Entries that are looked at one by one, for what no index can filter."""
MOST_HITS, FARTHEST, LONGEST_FILTER = 1000, 100_000, 301
FACETS = ("task", "domain", "licence")

Facets = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Sources:
    """What is searched.

    Attributes:
        records: The truth.
        volumes: By origin.
        encoder: What made the vectors; "" without one.
        encode: A text to its vector of length 1, or ``None``: words alone.
        proofs: By id.
        levels: By id, where it is another than the row says.
        installed: Id to the name under which it is installed here.
        fits: Whether an entry (by id) runs here; asked only where the query wants it.
    """

    records: Records
    volumes: Mapping[str, Volume]
    encoder: str = ""
    encode: Callable[[str], NDArray[np.float32] | None] | None = None
    proofs: Mapping[int, Proof] = field(default_factory=dict)
    levels: Mapping[int, int] = field(default_factory=dict)
    installed: Mapping[int, str] = field(default_factory=dict)
    fits: Callable[[Sequence[int]], set[int]] | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a search came to.

    Attributes:
        hits: The candidates of the page, each with its group.
        origins: Id to origin, of the hits.
        total: How many there are in all.
        facets: By filter: folded values and how many have them; ``origin`` too.
        corrected: Words that nobody has, with what was searched instead.
        meant: What the words were taken for.
        notes: What a person should know.
    """

    hits: tuple[tuple[Candidate, int], ...]
    origins: Mapping[int, str]
    total: int
    facets: Facets
    corrected: tuple[tuple[str, str], ...] = ()
    meant: tuple[Meant, ...] = ()
    notes: tuple[str, ...] = ()


def search(query: Query, sources: Sources) -> Ranked:
    """Answer a query; see ``docs/explanation/finding.md``."""
    query = _bounded(query)
    asked, notes = words(query.words)
    volumes = _volumes(query, sources)
    filters = _filters(query, sources, volumes)
    if not query.words.strip():
        return _everything(query, sources, volumes, filters)
    resolved, corrected = resolve(asked, list(volumes.values()), sources.records)
    scan = _Scan(query, sources, volumes, filters, resolved)
    found = scan.best() if query.order == "best" else scan.plain()
    said = [*notes, *scan.notes]
    if not asked and not found.total:
        said.append("There is no word to look for in this query.")
    return replace(found, corrected=corrected, meant=resolved, notes=tuple(said))


class _Scan:
    """One query with words on its way through the volumes."""

    def __init__(
        self,
        query: Query,
        sources: Sources,
        volumes: Mapping[str, Volume],
        filters: Filters,
        meant: tuple[Meant, ...],
    ) -> None:
        self.notes: list[str] = []
        self._query, self._sources, self._volumes = query, sources, volumes
        self._filters, self._meant = filters, meant
        listed = list(volumes.values())
        self._said = frozenset(one.word.term for one in meant)
        count = sum(volume.count for volume in listed)
        share = weights(meant, lambda term: known(term, listed), max(count, 1))
        self._sought = sought(meant, share)
        self._large = count >= LARGE
        self._window = LARGE_WINDOW if self._large else WINDOW
        self._masks = {origin: volume.mask(filters) for origin, volume in volumes.items()}

    def best(self) -> Ranked:
        """By relevance and proof."""
        return self._best(self._query.offset, self._query.limit)

    def _best(self, start: int, most: int) -> Ranked:
        scores, complete = self._by_words(self._window)
        cosines, near = self._by_meaning(self._window // 2)
        found = {**self._proved(), **near, **scores}
        candidates, origins = self._candidates(found, cosines)
        if complete:
            best = max((one.relevance for one in candidates), default=0.0)
            least = max(RELEVANT, SHARE * best)
            candidates = [one for one in candidates if one.relevance >= least]
        ranked = ordered(candidates)
        if complete:
            total, facets = len(ranked), _facets_of([one for one, _ in ranked], origins)
        else:
            total, facets = self._counted(candidates, origins)
            if start + most > len(ranked):
                seen = {one.row.id for one in candidates}
                ranked += self._further(start + most, seen, ranked, origins)
        return Ranked(tuple(ranked[start : start + most]), origins, total, facets)

    def plain(self) -> Ranked:
        """By one of the plain orders: what has every word; what is relevant, if nothing has."""
        order, start = self._query.order, self._query.offset
        end = start + self._query.limit
        wanted = _wanted(self._filters)
        ids: dict[int, str] = {}
        tried = False
        for origin, volume in self._volumes.items():
            places = self._tried(origin)
            tried = tried or places is not None
            if places is None and self._meant:
                places = volume.words.ordered(self._meant, wanted, order, end)
            ids.update(self._ids(volume, origin, places or ()))
        candidates, origins = self._candidates(ids, {})
        found = [one for one in candidates if len(one.matches) == len(self._meant)]
        if not found:
            relevant = self._best(0, self._window)
            found, origins = [one for one, _ in relevant.hits], dict(relevant.origins)
            total, facets = relevant.total, relevant.facets
        elif tried:
            total, facets = len(found), _facets_of(found, origins)
        else:
            facets = self._facets(found, every=True)
            total = sum(facets["origin"].values())
        found.sort(key=lambda one: _plain_key(order, one.row))
        return Ranked(tuple((one, 1) for one in found[start:end]), origins, total, facets)

    def _by_words(self, most: int) -> tuple[dict[int, str], bool]:
        """Ids with their origin, and whether these are all that have one of the words."""
        found: dict[int, str] = {}
        complete = True
        if not self._meant:
            return found, True
        for origin, volume in self._volumes.items():
            places = self._tried(origin)
            if places is None:
                hits = volume.words.search(self._meant, _wanted(self._filters), most)
                places = [place for place, _ in hits]
                complete = complete and len(places) < most
            found.update(self._ids(volume, origin, places))
        return found, complete

    def _proved(self) -> dict[int, str]:
        """What is proved and passes the filters, wherever its words would place it."""
        found = {}
        for identity in self._sources.proofs:
            for origin, volume in self._volumes.items():
                place = volume.place(identity)
                mask = self._masks[origin]
                if place is not None and (mask is None or mask[place]):
                    found[identity] = origin
        return found

    def _tried(self, origin: str) -> list[int] | None:
        """All places that pass a filter which the words' index does not know, if there is one."""
        if self._filters.only is None and not self._filters.verdict:
            return None
        mask = self._masks[origin]
        if mask is None:
            return None
        places = np.flatnonzero(mask)
        if len(places) > MOST_TRIED:
            self.notes.append(f"Only {MOST_TRIED:,} entries that pass the filters were looked at.")
        return [int(place) for place in places[:MOST_TRIED]]

    def _by_meaning(self, most: int) -> tuple[dict[int, float], dict[int, str]]:
        """Ids with the cosine of their meaning, and with their origin."""
        found: dict[int, float] = {}
        origins: dict[int, str] = {}
        if not self._query.meaning or self._sources.encode is None:
            return found, origins
        vector = self._sources.encode(self._query.words[:1000])
        if vector is None:
            return found, origins
        for origin, volume in self._volumes.items():
            meaning = volume.meaning(self._sources.encoder)
            if meaning is None or meaning.width != len(vector):
                continue
            ids = volume.numbers("id")
            for place, cosine in meaning.nearest(vector, most, self._masks[origin]):
                if cosine >= NEAR_ENOUGH or volume.count <= self._window:
                    found[int(ids[place])] = cosine
                    origins[int(ids[place])] = origin
        return found, origins

    def _candidates(
        self, ids: Mapping[int, str], cosines: Mapping[int, float]
    ) -> tuple[list[Candidate], dict[int, str]]:
        rows = self._sources.records.rows_of(list(ids))
        asked = fold(self._query.words.strip())
        quiet = [f" {term} " for term in idle(self._query.words)]
        found = []
        for identity, row in rows.items():
            coverage, matches = covered(row, self._sought)
            cosine = cosines.get(identity)
            if not matches and (cosine is None or cosine < NEAR_ENOUGH):
                continue
            proof = self._sources.proofs.get(identity)
            exact = row.name.casefold().endswith(asked[-60:]) and asked in (
                fold(row.name),
                fold(row.name).rpartition("/")[2],
            )
            tongue = foreign(row.languages)
            found.append(
                Candidate(
                    row=row,
                    matches=matches,
                    coverage=coverage,
                    cosine=cosine,
                    proof=proof,
                    level=_level(row, self._sources),
                    exact=exact,
                    named=sum(term in row.name_terms for term in quiet),
                    tongue=tongue,
                    called=named_in(tongue, self._said),
                )
            )
        return found, dict(ids)

    def _counted(
        self, candidates: Sequence[Candidate], origins: Mapping[int, str]
    ) -> tuple[int, Facets]:
        """How many have one of the words, and what meaning alone found beside."""
        facets = self._facets(candidates, every=False)
        for one in candidates:
            if not one.matches:
                for name in FACETS if not self._large else ():
                    if value := getattr(one.row, name):
                        facets[name][value] = facets[name].get(value, 0) + 1
                origin = origins[one.row.id]
                facets["origin"][origin] = facets["origin"].get(origin, 0) + 1
        return sum(facets["origin"].values()), facets

    def _facets(self, best: Sequence[Candidate], *, every: bool) -> Facets:
        """What can be filtered by: among all, or among the best where there are very many."""
        wanted = _wanted(self._filters)
        found: Facets = {name: {} for name in (*FACETS, "origin")}
        for origin, volume in self._volumes.items():
            if (count := volume.words.count_all(self._meant, wanted, every=every)) == 0:
                continue
            found["origin"][origin] = count
            if self._large:
                continue
            for name, counts in volume.words.facets(self._meant, wanted, every=every).items():
                for value, number in counts.items():
                    found[name][value] = found[name].get(value, 0) + number
        if self._large:
            found |= _facets_of(best, {})
            self.notes.append(f"The filters count the best {len(best):,} only: there are too many.")
        return found

    def _further(
        self,
        page: int,
        seen: set[int],
        ranked: Sequence[tuple[Candidate, int]],
        origins: dict[int, str],
    ) -> list[tuple[Candidate, int]]:
        """What follows the ranked window: by words alone, in one last group."""
        ids, _ = self._by_words(page + self._window)
        rest = [identity for identity in ids if identity not in seen]
        wanted = rest[: max(page - len(ranked), 0)]
        candidates, more = self._candidates({one: ids[one] for one in wanted}, {})
        origins.update(more)
        place = {identity: number for number, identity in enumerate(wanted)}
        candidates.sort(key=lambda one: place[one.row.id])
        group = ranked[-1][1] + 1 if ranked else 1
        return [(one, group) for one in candidates]

    def _ids(self, volume: Volume, origin: str, places: Sequence[int]) -> dict[int, str]:
        mask = self._masks[origin]
        ids = volume.numbers("id")
        return {int(ids[p]): origin for p in places if mask is None or mask[p]}


def _facets_of(found: Sequence[Candidate], origins: Mapping[int, str]) -> Facets:
    """Counted one by one, where every entry that matches is known."""
    facets: Facets = {
        name: dict(Counter(value for one in found if (value := getattr(one.row, name))))
        for name in FACETS
    }
    if origins:
        facets["origin"] = dict(Counter(origins[one.row.id] for one in found))
    return facets


def _everything(
    query: Query, sources: Sources, volumes: Mapping[str, Volume], filters: Filters
) -> Ranked:
    """Without words: all that pass, by standing or by a plain order."""
    facets: Facets = {name: {} for name in (*FACETS, "origin")}
    order = "standing" if query.order == "best" else query.order
    special = {*sources.proofs, *sources.levels} if order == "standing" else set()
    page = query.offset + query.limit
    chosen: dict[int, str] = {}
    for origin, volume in volumes.items():
        mask = volume.mask(filters)
        count = volume.count if mask is None else int(mask.sum())
        if count:
            facets["origin"][origin] = count
        for name, counts in volume.facets(mask).items():
            for value, number in counts.items():
                facets[name][value] = facets[name].get(value, 0) + number
        ids = volume.numbers("id")
        moved = [place for one in special if (place := volume.place(one)) is not None]
        firsts = _first(volume.order(order), mask, page + len(moved))
        passing = [place for place in moved if mask is None or mask[place]]
        chosen.update((int(ids[place]), origin) for place in (*firsts, *passing))
    rows = sources.records.rows_of(list(chosen))
    candidates = [
        Candidate(row, proof=sources.proofs.get(row.id), level=_level(row, sources), coverage=1.0)
        for row in rows.values()
    ]
    if order == "standing":
        ranked = ordered(candidates)
    else:
        found = heapq.nsmallest(page, candidates, key=lambda one: _plain_key(order, one.row))
        ranked = [(one, 1) for one in found]
    total = sum(facets["origin"].values())
    return Ranked(tuple(ranked[query.offset : page]), chosen, total, facets)


def _first(order: NDArray[np.int64], mask: Mask | None, most: int) -> list[int]:
    """The first places of an order that pass, read in growing lots."""
    if mask is None:
        return [int(place) for place in order[:most]]
    found: list[int] = []
    start, lot = 0, max(4 * most, 1024)
    while start < len(order) and len(found) < most:
        places = order[start : start + lot]
        found.extend(places[mask[places]].tolist())
        start, lot = start + lot, lot * 4
    return found[:most]


def _bounded(query: Query) -> Query:
    """The query with texts that are Unicode and numbers that no page exceeds."""
    texts = ("task", "domain", "licence", "base", "verdict", "since", "origin")
    told: dict[str, Any] = {
        name: unicode_only(getattr(query, name)[:LONGEST_FILTER]) for name in texts
    }
    return replace(
        query,
        words=unicode_only(query.words),
        limit=min(max(query.limit, 0), MOST_HITS),
        offset=min(max(query.offset, 0), FARTHEST),
        **told,
    )


def _volumes(query: Query, sources: Sources) -> dict[str, Volume]:
    """Those that are asked: all, or one origin; ``here`` is what is installed from anywhere."""
    wanted = query.origin
    if not wanted or wanted == "here":
        return dict(sources.volumes)
    return {origin: one for origin, one in sources.volumes.items() if origin == wanted}


def _filters(query: Query, sources: Sources, volumes: Mapping[str, Volume]) -> Filters:
    only: frozenset[int] | None = None
    if query.here or query.origin == "here":
        only = frozenset(sources.installed)
    if query.proved:
        proved = frozenset(sources.proofs)
        only = proved if only is None else only & proved
    facets = {"task": query.task, "domain": query.domain, "licence": query.licence}
    filters = Filters(
        facets={**{name: fold(value) for name, value in facets.items()}, "base": fold(query.base)},
        most_bytes=query.most_bytes,
        least_context=query.least_context,
        since=day_number(query.since) if query.since else None,
        verdict=verdict_bit(query.verdict) if query.verdict else 0,
        only=only,
    )
    if query.verdict and not filters.verdict:
        return replace(filters, only=frozenset())
    if query.fits and sources.fits is not None:
        ids = list(_passing(volumes, filters))
        return replace(filters, only=frozenset(sources.fits(ids)))
    return filters


def _passing(volumes: Mapping[str, Volume], filters: Filters) -> Iterator[int]:
    for volume in volumes.values():
        places = _first(volume.order("standing"), volume.mask(filters), MOST_TRIED)
        yield from volume.numbers("id")[places].tolist()


def _wanted(filters: Filters) -> Wanted:
    from metier.catalog.text import Wanted

    facets = {name: value for name, value in filters.facets.items() if name != "base"}
    return Wanted(
        facets,
        filters.facets.get("base", ""),
        filters.most_bytes,
        filters.least_context,
        filters.since,
    )


def _level(row: Row, sources: Sources) -> int:
    if row.id in sources.proofs:
        return PROVED
    return sources.levels.get(row.id, row.level)


def _plain_key(order: str, row: Row) -> tuple[object, ...]:
    name = row.name.casefold()
    if order == "newest":
        return (-row.released, name)
    if order == "smallest":
        return (row.size <= 0, row.size, name)
    return (name,)
