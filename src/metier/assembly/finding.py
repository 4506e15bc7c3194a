"""What can be found: what is installed and what catalogues name, behind one question.

It puts together the fleet, the ledger, the encoder, the estimate of fit and the catalogues; how
words are matched and what is ranked first is ``catalog``'s matter.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.answer import Answering
from metier.assembly.entering import entry_of, facts_of, upstream_of
from metier.assembly.proofs import Executed, Proofs, Subject, proofs_of, state
from metier.assembly.starting import DEFAULT_BASE
from metier.assembly.workbench import Workbench, decoder, today, toolchain
from metier.catalog.keeping import RESERVED, Shelf
from metier.catalog.ranking import Candidate
from metier.catalog.reasons import reasons
from metier.catalog.records import Fresh, Kept
from metier.catalog.searching import Ranked, Sources, search
from metier.catalog.standing import telling
from metier.catalog.stock import Library
from metier.catalog.words import unicode_only
from metier.errors import CorruptError, MetierError, NotFoundError, StorageError
from metier.finding import Facet, Fit, Found, Hit, Proof, Query, Reason
from metier.fleet import Fleet, Installed
from metier.generating import ModelListing
from metier.ledger import Ledger, Row
from metier.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metier.assembly.binding import Binding
    from metier.assembly.metier import Metier
    from metier.examine.bound import Bench

HERE, CURATED = "here", "curated"
VIEW = "int8"
"""The encoder's view that meaning is searched by; the starters answer with the same one."""
AT_ONCE = 400
"""Entries whose meaning is worked out while a person waits, once; more are left to a thread."""
_PREPARING = "Meaning is still being worked out: found by words alone."
_NO_ENCODER = (
    "Meaning is left out: the default encoder is not installed; 'metier doctor' says how to get it."
)
_READ_ONLY = (
    "The home may not be written: found as of the last search; what was measured here may be left"
    " out."
)
FACTS = 2
"""Of ``facts_of``: counts up when they say more, so that what is installed is read again."""
MOST_REMEMBERED = 64
"""Queries without words whose order is kept."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a finder is handed.

    Attributes:
        home: The home folder.
        fleet: What is installed.
        listings: What it lists of local models.
        ledger: Opens the ledger.
        base_of: The digest of an installed base, by name.
        fit: Whether a hit runs here.
        encode: Texts to vectors by the default encoder; raises MetierError where it is missing.
        binding: What chat specialists stand on.
    """

    home: Path
    fleet: Fleet
    listings: Callable[[], Sequence[ModelListing]]
    ledger: Callable[[], Ledger]
    base_of: Callable[[str], str | None]
    fit: Callable[[Hit], Fit]
    encode: Callable[[Sequence[str]], NDArray[np.float32]]
    binding: Binding


