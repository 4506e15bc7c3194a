"""Catalogues as a person keeps them: added, brought up to date, built and removed; and the hub.

It puts together what is installed, the curated index, the folder of added catalogues and the
network. The network is used only by the verb that says so, and what was added is searched
without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from metier.assembly.entering import entry_of
from metier.catalog import curated, static
from metier.catalog.keeping import Kept, Shelf
from metier.errors import MetierError, UnavailableError
from metier.finding import Entry, Hit, Query, Reason
from metier.fleet import Fleet
from metier.generating import ModelListing
from metier.hub import PUBLIC_ENDPOINT, Origin, stored_token
from metier.hub.catalogues import Bounds, catalogue_address, catalogue_reader
from metier.hub.searching import search_hub
from metier.messages import Progress, Report, silent
from metier.reference import Digest
from metier.settings import Settings
from metier.version import __version__

if TYPE_CHECKING:
    from metier.assembly.metier import Metier

From = Literal["here", "curated"]
_BYTES_PER_PARAMETER = 0.6
"""Of four-bit weights with what stands beside them; the hub filters by parameters, not bytes."""


@dataclass(frozen=True, slots=True)
class Updated:
    """How bringing one catalogue up to date went.

    Attributes:
        name: The catalogue.
        entries: How many it has now.
        changed: Whether anything is other than before.
        error: Why it is as it was, or ``None``.
    """

    name: str
    entries: int
    changed: bool
    error: MetierError | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A static catalogue that was written: where, what it is called, and how much it is."""

    folder: Path
    name: str
    entries: int
    cards: int
    bytes: int


