"""Will it run here? Entries, hits and installed things to estimates, on this machine as it is now.

It knows where facts of a model come from and where measured speeds are kept; the arithmetic is
``metier.fitting``'s. It loads nothing and measures nothing unless it is told to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from metier.answer import Answering
from metier.assembly.catalogue import Catalogue, Known
from metier.assembly.facts import Facts
from metier.assembly.localmodels import at_hand, engine
from metier.assembly.residences import Residences
from metier.assembly.selftest import SelfTest, multiplied_by
from metier.assembly.workbench import never
from metier.card import Card, ChatCard, SearchCard
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
    of_prompting,
    of_tables,
)
from metier.fleet import Fleet, Installed
from metier.generating import Loading, RunningModel
from metier.hardware import (
    cpu_class,
    memory_bytes,
    processor_name,
    usable_cores,
)
from metier.localmodel import LocalModelFile
from metier.messages import Report, silent
from metier.settings import Settings

NOTHING = ModelFacts("none", writes=False, why_not="Nothing here answers with it.")
MOST_REMEMBERED = 20_000
STEP = 64 << 20
"""Bytes to which memory at hand is rounded down: an estimate is no finer."""
LOOK_AGAIN = 1.0
"""Seconds that a look at the machine's memory is good for: a page asks for a thousand entries."""


class Fitting:
    """Estimates for one home; threads may share it.

    Args:
        settings: What models may take.
        fleet: What is installed.
        facts: Headers that were read.
        running: What is in memory.
        selftest: Measured speeds, and who measures them.
    """

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        facts: Facts,
        running: Callable[[], Sequence[RunningModel]],
        selftest: SelfTest,
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._facts = facts
        self._running = running
        self._selftest = selftest
        self._catalogue = Catalogue(fleet, facts)
        self._residences = Residences(fleet, self._catalogue, facts)
        self._lock = threading.Lock()
        self._seen: tuple[float, tuple[Here, Speeds | None]] | None = None
        self._known: dict[tuple[object, ...], Fit] = {}
        self._known_of: tuple[Here, Speeds | None] | None = None

    def of(self, what: str | Hit | Entry | Installed) -> Fit:
        """Whether it runs here; raises NotFoundError for a name that is not installed.

        Args:
            what: A hit (what is installed of it counts), an entry, an installed thing or its name.
        """
        if isinstance(what, Hit):
            what = what.installed or what.entry
        now = self._now()
        if isinstance(what, Entry):
            key: tuple[object, ...] = (
                what.name, what.pull, what.task, what.parameters, what.size_bytes,
                what.quantization, what.context,
            )  # fmt: skip
            known = None
        else:
            known = self._catalogue.known(what if isinstance(what, str) else what.name)
            key = (str(known.installed.digest), self._missing(known.installed))
        with self._lock:
            # The memory that is at hand changes by the second, yet seldom by a step.
            if self._known_of is not now or len(self._known) >= MOST_REMEMBERED:
                if self._known_of != now or len(self._known) >= MOST_REMEMBERED:
                    self._known = {}
                self._known_of = now
            found = self._known.get(key)
        if found is None:
            facts = of_entry(what) if isinstance(what, Entry) else self._facts_of(known)
            found = estimate(facts, *now)
            with self._lock:
                if self._known_of is now:
                    self._known[key] = found
        return found

    def here(self) -> Here:
        """This machine as it is now."""
        return self._now()[0]

    def speeds(self) -> Speeds | None:
        """What was measured in this home, or ``None``; see ``metier.fitting.valid``."""
        return self._selftest.speeds()

    def _now(self) -> tuple[Here, Speeds | None]:
        """The machine and what was measured on it, looked at once a second."""
        seen = self._seen
        if seen is None or time.monotonic() - seen[0] > LOOK_AGAIN:
            seen = self._seen = (time.monotonic(), (self._look(), self._selftest.speeds()))
        return seen[1]

    def measure(self, *, report: Report = silent, cancelled: Callable[[], bool] = never) -> Speeds:
        """Run the self-benchmark: some ten seconds on a quiet machine; see ``SelfTest``."""
        found = self._selftest.measure(self.here(), report=report, cancelled=cancelled)
        self._seen = None
        return found

    def _look(self) -> Here:
        held = sum(model.memory_bytes for model in self._running())
        room = at_hand(self._settings, held) // STEP * STEP
        return Here(
            processor=processor_name(),
            cpu_class=cpu_class(),
            cores=self._settings.threads or usable_cores(),
            memory_bytes=memory_bytes(),
            room_now=max(room - held, 0) // STEP * STEP,
            room=room,
        )

    def _facts_of(self, known: Known | None) -> ModelFacts:
        """What its header or card says."""
        if known is None:
            return NOTHING
        installed, card = known.installed, known.installed.card
        if known.file is not None:
            return self._model_facts(known, known.file)
        if isinstance(card, Card):
            chosen = next((rung for rung in card.ladder if rung.state == "chosen"), None)
            bare = of_tables if card.base is None else partial(of_encoder, multiplied=0)
            return replace(
                bare(installed.size_bytes),
                system=str(installed.system),
                ms_per_text=chosen.ms_per_text if chosen is not None else None,
                measured_on=(card.machine.processor, card.machine.cores),
                missing=self._missing(installed),
                unit="picture" if card.task == "classify-image" else "text",
            )
        if isinstance(card, ChatCard):
            return of_prompting(installed.size_bytes)
        if isinstance(card, SearchCard):
            return of_tables(installed.size_bytes)
        if installed.manifest.part("base.json") is not None:
            return of_encoder(installed.size_bytes, multiplied_by(self._fleet, installed))
        return NOTHING

    def _missing(self, installed: Installed) -> str:
        """Says that what a classifier stands over is not installed; "" if nothing lacks."""
        card = installed.card
        if not isinstance(card, Card) or card.base is None:
            return ""
        try:
            self._fleet.show(card.base.name)
        except MetierError:
            return f"its base {card.base.name} is not installed"
        return ""

    def _model_facts(self, known: Known, file: LocalModelFile) -> ModelFacts:
        try:
            residence = self._residences.loadable(known).residence(Loading())
            read = self._facts.of(residence.weights.files)
            shape = self._residences.measure(residence).shape
        except MetierError as error:
            return replace(NOTHING, why_not=error.message)
        headers = (read.header, *read.others)
        return of_headers(read.facts, headers, shape, writes=file.task == "generate")


def open_fitting(
    settings: Settings,
    fleet: Fleet,
    facts: Facts,
    running: Callable[[], Sequence[RunningModel]],
    answering: Answering,
) -> Fitting:
    """The estimates of one home; nothing is read before they are asked."""
    selftest = SelfTest(settings.home / "speeds.json", fleet, answering, engine(settings.threads))
    return Fitting(settings, fleet, facts, running, selftest)