class Finder:
    """Searches what is known; threads may share it."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._library = Library(means.home / "catalog")
        self.shelf = Shelf(means.home / "catalogs")
        self._lock = threading.RLock()
        self._proved: tuple[str, Proofs] | None = None
        self._placed: tuple[str, Mapping[int, str]] | None = None
        self._stamped: tuple[object, str] | None = None
        self._learning: threading.Thread | None = None
        self._shown: dict[tuple[str, str], str] = {}
        self._remembered: tuple[object, dict[Query, Ranked]] | None = None

    def find(self, query: Query, *, wait: bool = True) -> Found:
        """Hits in an honest order, each with the reasons why it is there.

        Args:
            query: What is asked.
            wait: Whether to wait for another process that reads a large catalogue in; else what
                was known before answers.

        Raises:
            StorageError: The home cannot be written.
        """
        began = time.perf_counter()
        try:
            found = self._find(query, wait)
        except CorruptError as error:
            if error.code not in ("bad_volume", "bad_records"):
                raise
            # They are made of other things: what is damaged is made again, once.
            self._library.restart(records=error.code == "bad_records")
            found = self._find(query, wait)
        hits, ranked, notes = found
        return Found(
            query=query,
            hits=hits,
            total=ranked.total,
            facets=self._facets(ranked),
            corrected=ranked.corrected,
            milliseconds=(time.perf_counter() - began) * 1000,
            notes=tuple(dict.fromkeys((*notes, *ranked.notes))),
        )

    def entry(self, origin: str, name: str) -> Hit:
        """One entry; raises NotFoundError (code ``no_entry``) with near names."""
        self._renew(wait=True)
        origin, name = unicode_only(origin), unicode_only(name)
        kept = self._library.records.named(origin, name)
        if kept is None:
            names = self._library.records.names(origin, like=name)
            near = difflib.get_close_matches(name, names, n=3)
            guess = f" Did you mean {' or '.join(near)}?" if near else ""
            raise NotFoundError(
                f"There is no entry {name[:200]!r} in the catalogue {origin[:200]!r}.{guess}",
                code="no_entry",
                remedy="'metier find WORDS' lists what there is.",
                details={"near": near},
            )
        (row,) = self._library.records.rows_of([kept.id]).values()
        proofs = self._proofs()
        one = Candidate(row, proof=proofs.proofs.get(kept.id))
        return self._hit(one, 1, kept, Query(), (self._places(), proofs))

    def proved(self) -> dict[str, Proof]:
        """The proof that everything installed holds today, by its name here."""
        self._renew(wait=True)
        places = self._places()
        held = self._proofs().proofs
        return {places[one]: proof for one, proof in held.items() if one in places}

    def warm(self) -> None:
        """Read in what changed and work meaning out, in a thread: for a server that starts."""

        def work() -> None:
            self._renew(wait=False)
            self._library.volumes()
            self._learn()

        self._start(work)

    def refresh(self) -> None:
        """Read in what changed, and build what is searched; for whoever added a catalogue."""
        self._renew(wait=True)
        self._library.volumes()

    # --- what there is --------------------------------------------------------------------------

    def _stamps(self) -> dict[str, str]:
        """By origin, what says that its source has not changed; what is installed comes last."""
        stamps = {CURATED: self._curated_stamp, **self.shelf.stamps()}
        entries = self._means.fleet.store.entries()
        others = repr(sorted(stamps.items()))
        if self._stamped is None or self._stamped[0] is not entries:
            listed = sorted(
                f"{reference.familiar} {one.digest} {one.modified}"
                for reference, one in entries.items()
            )
            self._stamped = (entries, hashlib.sha256("\n".join(listed).encode()).hexdigest())
        here = state(__version__, FACTS, self._stamped[1], others)
        return {**stamps, HERE: here}

    @cached_property
    def _curated_stamp(self) -> str:
        from metier.catalog import curated

        folder = Path(curated.__file__).parent / "data"
        files = [(file.name, file.stat()) for file in sorted(folder.glob("*.toml"))]
        return state(__version__, [(name, one.st_size, one.st_mtime_ns) for name, one in files])

    def _renew(self, *, wait: bool) -> None:
        with self._lock:
            self._library.renew(self._stamps(), self._fresh, wait=wait)

    def _fresh(self, origin: str) -> Iterator[Fresh]:
        if origin == CURATED:
            from metier.catalog.curated import entries

            yield from (Fresh(entry) for entry in entries())
        elif origin == HERE:
            yield from self._installed()
        else:
            try:
                yield from (Fresh(entry) for entry in self.shelf.entries(origin))
            except MetierError:
                return  # ``_faults`` tells it

    def _installed(self) -> Iterator[Fresh]:
        listed = {listing.name: listing for listing in self._means.listings()}
        items = self._means.fleet.list()
        upstreams = {item.name: upstream_of(item) for item in items}
        twins = self._library.records.ids_of(sorted({*upstreams.values()} - {""}), but=HERE)
        for item in items:
            upstream = upstreams[item.name]
            yield Fresh(
                entry_of(item, listed.get(item.name)),
                {**facts_of(item), **self._bound(item), "upstream": upstream},
                hidden=bool(upstream and twins.get(upstream)),
            )

    def _bound(self, item: Installed) -> dict[str, object]:
        """What a proof of a chat specialist is judged by."""
        if item.chat is None:
            return {}
        return {"system": self._means.binding.system_of(item.name), "executed": True}

    def _places(self) -> Mapping[int, str]:
        """Ids of what is installed, twins in other catalogues too, with the name here."""
        digest = repr(self._library.records.origins())
        if self._placed is None or self._placed[0] != digest:
            found: dict[int, str] = {}
            upstreams: dict[str, str] = {}
            for identity, name, upstream in self._library.records.facts(HERE, "upstream"):
                found[identity] = name
                if upstream:
                    upstreams[upstream] = name
            for upstream, ids in self._library.records.ids_of(list(upstreams), but=HERE).items():
                found.update(dict.fromkeys(ids, upstreams[upstream]))
            self._placed = (digest, found)
        return self._placed[1]

    # --- what is proved -------------------------------------------------------------------------

    def _proofs(self) -> Proofs:
        """What holds today; judged again when anything that it depends on changed."""
        try:
            ledger = self._means.ledger()
        except StorageError:
            if os.access(self._means.home, os.W_OK):
                raise
            return Proofs()  # ``_faults`` tells it
        day, records = today(), self._library.records
        stamp = self._means.binding.stamp()
        now = state(ledger.head(), records.origins().get(HERE), day, stamp)
        if self._proved is None or self._proved[0] != now:
            rows = ledger.rows("evidence")
            systems = {str(row.body.get("system", "")) for row in rows} - {""}
            ids = [one for one, _, said in records.facts(HERE, "system") if said in systems]
            facts = records.all_facts(ids)
            self._proved = (now, self._judged(facts, rows, day) if facts else Proofs())
        return self._proved[1]

    def _judged(
        self, facts: Mapping[int, Mapping[str, Any]], rows: Sequence[Row], day: str
    ) -> Proofs:
        binding = self._means.binding
        return proofs_of(
            [_subject(identity, told) for identity, told in facts.items()],
            rows,
            results=self._means.home / "results",
            base_of=self._means.base_of,
            toolchain=self._toolchain,
            today=date.fromisoformat(day),
            executed=Executed(self._benches, binding.base_of, binding.toolchain),
            decoder=decoder(),
        )

    def _benches(self) -> Mapping[str, Bench]:
        from metier.examine.bound import benches

        return benches(row.body for row in self._means.ledger().rows("result"))

    @cached_property
    def _toolchain(self) -> Mapping[str, str]:
        return toolchain()

    # --- what is meant --------------------------------------------------------------------------

    @property
    def _encoder(self) -> str:
        """What made the vectors: the default base by digest; "" where it is not installed."""
        digest = self._means.base_of(DEFAULT_BASE)
        return f"{digest} {VIEW}" if digest else ""

    def _learn(self) -> None:
        encoder = self._encoder
        if encoder and self._library.unlearnt(encoder):
            self._library.learn(encoder, self._means.encode)

    def _meaning(self, query: Query, notes: list[str]) -> str:
        """The encoder to search with, or "" and a note why not."""
        if not query.meaning or not query.words.strip():
            return ""
        encoder = self._encoder
        if not encoder:
            notes.append(_NO_ENCODER)
            return ""
        waiting = self._library.unlearnt(encoder)
        if waiting and waiting <= AT_ONCE and not self._busy():
            with self._lock:
                self._learn()
        elif waiting:
            self._start(self._learn)
            notes.append(_PREPARING)
        return encoder

    def _encode(self, text: str) -> NDArray[np.float32] | None:
        from metier.catalog.meaning import unit

        try:
            vector: NDArray[np.float32] = unit(self._means.encode([unicode_only(text)]))[0]
        except MetierError:
            return None
        return vector if bool(vector.any()) else None

    def _busy(self) -> bool:
        return self._learning is not None and self._learning.is_alive()

    def _start(self, work: Callable[[], None]) -> None:
        if not self._busy():
            self._learning = threading.Thread(target=work, name="metier-catalogue", daemon=True)
            self._learning.start()

    # --- answering ------------------------------------------------------------------------------

    def _find(self, query: Query, wait: bool) -> tuple[tuple[Hit, ...], Ranked, list[str]]:
        self._renew(wait=wait)
        notes = self._faults()
        proofs, places = self._proofs(), self._places()
        encoder = self._meaning(query, notes)
        records = self._library.records
        sources = Sources(
            records=records,
            volumes=self._library.volumes(),
            encoder=encoder,
            encode=self._encode if encoder else None,
            proofs=proofs.proofs,
            levels=proofs.levels,
            installed=places,
            fits=self._fitting,
        )
        ranked = self._ranked(query, sources)
        kept = records.kept([one.row.id for one, _ in ranked.hits])
        hits = tuple(
            self._hit(one, group, kept[one.row.id], query, (places, proofs))
            for one, group in ranked.hits
            if one.row.id in kept
        )
        return hits, ranked, notes

    def _ranked(self, query: Query, sources: Sources) -> Ranked:
        """What a search comes to; without words it is the same until something changes.

        The first page asks nothing else, and ranking a thousand entries takes it longest.
        """
        if query.words.strip() or query.fits:
            return search(query, sources)
        judged, placed = self._proved, self._placed
        now = (tuple(sources.volumes.values()), judged and judged[0], placed and placed[0])
        if self._remembered is None or self._remembered[0] != now:
            self._remembered = (now, {})
        known = self._remembered[1]
        if query not in known:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            known[query] = search(query, sources)
        return known[query]

    def _hit(
        self,
        one: Candidate,
        group: int,
        kept: Kept,
        query: Query,
        here: tuple[Mapping[int, str], Proofs],
    ) -> Hit:
        installed = here[0].get(kept.id, "")
        judged = here[1].judged.get(kept.id, ())
        own = [item.measured.evidence for item in judged if item.measured.by]
        told = telling((*kept.entry.evidence, *(item.measured.evidence for item in judged)))
        bare = Hit(kept.entry, kept.origin, installed=installed)
        fit = self._means.fit(bare)
        why = reasons(one, kept.entry, query, judged=judged, installed=installed)
        if fit.runs != "unknown":
            why = (*why, Reason("fit", fit.said))
        return Hit(
            entry=kept.entry,
            origin=kept.origin,
            installed=installed,
            proof=one.proof,
            verdicts={role: str(item.difference.verdict) for role, item in told.items()},
            verdict_sources={
                role: "here" if any(item is mine for mine in own) else "claim"
                for role, item in told.items()
            },
            measured=telling(own),
            fit=fit,
            reasons=why,
            group=group,
        )

    def _fitting(self, ids: Sequence[int]) -> set[int]:
        """Those that are known to run here."""
        places = self._places()
        return {
            one.id
            for one in self._library.records.kept(ids).values()
            if self._means.fit(Hit(one.entry, one.origin, installed=places.get(one.id, ""))).runs
            in ("yes", "tight")
        }

    def _faults(self) -> list[str]:
        """Catalogues that were added and cannot be read, each with what is wrong."""
        found = [] if os.access(self._means.home, os.W_OK) else [_READ_ONLY]
        for name, (_, _, count) in self._library.records.origins().items():
            if not count and name not in RESERVED:
                try:
                    self.shelf.entries(name)
                except MetierError as error:
                    found.append(f"The catalogue {name!r} cannot be read: {error.message}")
        return found

    def _facets(self, ranked: Ranked) -> Mapping[str, tuple[Facet, ...]]:
        """The most frequent first, written as entries write them."""
        return {
            name: tuple(
                Facet(self._written(name, value), count)
                for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            )
            for name, counts in ranked.facets.items()
        }

    def _written(self, name: str, folded: str) -> str:
        key = (name, folded)
        if key not in self._shown:
            self._shown[key] = self._library.records.shown(name, folded)
        return self._shown[key]


def open_finder(metier: Metier, workbench: Workbench, answering: Answering) -> Finder:
    """The finder of one home; nothing is read before it is asked."""

    def base_of(name: str) -> str | None:
        base = workbench.base(name)
        return base.digest if base is not None else None

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return answering.encoder(DEFAULT_BASE, VIEW).encode(texts)

    return Finder(
        Means(
            home=metier.settings.home,
            fleet=metier.fleet,
            listings=metier.models.listings,
            ledger=lambda: metier.ledger,
            base_of=base_of,
            fit=metier.fit,
            encode=encode,
            binding=metier.tables.binding,
        )
    )


def _subject(identity: int, facts: Mapping[str, Any]) -> Subject:
    if facts.get("executed"):
        name = str(facts["installed"])
        return Subject(identity, str(facts["system"]), name, "", {}, executed=True)
    return Subject(
        identity,
        str(facts["system"]),
        str(facts.get("base", "")),
        str(facts.get("base_digest", "")),
        facts.get("toolchain") or {},
    )
