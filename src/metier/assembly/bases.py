"""Bases that write: which there are, which to get, and how one is opened by what people type.

It knows ``remote:NAME``, names of installed models, files, and that recorded answers serve no
people; it measures nothing. Evidence comes from the results in the ledger, else it is said to be
not measured. Text never names a file, only a ``Path`` does: what came over a network is text.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metier.card import ChatCard, Score
from metier.conversing import Generator, base_of
from metier.errors import InputError, NotFoundError
from metier.prices import price_of
from metier.services import ServiceEntry, find_service, open_service, read_services
from metier.settings import Settings, variable

if TYPE_CHECKING:
    from metier.assembly.models import LocalModels
    from metier.engines.chat import RemoteGenerator
    from metier.examine.standings import Standing
    from metier.services import Service

REMOTE = "remote:"
LOCAL = "local:"
REPLAY = "replay:"
NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class BaseChoice:
    """A base that may be given, or that somebody may get.

    Attributes:
        ref: What to give as ``--base``, or the model's name where it is not set up here.
        here: Whether it is set up here.
        model: The model's name at its service.
        note: What is known of it, in a sentence; "not measured" where nothing is.
        standing: What was measured here with the specialist over it, or ``None``.
        command: What would measure it, or "".
    """

    ref: str
    here: bool
    model: str
    note: str
    standing: Standing | None = None
    command: str = ""

    @property
    def score(self) -> Score | None:
        """Of the specialist over it, measured here, or ``None``."""
        return self.standing.as_score() if self.standing is not None else None

    @property
    def on(self) -> str | None:
        """The eval of ``score``."""
        return self.standing.eval if self.standing is not None else None

    @property
    def line(self) -> str:
        """The choice in one line."""
        told = self.note if self.standing is not None else f"{self.ref}: {self.note}"
        return f"{told}. {self.command}".strip()


Standings = Callable[[str], "Sequence[Standing]"]
"""A specialist's name to its bases that were measured here, best evidence first."""


