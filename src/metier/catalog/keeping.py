"""The catalogues of others that a person added: kept whole in the home, read without a network.

It knows a folder with one folder for each catalogue, and the address that each came from. It
fetches nothing: who adds one hands in how its bytes are got, and every digest is proved before
anything is kept.
"""

from __future__ import annotations

import difflib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from metier.catalog.static import (
    CATALOGUE,
    MOST_CATALOGUE_BYTES,
    Catalogue,
    Read,
    check_card,
    read_all,
    read_catalogue,
    read_folder,
    reader,
)
from metier.errors import InputError, MetierError, NotFoundError
from metier.finding import Entry
from metier.manifest import canonical_json
from metier.store.disk import draft, flush_folder, storage_errors
from metier.store.locks import locked

RESERVED = frozenset({"here", "curated", "hub"})
"""Where hits come from that no catalogue may claim to be."""
_ADDRESS = "address.json"
_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A catalogue that was added: what it says of itself, and where it came from.

    Attributes:
        catalogue: Its index.
        address: An https address or a folder of this machine.
        added: ISO date on which these bytes were taken in.
    """

    catalogue: Catalogue
    address: str
    added: str


class Shelf:
    """The catalogues of one home; processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, read: Read, *, address: str, today: str) -> Kept:
        """Take a catalogue in, or its newer state; all of it or nothing.

        Args:
            read: Gives its files; see ``static.read_all``.
            address: Where it came from.
            today: ISO date.

        Raises:
            InputError: It is wrong (``bad_catalogue``), its name is reserved or that of a
                catalogue from elsewhere (``catalogue_taken``).
            StorageError: The home cannot be written.
        """
        seen: dict[str, bytes] = {}

        def once(path: str, most: int) -> bytes:
            if path not in seen:
                seen[path] = read(path, most)
            return seen[path]

        catalogue, _ = read_all(once, address)
        for card in catalogue.cards:
            check_card(once(card.file, card.size + 1), card, address)
        with storage_errors(f"Keeping the catalogue {catalogue.name!r}"):
            self._folder.mkdir(parents=True, exist_ok=True)
            with locked(
                self._folder / ".lock", exclusive=True, wait=_WAIT, what="The list of catalogues"
            ):
                self._refuse(catalogue.name, address)
                self._place(catalogue.name, seen, {"address": address, "added": today})
        return Kept(catalogue, address, today)

    def remove(self, name: str) -> None:
        """Forget a catalogue; raises NotFoundError (code ``no_catalogue``) with near names."""
        self._expect(name)
        with (
            storage_errors(f"Removing the catalogue {name!r}"),
            locked(
                self._folder / ".lock", exclusive=True, wait=_WAIT, what="The list of catalogues"
            ),
        ):
            shutil.rmtree(self._folder / name, ignore_errors=False)

    def names(self) -> list[str]:
        """Names of what is kept, sorted."""
        if not self._folder.is_dir():
            return []
        return sorted(path.parent.name for path in self._folder.glob(f"[a-z0-9]*/{CATALOGUE}"))

    def show(self, name: str) -> Kept:
        """One of them; raises NotFoundError (code ``no_catalogue``) with near names."""
        self._expect(name)
        folder = self._folder / name
        data = reader(folder)(CATALOGUE, MOST_CATALOGUE_BYTES + 1)
        told = json.loads(reader(folder)(_ADDRESS, 1 << 16))
        return Kept(read_catalogue(data, str(folder / CATALOGUE)), told["address"], told["added"])

    def list(self) -> tuple[list[Kept], list[str]]:
        """What is kept and can be read, and sentences on what cannot."""
        kept, faults = [], []
        for name in self.names():
            try:
                kept.append(self.show(name))
            except (MetierError, ValueError, KeyError, TypeError) as error:
                said = error.message if isinstance(error, MetierError) else str(error)
                faults.append(f"The catalogue {name!r} cannot be read: {said}")
        return kept, faults

    def entries(self, name: str) -> tuple[Entry, ...]:
        """The entries of one, every digest proved again; raises InputError if they are wrong."""
        return read_folder(self._folder / name)[1]

    def stamps(self) -> dict[str, str]:
        """By name, what changes with every byte of a catalogue; it costs one look each."""
        found = {}
        for name in self.names():
            facts = (self._folder / name / CATALOGUE).stat()
            found[name] = f"{facts.st_mtime_ns}-{facts.st_size}-{facts.st_ino}"
        return found

    def _expect(self, name: str) -> None:
        names = self.names()
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3)
            guess = f" Did you mean {' or '.join(near)}?" if near else ""
            raise NotFoundError(
                f"There is no catalogue {name[:200]!r} here.{guess}",
                code="no_catalogue",
                remedy="'metier catalog list' shows those that were added.",
                details={"near": near},
            )

    def _refuse(self, name: str, address: str) -> None:
        if name in RESERVED:
            raise InputError(
                f"A catalogue may not be called {name!r}: hits of our own are told by that name.",
                code="catalogue_taken",
                remedy="Ask whoever hosts it for another name.",
            )
        if name in self.names() and (kept := self.show(name)).address != address:
            raise InputError(
                f"There is a catalogue {name!r} already, from {kept.address[:300]}.",
                code="catalogue_taken",
                remedy=f"Run: metier catalog remove {name}",
            )

    def _place(self, name: str, files: dict[str, bytes], told: dict[str, str]) -> None:
        """A folder beside, then two renames; readers that opened the old one finish."""
        with draft(self._folder) as folder, draft(self._folder) as old:
            for path, data in {**files, _ADDRESS: canonical_json(told)}.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
            target = self._folder / name
            if target.exists():
                target.rename(old)
            folder.rename(target)
        flush_folder(self._folder)