class Cataloguer:
    """The catalogues of one home; threads may share it.

    Args:
        settings: Where the home and the hub are, and whether the network may be asked.
        fleet: What is installed.
        listings: Its models as they are listed.
        shelf: The added catalogues, as they are searched.
        changed: Called when a catalogue came, went or became another, so that it is searched.
        origin: Who asks the network, and how names are looked up.
        bounds: What a fetched catalogue may take.
    """

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        listings: Callable[[], Sequence[ModelListing]],
        shelf: Shelf,
        *,
        changed: Callable[[], None] = lambda: None,
        origin: Origin | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._settings, self.shelf = settings, shelf
        self._fleet, self._listings, self._changed = fleet, listings, changed
        self._origin = origin or Origin(PUBLIC_ENDPOINT, agent=f"metier/{__version__}")
        self._bounds = bounds or Bounds()

    def add(
        self, where: str, *, name: str = "", private: bool = False, report: Report = silent
    ) -> Kept:
        """Take in a static catalogue from an address or a folder.

        Args:
            where: An https address, or a folder of this machine.
            name: What it is called here, if not what it calls itself.
            private: Whether the address may be in a private network.
            report: Receives progress.

        Raises:
            InputError: ``bad_address``, ``bad_catalogue``, ``catalogue_taken``,
                ``catalogue_too_large``.
            UnavailableError: ``offline``, ``hub_unreachable``, ``private_address`` …
        """
        address = catalogue_address(where)
        if address is None:
            folder = Path(where).expanduser().resolve()
            read = _renamed(static.reader(folder), name)
            kept = self.shelf.add(read, address=str(folder), today=_today())
        else:
            with self._reading(address, private=private, report=report) as read:
                kept = self.shelf.add(_renamed(read, name), address=address, today=_today())
        report(Progress("index", f"Reading {kept.catalogue.entries:,} entries in."))
        self._changed()
        return kept

    def remove(self, name: str) -> None:
        """Forget a catalogue; raises NotFoundError (code ``no_catalogue``)."""
        self.shelf.remove(name)
        self._changed()

    def added(self) -> tuple[list[Kept], list[str]]:
        """What was added and can be read, and sentences on what cannot."""
        return self.shelf.list()

    def update(
        self, name: str = "", *, private: bool = False, report: Report = silent
    ) -> list[Updated]:
        """Fetch one or all again from where they came; one that fails stays as it was.

        Raises:
            NotFoundError: There is none of this name (code ``no_catalogue``).
        """
        kept = [self.shelf.show(name)] if name else self.shelf.list()[0]
        return [self._updated(one, private=private, report=report) for one in kept]

    def build(self, folder: Path, *, source: From, name: str, title: str = "") -> Built:
        """Write a static catalogue of what is installed, or of the curated index.

        Raises:
            InputError: The name is none, or an entry would not be read again (``bad_catalogue``).
            StorageError: The folder cannot be written.
        """
        cards: list[bytes] = []
        entries: Sequence[Entry] = curated.entries()
        if source == "here":
            entries = tuple(self._installed(cards))
        files = static.render(entries, name=name, title=title, made=_today(), cards=cards)
        static.write(folder, files)
        return Built(folder, name, len(entries), len(cards), sum(map(len, files.values())))

    def search_hub(self, query: Query) -> tuple[Hit, ...]:
        """What the hub finds for a person's question; of the filters it knows task and size.

        Raises:
            UnavailableError: ``offline``, ``hub_unreachable`` …
        """
        self._require_network()
        most = query.most_bytes
        entries = search_hub(
            query.words,
            task=query.task,
            most_parameters=round(most / _BYTES_PER_PARAMETER) if most else None,
            order="createdAt" if query.order == "newest" else "downloads",
            limit=query.limit,
            endpoint=self._settings.hub_endpoint or PUBLIC_ENDPOINT,
            token=stored_token(),
            today=_today(),
        )
        why = Reason("word", "the hub says so; nothing of it was measured by us")
        return tuple(
            Hit(entry, "hub", reasons=(why,)) for entry in entries if _passes(entry, query)
        )

    def _installed(self, cards: list[bytes]) -> Iterator[Entry]:
        listed = {listing.name: listing for listing in self._listings()}
        for installed in self._fleet.list():
            entry = entry_of(installed, listed.get(installed.name))
            data = installed.card.to_bytes() if installed.card is not None else None
            if data is not None:
                cards.append(data)
            yield entry.model_copy(update={"card": str(Digest.of(data)) if data else None})

    def _updated(self, kept: Kept, *, private: bool, report: Report) -> Updated:
        name = kept.catalogue.name
        try:
            fresh = self.add(kept.address, name=name, private=private, report=report)
        except MetierError as error:
            return Updated(name, kept.catalogue.entries, changed=False, error=error)
        return Updated(name, fresh.catalogue.entries, fresh.catalogue != kept.catalogue)

    @contextmanager
    def _reading(self, address: str, *, private: bool, report: Report) -> Iterator[static.Read]:
        self._require_network()

        def fetched(files: int, count: int) -> None:
            report(Progress("fetch", f"Fetching: {files:,} files, {count / 1e6:.1f} MB."))

        report(Progress("fetch", f"Asking {address[:160]}."))
        with catalogue_reader(
            address, self._origin, private=private, bounds=self._bounds, fetched=fetched
        ) as read:
            yield read

    def _require_network(self) -> None:
        if self._settings.hub_offline:
            raise UnavailableError(
                "HF_HUB_OFFLINE is set, so nobody is asked.",
                code="offline",
                remedy="Unset it, or search what is here: metier find WORDS",
            )


def open_cataloguer(metier: Metier) -> Cataloguer:
    """The catalogues of one home; nothing is read before it is asked."""
    return Cataloguer(
        metier.settings,
        metier.fleet,
        metier.models.listings,
        metier.finder.shelf,
        changed=metier.finder.refresh,
    )


def _renamed(read: static.Read, name: str) -> static.Read:
    """A catalogue under another name; its files keep their digests."""
    if not name:
        return read

    def renamed(path: str, most: int) -> bytes:
        data = read(path, most)
        if path != static.CATALOGUE or len(data) >= most:
            return data
        catalogue = static.read_catalogue(data, path)
        told = catalogue.model_dump(mode="json", exclude_defaults=True)
        return json.dumps({**told, "format": 1, "name": name}).encode()

    return renamed


def _passes(entry: Entry, query: Query) -> bool:
    """The filters that the hub does not know, over what it said."""
    checks = (
        not query.licence or (entry.licence or "").casefold() == query.licence.casefold(),
        not query.base or (entry.base or "").casefold() == query.base.casefold(),
        not query.since or (entry.released or "") >= query.since,
        not query.least_context or (entry.context or 0) >= query.least_context,
    )
    return all(checks)


def _today() -> str:
    return datetime.now(tz=UTC).date().isoformat()
