"""The shelf: decoded pictures by digest, whether somebody just sent them or an eval keeps them.

It knows what is held in memory for a question that is being answered, and which packs lie in its
folders; it decodes nothing and forgets what nobody holds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from metier.errors import CorruptError, NotFoundError
from metier.pictures.packs import ENDING, Pack
from metier.picturing import Picture


class Shelf:
    """Pictures by digest; threads may share it.

    Args:
        folders: Where packs lie; they are looked through when a picture is not known yet.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Picture, int]] = {}
        self._packs: dict[Path, tuple[int, Pack]] = {}

    @contextmanager
    def holding(self, pictures: Sequence[Picture]) -> Iterator[list[str]]:
        """Keep pictures at hand for as long as the context lasts; gives their digests."""
        digests = [picture.digest for picture in pictures]
        with self._lock:
            for digest, picture in zip(digests, pictures, strict=True):
                self._held[digest] = (picture, self._held.get(digest, (picture, 0))[1] + 1)
        try:
            yield digests
        finally:
            with self._lock:
                for digest in digests:
                    picture, users = self._held[digest]
                    if users > 1:
                        self._held[digest] = (picture, users - 1)
                    else:
                        del self._held[digest]

    def get(self, digest: str) -> Picture:
        """The picture of a digest.

        Raises:
            NotFoundError: It is not here (``picture_not_here``).
        """
        with self._lock:
            held = self._held.get(digest)
        if held is not None:
            return held[0]
        found = self._kept(digest)
        if found is None:
            raise NotFoundError(
                f"The picture {digest[:19]} is not here.",
                code="picture_not_here",
                remedy="Evals of pictures hold digests; their pictures come from the recipe's "
                "sources, which must be here.",
            )
        return found

    def has(self, digest: str) -> bool:
        """Whether ``get`` would find it."""
        with self._lock:
            held = digest in self._held
        return held or self._kept(digest) is not None

    def _kept(self, digest: str) -> Picture | None:
        for look_again in (False, True):
            if look_again:
                self._open_new()
            with self._lock:
                packs = [pack for _, pack in self._packs.values() if digest in pack]
            for pack in packs:
                try:
                    return pack.get(digest)
                except CorruptError:
                    continue  # another pack may hold it; else it is not here
        return None

    def _open_new(self) -> None:
        """Open packs that were written, and let go of those that went, since the last look."""
        there: dict[Path, int] = {}
        for folder in self._folders:
            for path in sorted(folder.glob(f"*{ENDING}")):
                try:
                    there[path] = path.stat().st_mtime_ns
                except FileNotFoundError:
                    continue
        with self._lock:
            known = dict(self._packs)
        fresh: dict[Path, tuple[int, Pack]] = {}
        for path, time in there.items():
            if path in known and known[path][0] == time:
                fresh[path] = known[path]
                continue
            try:
                fresh[path] = (time, Pack(path))
            except CorruptError:
                continue  # its pictures are as good as not here
        with self._lock:
            self._packs = fresh
