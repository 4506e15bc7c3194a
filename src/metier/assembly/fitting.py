"""Will it run here? Entries, hits and installed things to estimates, on this machine as it is now.

It knows where facts of a model come from and where measured speeds are kept; the arithmetic is
``metier.fitting``'s. It loads nothing and measures nothing unless it is told to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from metier.assembly.catalogue import Catalogue, Known
from metier.assembly.facts import Facts
from metier.assembly.localmodels import SHARE
from metier.assembly.residences import Residences
from metier.card import Card, ChatCard, Machine, SearchCard
from metier.errors import MetierError
from metier.finding import Entry, Fit, Hit
from metier.fitting import (
    Here,
    ModelFacts,
    Speeds,
    estimate,
    of_encoder,
    of_entry,
    of_headers,
    of_tables,
)
from metier.fleet import Fleet, Installed
from metier.generating import Loading, RunningModel
from metier.hardware import (
    cpu_class,
    free_memory_bytes,
    memory_bytes,
    processor_name,
    usable_cores,
)
from metier.settings import Settings

LOOK_AGAIN = 1.0
"""Seconds that a look at the machine's memory is good for: a page asks for a thousand entries."""


class Fitting:
    """Estimates for one home; threads may share it."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        facts: Facts,
        running: Callable[[], Sequence[RunningModel]],
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._facts = facts
        self._running = running
        self._catalogue = Catalogue(fleet, facts)
        self._residences = Residences(fleet, self._catalogue, facts)
        self._lock = threading.Lock()
        self._seen: tuple[float, Here] | None = None

    def of(self, what: str | Hit | Entry | Installed) -> Fit:
        """Whether it runs here; raises NotFoundError for a name that is not installed.

        Args:
            what: A hit (what is installed of it counts), an entry, an installed thing or its name.
        """
        if isinstance(what, Hit):
            what = what.installed or what.entry
        if isinstance(what, Entry):
            return estimate(of_entry(what), self.here(), self.speeds())
        known = self._catalogue.known(what if isinstance(what, str) else what.name)
        return estimate(self._facts_of(known), self.here(), self.speeds())

    def here(self) -> Here:
        """This machine as it is now."""
        with self._lock:
            if self._seen is None or time.monotonic() - self._seen[0] > LOOK_AGAIN:
                self._seen = (time.monotonic(), self._look())
            return self._seen[1]

    def speeds(self) -> Speeds | None:
        """What was measured on this machine, or ``None``."""
        return None

    def _look(self) -> Here:
        held = sum(model.memory_bytes for model in self._running())
        room = self._settings.memory
        if room is None:
            room = int(min(memory_bytes(), free_memory_bytes() + held) * SHARE)
        return Here(
            processor=processor_name(),
            cpu_class=cpu_class(),
            cores=self._settings.threads or usable_cores(),
            memory_bytes=memory_bytes(),
            room_now=max(room - held, 0),
            room=room,
        )

    def _facts_of(self, known: Known) -> ModelFacts:
        """What its header or card says."""
        installed, card = known.installed, known.installed.card
        if known.file is not None:
            return self._model_facts(known)
        if isinstance(card, ChatCard):
            return of_tables(installed.size_bytes)
        if isinstance(card, Card):
            told = _ms_per_text(card)
            on = _machine(card.machine)
            if card.base is not None:
                return of_encoder(installed.size_bytes, 0, ms_per_text=told, measured_on=on)
            return of_tables(installed.size_bytes, ms_per_text=told, measured_on=on)
        if isinstance(card, SearchCard):
            return of_tables(installed.size_bytes)
        if installed.manifest.part("base.json") is not None:
            return of_encoder(installed.size_bytes, 0)
        return ModelFacts("none", writes=False, why_not="Nothing here answers with it.")

    def _model_facts(self, known: Known) -> ModelFacts:
        file = known.file
        if file is None:
            return ModelFacts("none", writes=False)
        try:
            loadable = self._residences.loadable(known)
            residence = loadable.residence(Loading())
            read = self._facts.of(residence.weights.files)
            shape = self._residences.shape(residence)
        except MetierError as error:
            return ModelFacts("none", writes=False, why_not=error.message)
        headers = (read.header, *read.others)
        return of_headers(read.facts, headers, shape, writes=file.task == "generate")


def _ms_per_text(card: Card) -> float | None:
    chosen = next((rung for rung in card.ladder if rung.state == "chosen"), None)
    return chosen.ms_per_text if chosen is not None else None


def _machine(machine: Machine) -> tuple[str, int]:
    return machine.processor, machine.cores
