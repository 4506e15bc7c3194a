"""Opened document packs: each is loaded once and searched by many.

It knows which encoder a pack was made with and that a pack without its encoder is still searched
by words. It makes no pack.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from metier.answer import Answering
from metier.conversing import Passage, Searcher
from metier.errors import InputError, MetierError, NotFoundError
from metier.fleet import Fleet, Installed
from metier.manifest import canonical_json
from metier.messages import Encoder
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.retrieval import Pack

VIEW = "int8"
"""The encoder's view that packs are made and searched with."""
MOST_OPEN = 16


class Library:
    """The packs of one fleet; threads may share it."""

    def __init__(self, fleet: Fleet, answering: Answering) -> None:
        self._fleet = fleet
        self._answering = answering
        self._lock = threading.Lock()
        self._open: OrderedDict[Digest, Pack] = OrderedDict()

    def pack(self, name: str) -> Pack:
        """One pack, loaded if it is not yet.

        Raises:
            NotFoundError: There is none of this name.
            InputError: It is something else (code ``not_a_pack``).
            CorruptError: It is damaged.
        """
        installed = self._fleet.show(name)
        if installed.pack is None:
            raise InputError(
                f"{installed.name!r} is no document pack.",
                code="not_a_pack",
                remedy="'metier list' shows the task of each; packs have the task search.",
            )
        with self._lock:
            found = self._open.get(installed.digest)
            if found is not None:
                self._open.move_to_end(installed.digest)
                return found
        opened = self._opened(installed)
        with self._lock:
            self._open[installed.digest] = opened
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        return opened

    def shelf(self, names: Sequence[str]) -> Searcher | None:
        """The installed ones of some packs, searched as one; ``None`` if none is installed."""
        packs: list[Searcher] = []
        for name in names:
            try:
                packs.append(self.pack(name))
            except NotFoundError:
                continue
        if not packs:
            return None
        return packs[0] if len(packs) == 1 else Shelf(tuple(packs))

    def _opened(self, installed: Installed) -> Pack:
        from metier.retrieval import open_pack

        return open_pack(
            lambda path: self._fleet.read_part(installed, path),
            encoder=self._encoder(installed),
            name=installed.name,
            digest=str(installed.system),
        )

    def _encoder(self, installed: Installed) -> Encoder | None:
        """The encoder that it was made with; ``None`` where another or none is installed."""
        from metier.retrieval.pack import built_with

        wanted = built_with(lambda path: self._fleet.read_part(installed, path))
        base = installed.pack.base if installed.pack is not None else None
        if wanted is None or base is None:
            return None
        try:
            encoder = self._answering.encoder(base.name, VIEW)
        except MetierError:
            return None
        return encoder if encoder.digest == wanted else None


class Shelf:
    """Several packs as one ``conversing.Searcher``: their passages in the order of their scores."""

    def __init__(self, packs: tuple[Searcher, ...]) -> None:
        self._packs = packs

    @property
    def name(self) -> str:
        """The packs' names."""
        return " and ".join(pack.name for pack in self._packs)

    @property
    def digest(self) -> str:
        """Over the packs' digests, in order."""
        return str(Digest.of(canonical_json([pack.digest for pack in self._packs])))

    def search(self, query: str, *, top: int = 5) -> list[Passage]:
        """The best passages of all packs, best first; scores are sums of reciprocal ranks."""
        found = [passage for pack in self._packs for passage in pack.search(query, top=top)]
        return sorted(found, key=lambda passage: -passage.score)[:top]
