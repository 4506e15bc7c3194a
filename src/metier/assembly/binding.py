"""Which system a chat specialist is today, on which base, judged with which tools.

A proof of it holds while these are the same. The base counts by what stays the same from day to
day: the weights, or a service's address, model and headers; the day of a measurement counts by its
age. Nothing is asked and no pack is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metier.assembly.bases import REMOTE, REPLAY, Bases
from metier.assembly.conversations import Conversant, Conversations, conversant_base
from metier.assembly.rivals import plain
from metier.assembly.toolbox import Toolbox
from metier.conversing import base_of
from metier.errors import MetierError
from metier.fleet import Fleet
from metier.manifest import canonical_json
from metier.reference import Digest
from metier.settings import Settings
from metier.version import __version__

if TYPE_CHECKING:
    from metier.examine.bound import Bound

GENERAL = "remote:general"


class Binding:
    """The chat specialists of one home, bound to what they stand on; threads may share it."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        conversations: Conversations,
        bases: Bases,
        toolbox: Toolbox,
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._conversations = conversations
        self._bases = bases
        self._toolbox = toolbox

    def bound(self, name: str, refs: Sequence[str] = (), general: str = GENERAL) -> Bound:
        """A chat specialist with the bases that a table is about.

        Args:
            name: The specialist.
            refs: Bases, as people name them.
            general: The one that is the general model, if it is among them.
        """
        from metier.examine.bound import Bound

        conversant = self._conversations.conversant(name)
        file = conversant.file
        parts = {part for part, has in (("docs", file.packs), ("tools", file.tools)) if has}
        named = {self.named(ref): self.identity(ref) for ref in refs}
        return Bound(
            name=conversant.installed.name,
            system=self._system(conversant),
            parts=frozenset(parts),
            bases={base: known for base, known in named.items() if known},
            general=next((self.named(ref) for ref in refs if plain(ref) == plain(general)), ""),
        )

    def system_of(self, name: str) -> str:
        """The digest of what a chat specialist is, whatever its base; "" of anything else."""
        try:
            return self._system(self._conversations.conversant(name))
        except MetierError:
            return ""

    def base_of(self, name: str) -> str | None:
        """The identity of the base that writes for it today; ``None`` if it has none here."""
        try:
            conversant = self._conversations.conversant(name)
            ref = self._settings.base or conversant_base(conversant)
            return (self.identity(ref) or None) if ref else None
        except MetierError:
            return None

    def identity(self, ref: str | Path) -> str:
        """The digest that says which base it is on any day; "" of recorded answers.

        Raises:
            InputError: It is no base (``bad_base``).
            NotFoundError: There is none such (``no_service``).
        """
        ref = base_of(ref) if isinstance(ref, str) and not ref.startswith(REPLAY) else ref
        if isinstance(ref, str) and ref.startswith(REPLAY):
            return ""
        if self._bases.is_local(ref):
            return self._bases.generator(ref).digest
        name = str(ref).removeprefix(REMOTE)
        entry = self._bases.services().get(name)
        if entry is None:
            url, model, headers = self._settings.general_url, self._settings.general_model, {}
        else:
            url, model, headers = entry.url, entry.model, dict(entry.headers)
        said = {"chat": url, "model": model, "headers": headers}
        return str(Digest.of(canonical_json(said)))

    def named(self, ref: str) -> str:
        """As a table names a base; see ``identity`` for what is raised."""
        if ref.startswith(REPLAY):
            return ref
        return self._bases.generator(base_of(ref)).name

    def toolchain(self, measured: Mapping[str, str]) -> Mapping[str, str]:
        """What would judge today in the place of what judged then, by the same names.

        A tool or toolchain that is gone is ``not installed``.
        """
        return {name: self._today(name) for name in measured}

    def stamp(self) -> str:
        """What says that another base may stand behind a name, without opening any."""
        try:
            found = self._settings.services.stat()
            services = f"{found.st_size} {found.st_mtime_ns}"
        except OSError:
            services = ""
        settings = self._settings
        return f"{settings.base} {settings.general_url} {settings.general_model} {services}"

    def _today(self, name: str) -> str:
        if name == "metier":
            return __version__
        try:
            if name == "sandbox":
                from metier.sandbox import detect

                return str(detect().kind)
            tool, _, toolchain = name.partition(" on ")
            return self._toolbox.on(tool, toolchain or None).digest
        except MetierError:
            return "not installed"

    def _system(self, conversant: Conversant) -> str:
        packs: dict[str, str | None] = {}
        for pack in conversant.file.packs:
            try:
                packs[pack] = str(self._fleet.show(pack).system)
            except MetierError:
                packs[pack] = None
        said = {
            "file": conversant.file.model_dump(mode="json", exclude={"base", "format"}),
            "prompt": conversant.prompt,
            "packs": packs,
        }
        return str(Digest.of(canonical_json(said)))
