"""What the scheduler is told and what it gives: limits, measures, a leased worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from metier.generating import Residence, Worker
from metier.scheduler.sizing import Shape

KEEP_ALIVE = 300.0
"""Seconds that a model stays after its last request."""
QUEUE = 512
"""Requests that wait at most."""
PATIENCE = 5.0
"""Seconds that a resident has, once loaded, before those who wait for room may claim it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the scheduler keeps to.

    Attributes:
        keep_alive: Seconds that a model stays when nobody says; negative for ever.
        queue: Requests that wait at most, for a load, for room or for a free slot.
        models: Workers at most, or ``None``: as many as fit.
        patience: See ``PATIENCE``.
    """

    keep_alive: float = KEEP_ALIVE
    queue: int = QUEUE
    models: int | None = None
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Measured:
    """What to open for a residence.

    Attributes:
        residence: With every adapter over its base, those that are likely to be asked first.
        shape: Of the base; its ``adapters`` is filled in by the scheduler.
        sizes: Bytes of each adapter by its digest.
    """

    residence: Residence
    shape: Shape
    sizes: Mapping[str, int] = field(default_factory=dict)


Measure = Callable[[Residence], Measured]
"""Looks at the files of a residence; called before a load, outside the lock."""
AtHand = Callable[[int], int]
"""Bytes that residents hold privately to the bytes that all residents together may take."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A worker that will not be evicted while it is held; see ``generating.Lease``."""

    worker: Worker
    load_seconds: float