class Bases:
    """The bases of one home folder; threads may share it."""

    def __init__(
        self,
        settings: Settings,
        general: Callable[[], Service | None],
        models: Callable[[], LocalModels],
    ) -> None:
        self._settings = settings
        self._general = general
        self._models = models
        self._lock = threading.Lock()
        self._open: dict[ServiceEntry | str, RemoteGenerator] = {}

    def services(self) -> dict[str, ServiceEntry]:
        """The remote services that the user wrote down, by name; no key is read."""
        return read_services(self._settings.services)

    def price(self, name: str) -> float | None:
        """What a service asks for a million tokens, three of a prompt to one of an answer."""
        entry = self.services().get(name)
        model = entry.model if entry else (self._settings.general_model or "")
        price_in, price_out = price_of(self._settings.prices, model)
        if price_in is None or price_out is None:
            return None
        return (3.0 * price_in + price_out) / 4.0

    def here(self) -> list[str]:
        """What may be given as base on this machine: installed models, then services."""
        services = [f"{REMOTE}{name}" for name in self.services()]
        return [*self._models().writers(), *services]

    def generator(self, ref: str | Path) -> Generator:
        """The base that ``ref`` names, for answering people.

        Args:
            ref: ``remote:NAME``, the name of an installed model (also ``local:NAME``), or a GGUF
                file as a ``Path``; see ``conversing.base_of``. ``METIER_BASE`` may name a file too.

        Raises:
            InputError: It is no kind of base (``bad_base``), recorded answers
                (``not_servable``), no sound file (``bad_gguf``), or ``services.toml`` is wrong.
            NotFoundError: There is no such service (``no_service``), model or file.
        """
        if ref == self._settings.base:
            ref = base_of(ref)
        if isinstance(ref, Path):
            return self._models().file_generator(ref)
        if ref.startswith(REPLAY):
            raise InputError(
                f"{ref[:120]} holds recorded answers, which may not answer people.",
                code="not_servable",
                remedy="Recorded answers are for evals: metier eval NAME --on EVAL --base "
                "replay:FILE.",
            )
        if ref.startswith(REMOTE):
            return self._remote(ref.removeprefix(REMOTE))
        return self._local(ref)

    def is_local(self, ref: str | Path) -> bool:
        """Whether a base runs on this machine, as one of the models in memory."""
        return isinstance(ref, Path) or not ref.startswith((REMOTE, REPLAY))

    def close(self) -> None:
        """End every connection."""
        with self._lock:
            opened, self._open = list(self._open.values()), {}
        for generator in opened:
            generator.close()

    def choices(self, card: ChatCard, standings: Sequence[Standing]) -> list[BaseChoice]:
        """What may be given as ``--base``: measured here first, then set up, then to get."""
        services = self.services()
        found: list[BaseChoice] = []
        for standing in standings:
            name = standing.base.removeprefix(REMOTE)
            if not standing.recorded and name in services and not _known(found, standing.base):
                model = services[name].model
                found.append(BaseChoice(standing.base, True, model, standing.sentence(), standing))
        for name, entry in services.items():
            ref = f"{REMOTE}{name}"
            if not _known(found, ref):
                command = _measuring(card, ref)
                found.append(BaseChoice(ref, True, entry.model, NOT_MEASURED, command=command))
        for name in self._models().writers():
            ref = f"{LOCAL}{name}"
            if not _known(found, ref):
                found.append(self._local_choice(card, ref, name, standings))
        models = {entry.model for entry in services.values()}
        for model, note in card.bases:
            if model not in models:
                found.append(BaseChoice(model, False, model, note or NOT_MEASURED))
        return found

    def _local_choice(
        self, card: ChatCard, ref: str, name: str, standings: Sequence[Standing]
    ) -> BaseChoice:
        measured = next((one for one in standings if one.base == ref and not one.recorded), None)
        if measured is not None:
            return BaseChoice(ref, True, name, measured.sentence(), measured)
        return BaseChoice(ref, True, name, NOT_MEASURED, command=_measuring(card, ref))

    def _local(self, ref: str) -> Generator:
        """An installed model; what is none is no base."""
        name = ref.removeprefix(LOCAL)
        try:
            return self._models().generator(name)
        except InputError as error:
            if ref.startswith(LOCAL) or error.code not in ("not_found", "bad_name"):
                raise
            raise self._unknown(ref) from error

    def _remote(self, name: str) -> Generator:
        from metier.engines.chat import RemoteGenerator

        if name == "general":
            service = self._general()
            if service is None:
                raise NotFoundError(
                    "There is no remote service named 'general': none is configured.",
                    code="no_service",
                    remedy="Set METIER_GENERAL_URL and METIER_GENERAL_MODEL.",
                )
            key: ServiceEntry | str = f"{service.url} {service.model}"
        else:
            entry = find_service(self.services(), name)
            price = price_of(self._settings.prices, entry.model)
            service = open_service(entry, variable=variable, price=price, date=_today())
            key = repr(entry)
        with self._lock:
            opened = self._open.get(key)
            if opened is None:
                opened = self._open[key] = RemoteGenerator(service)
            return opened

    def _unknown(self, ref: str) -> InputError:
        names: Sequence[str] = list(self.services())
        if ref in names:
            return InputError(
                f"{ref!r} is a remote service.",
                code="bad_base",
                remedy=f"Write: --base {REMOTE}{ref}",
            )
        there = [*(f"{REMOTE}{name}" for name in names), *self._models().writers()]
        near = difflib.get_close_matches(ref, there, n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        return InputError(
            f"{ref[:120]!r} is no base that can write.{guess}",
            code="bad_base",
            remedy=f"Write --base {REMOTE}NAME, with a table [NAME] in "
            f"{self._settings.services}; --base NAME of an installed model that writes; or "
            "--base FILE.gguf. 'metier doctor' lists services that are there.",
        )


def _known(found: Sequence[BaseChoice], ref: str) -> bool:
    return any(choice.ref == ref for choice in found)


def _measuring(card: ChatCard, ref: str) -> str:
    """The command that would measure a base under the specialist."""
    return f"metier eval {card.name} --on {card.evals[0]} --base {ref}" if card.evals else ""


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()
