"""The library of one home: records and volumes kept in step with where entries come from.

It knows stamps: what says that a source changed. An origin whose stamp changed is read again, an
origin whose rows changed gets a new volume; the old one serves until the new one is whole. What is
damaged is made again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from metier.catalog import volumes
from metier.catalog.records import Fresh, Records, put_aside
from metier.catalog.volumes import Encode, Volume
from metier.errors import CorruptError, StorageError
from metier.store.disk import discard, storage_errors
from metier.store.locks import locked

_TRIES = 5
_FILE = "entries.sqlite"
_WAIT = 120.0


class Library:
    """Records and volumes in one folder; threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._records: Records | None = None
        self._open: dict[str, Volume] = {}

    @property
    def records(self) -> Records:
        """The truth."""
        with self._lock:
            if self._records is None:
                self._records = Records.open(self._folder / _FILE)
            return self._records

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if self._records is not None:
                self._records.close()
            self._records = None
            self._open.clear()

    def renew(
        self,
        stamps: Mapping[str, str],
        fresh: Callable[[str], Iterable[Fresh]],
        *,
        wait: bool,
    ) -> bool:
        """Read again what changed; whether the records are now what the stamps say.

        Args:
            stamps: By origin, in the order in which they are read; others are forgotten.
            fresh: Gives the entries of an origin.
            wait: Whether to wait where another process is at it; else the old serves.
        """
        if self._agree(stamps):
            return True
        if not self.records.writable:
            return False
        with self._lock, storage_errors("Keeping the catalogue"):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                with locked(
                    self._folder / ".lock",
                    exclusive=True,
                    wait=_WAIT if wait or not self.records.origins() else 0.0,
                    what="The catalogue",
                ):
                    self._bring(stamps, fresh)
            except StorageError as error:
                if error.code != "locked":
                    raise
                return False
        return True

    def volumes(self) -> dict[str, Volume]:
        """The volumes of all origins that have entries; what is missing or damaged is built.

        Another process that went on meanwhile may have tidied away what was just built here: then
        what it left is opened.
        """
        for _ in range(_TRIES - 1):
            with suppress(CorruptError):
                return self._volumes()
        return self._volumes()

    def _volumes(self) -> dict[str, Volume]:
        found: dict[str, Volume] = {}
        with self._lock:
            for origin, (_, digest, count) in self.records.origins().items():
                if count:
                    name = f"{origin}-{digest[:16]}"
                    opened = self._open.get(origin)
                    if opened is None or opened.name != name:
                        opened = self._open[origin] = self._volume(origin, name)
                    found[origin] = opened
        return found

    def unlearnt(self, encoder: str) -> int:
        """How many entries stand in volumes without vectors of an encoder."""
        found = self.volumes().values()
        return sum(one.count for one in found if one.meaning(encoder) is None)

    def learn(self, encoder: str, encode: Encode) -> None:
        """Give every volume the vectors of an encoder; what was encoded before is kept."""
        for origin, volume in self.volumes().items():
            if volume.meaning(encoder) is None:
                before = self._before(origin, volume)
                volumes.add_meaning(
                    self._folder / volume.name,
                    encoder,
                    lambda origin=origin: self.records.texts(origin),  # type: ignore[misc]
                    encode,
                    before=before,
                )
                for old in self._folder.glob(f"{origin}-*"):
                    if old.name != volume.name and _is_volume(old, origin):
                        discard(old)

    def restart(self, *, records: bool) -> None:
        """Forget every volume, so that all are made again.

        Args:
            records: Whether the records are put aside too, to be filled again.
        """
        with self._lock:
            if not self._writable():
                raise StorageError(
                    f"The catalogue in {str(self._folder)!r} cannot be read whole, and may not be"
                    " written.",
                    code="catalogue_storage",
                    remedy="Search once with a home that can be written.",
                )
            self._open.clear()
            if records:
                self.close()
                put_aside(self._folder / _FILE)
            for folder in self._folder.glob("*-*"):
                if (folder / "about.json").exists() or (folder / "words").exists():
                    discard(folder)

    def _writable(self) -> bool:
        """Whether what is damaged can be made again."""
        return not self._folder.exists() or os.access(self._folder, os.W_OK)

    def _agree(self, stamps: Mapping[str, str]) -> bool:
        known = self.records.origins()
        return {name: stamp for name, (stamp, _, _) in known.items()} == dict(stamps)

    def _bring(self, stamps: Mapping[str, str], fresh: Callable[[str], Iterable[Fresh]]) -> None:
        known = self.records.origins()
        for origin in known.keys() - stamps.keys():
            self.records.remove(origin)
        for origin, stamp in stamps.items():
            if known.get(origin, ("",))[0] != stamp:
                self.records.replace(origin, stamp, fresh(origin))

    def _volume(self, origin: str, name: str) -> Volume:
        """Open a volume, or build it first."""
        folder = self._folder / name
        with suppress(CorruptError):
            return Volume.open(folder, origin)
        if folder.exists():
            discard(folder)
        with self.records.snapshot(origin) as (digest, rows):
            # Another process may have gone on meanwhile: what is built is named by what it is.
            name = f"{origin}-{digest[:16]}"
            volumes.build(self._folder, name, rows)
        volume = Volume.open(self._folder / name, origin)
        self._tidy(origin, volume)
        return volume

    def _tidy(self, origin: str, volume: Volume) -> None:
        """Remove older volumes of an origin, but for the newest that has vectors to keep."""
        keep = {volume.name}
        if before := self._before(origin, volume):
            keep.add(before.name)
        for old in self._folder.glob(f"{origin}-*"):
            if old.name not in keep and _is_volume(old, origin):
                discard(old)

    def _before(self, origin: str, volume: Volume) -> Path | None:
        """The newest older volume of an origin that has vectors."""
        found = [
            folder
            for folder in self._folder.glob(f"{origin}-*")
            if folder.name != volume.name
            and _is_volume(folder, origin)
            and any(folder.glob("meaning-*"))
        ]
        with suppress(OSError):
            return max(found, key=lambda folder: folder.stat().st_mtime_ns, default=None)
        return None


def _is_volume(folder: Path, origin: str) -> bool:
    """Whether a folder is a volume of this origin, and not of one whose name starts alike."""
    digest = folder.name.removeprefix(f"{origin}-")
    return len(digest) == 16 and all(mark in "0123456789abcdef" for mark in digest)
