"""The self-benchmark of this home: who is measured, and where what was found is kept.

It runs only when a person asks (``metier doctor --measure``). It measures the engine with models
that it makes on the spot, the default encoder, and the installed classifiers themselves; models
of anybody's are not loaded for it.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from metier.answer import Answering
from metier.errors import MetierError, UnavailableError
from metier.fitting import Here, Speeds
from metier.fitting.estimating import TEXT_TOKENS
from metier.fleet import Fleet, Installed
from metier.generating import OpenWorker
from metier.messages import Progress, Report, silent
from metier.specialist import SPECIALIST_FILE
from metier.version import __version__

TEXT = "the card has not arrived yet and I would like to know when it will come to my address"
"""About as many tokens as ``TEXT_TOKENS``, as a request of one sentence is."""
MOST_ASKED = 32
"""Installed classifiers that are measured at most."""
TIMES = 15
_LONGEST = 2.0


class SelfTest:
    """Measured speeds of one home; threads may share it.

    Args:
        file: Where they are kept.
        fleet: What is installed.
        answering: Who answers with classifiers and opens encoders.
        open_worker: The engine.
    """

    def __init__(
        self, file: Path, fleet: Fleet, answering: Answering, open_worker: OpenWorker
    ) -> None:
        self._file = file
        self._fleet = fleet
        self._answering = answering
        self._open_worker = open_worker
        self._read: tuple[tuple[int, int] | None, Speeds | None] = (None, None)

    def speeds(self) -> Speeds | None:
        """What was measured in this home, or ``None``; on another machine perhaps."""
        try:
            facts = self._file.stat()
        except OSError:
            return None
        stamp = (facts.st_mtime_ns, facts.st_size)
        if self._read[0] != stamp:
            self._read = (stamp, _read(self._file))
        return self._read[1]

    def measure(
        self, here: Here, *, report: Report = silent, cancelled: Callable[[], bool]
    ) -> Speeds:
        """Measure this machine, keep what was found and give it back.

        Raises:
            UnavailableError: The engine does not start here, and nothing is installed that could
                be measured without it.
            InputError: It was given up (code ``cancelled``); nothing is kept.
        """
        began = time.monotonic()
        speeds = Speeds(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            cpu_class=here.cpu_class,
            cores=here.cores,
            version=__version__,
            engine="",
            bytes_per_second={},
        )
        report(Progress("measure", "measuring what is installed", 0.0))
        speeds = replace(
            speeds, ms_per_text=self._classifiers(), encoder_per_second=self._encoder()
        )
        try:
            speeds = self._engine(speeds, report, cancelled)
        except UnavailableError:
            if not speeds.ms_per_text and speeds.encoder_per_second is None:
                raise
        speeds = replace(speeds, seconds=round(time.monotonic() - began, 1))
        self._write(speeds)
        return speeds

    def _engine(self, speeds: Speeds, report: Report, cancelled: Callable[[], bool]) -> Speeds:
        from metier.engines.llamacpp.devices import build
        from metier.fitting.measuring import measure_engine

        folder = self._file.parent / "work"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            found = measure_engine(
                self._open_worker, Path(work), report=report, cancelled=cancelled
            )
        return replace(
            speeds,
            engine=build(),
            bytes_per_second=found.bytes_per_second,
            token_seconds=found.token_seconds,
            multiplied_per_second=found.multiplied_per_second,
            spread=found.spread,
            busy=round(found.busy, 2),
        )

    def _classifiers(self) -> dict[str, float]:
        """Milliseconds of one answer of each, by the digest of what answers."""
        found: dict[str, float] = {}
        asked: Sequence[Installed] = [
            item
            for item in self._fleet.list()
            if item.classifier is not None and item.manifest.part(SPECIALIST_FILE) is not None
        ]
        for item in asked[:MOST_ASKED]:
            # One that cannot answer (its base is gone) is no reason to measure nothing.
            with suppress(MetierError):
                found[str(item.system)] = _milliseconds(
                    lambda name=item.name: self._answering.classify(name, [TEXT])  # type: ignore[misc]
                )
        return found

    def _encoder(self) -> float | None:
        """Numbers multiplied in a second by the first installed encoder, or ``None``."""
        for item in self._fleet.list():
            if item.manifest.part("base.json") is None:
                continue
            with suppress(MetierError):
                encoder = self._answering.encoder(item.name, "fp32")
                took = _milliseconds(lambda found=encoder: found.encode([TEXT]))  # type: ignore[misc]
                multiplied = multiplied_by(self._fleet, item)
                return TEXT_TOKENS * multiplied / took * 1000 if multiplied else None
        return None

    def _write(self, speeds: Speeds) -> None:
        handle, draft = tempfile.mkstemp(dir=self._file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(speeds.to_dict(), file, indent=1)
        Path(draft).replace(self._file)


def multiplied_by(fleet: Fleet, base: Installed) -> int:
    """Numbers that one token is multiplied with in an encoder, by its ``config.json``; or 0.

    Of a BERT: in each layer four matrices of width by width, two of width by the inner width.
    """
    try:
        config = json.loads(fleet.read_part(base, "config.json"))
        width, inner = int(config["hidden_size"]), int(config["intermediate_size"])
        return int(config["num_hidden_layers"]) * (4 * width * width + 2 * width * inner)
    except (MetierError, ValueError, KeyError, TypeError):
        return 0


def _milliseconds(act: Callable[[], object]) -> float:
    """The median of a few, after one that loads."""
    act()
    began = time.monotonic()
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1000)
        if time.monotonic() - began > _LONGEST:
            break
    return statistics.median(taken)


def _read(file: Path) -> Speeds | None:
    """What stands in the file; nothing if it is damaged: measuring again mends it."""
    try:
        return Speeds.of(json.loads(file.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
