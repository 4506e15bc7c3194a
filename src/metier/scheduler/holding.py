"""One resident: what was loaded, who asks of it, and until when it stays.

It knows names and seconds; the scheduler decides what to do with it and holds its lock meanwhile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from metier.generating import Residence, Task, Worker
from metier.scheduler.sizing import Needs

Key = tuple[str, Task]
"""The digest of the weights and what they do: one load at a time for each."""


def key_of(residence: Residence) -> Key:
    """Its key."""
    return residence.weights.digest, residence.task


@dataclass(slots=True)
class Stay:
    """One name on a resident.

    Attributes:
        keep: Seconds that it stays after its last request; infinity for ever.
        expires: When, if nobody asks; counts while ``users`` is 0.
        adapters: Digests of the adapters that it uses.
        users: Requests that it is answering.
    """

    keep: float
    expires: float
    adapters: tuple[str, ...]
    users: int = 0


@dataclass(eq=False, slots=True)
class Held:
    """A resident, from the begin of its load until its process has ended.

    Attributes:
        residence: As it was opened.
        needs: Bytes that are set aside for it.
        asked: The largest context that was asked for when it was loaded.
        slots: Requests that it answers side by side.
        stage: ``loading``, ``ready`` or ``leaving``.
        worker: Once it is ready.
        failure: What its load raised.
        retiring: It takes no new requests and leaves once it answers nobody.
        users: Requests that it is answering.
        used: When a request last began or ended.
        ready: When its load ended.
        loaded: The same in Unix seconds.
        names: Who asked, the latest last.
    """

    residence: Residence
    needs: Needs
    asked: int
    slots: int
    stage: Literal["loading", "ready", "leaving"] = "loading"
    worker: Worker | None = None
    failure: Exception | None = None
    retiring: bool = False
    users: int = 0
    used: float = 0.0
    ready: float = 0.0
    loaded: float = 0.0
    names: dict[str, Stay] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What it is a resident of."""
        return key_of(self.residence)

    @property
    def idle(self) -> bool:
        """Whether it is loaded and answers nobody."""
        return self.stage == "ready" and self.users == 0

    @property
    def waiting(self) -> int:
        """Requests that it has beyond those that it answers side by side."""
        return max(0, self.users - self.slots)

    def serves(self, residence: Residence) -> bool:
        """Whether a request for ``residence`` can be answered by it without a reload.

        Its adapters must be among those that are loaded and its context no larger. Threads, batch
        sizes and the like make no difference to an answer, so they reload nothing.
        """
        if self.stage == "leaving" or self.retiring or self.key != key_of(residence):
            return False
        loaded = {adapter.digest for adapter in self.residence.adapters}
        if not all(adapter.digest in loaded for adapter in residence.adapters):
            return False
        asked = residence.loading.num_ctx or 0
        return asked <= max(self.asked, self.residence.loading.num_ctx or 0)

    def take(
        self, name: str, adapters: tuple[str, ...], keep: float | None, default: float
    ) -> None:
        """A request of ``name`` begins.

        Args:
            name: Who asks.
            adapters: Digests of the adapters that it uses.
            keep: Seconds that it stays afterwards; ``None`` keeps what the name had.
            default: What a new name has.
        """
        stay = self.names.pop(name, None) or Stay(default, math.inf, adapters)
        if keep is not None:
            stay.keep = keep
        stay.adapters = adapters
        stay.users += 1
        self.names[name] = stay
        self.users += 1

    def release(self, name: str, now: float) -> None:
        """A request of ``name`` ended."""
        self.users -= 1
        self.used = now
        stay = self.names.get(name)
        if stay is not None:
            stay.users -= 1
            stay.expires = now + stay.keep

    def forget_expired(self, now: float) -> None:
        """Drop the names whose time is over."""
        over = [name for name, stay in self.names.items() if not stay.users and stay.expires <= now]
        for name in over:
            del self.names[name]

    @property
    def next_expiry(self) -> float:
        """When the next of its names is over."""
        ends = (stay.expires for stay in self.names.values() if not stay.users)
        return min(ends, default=math.inf)
