"""What the fleet takes of this machine: memory and disk, and what would be missed.

It asks the system, the store and the scheduler; it changes nothing.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from typing import Any

from metier.assembly.localmodels import at_hand
from metier.errors import MetierError
from metier.fleet import Fleet
from metier.hardware import free_memory_bytes, memory_bytes
from metier.settings import Settings

FRESH = 3.0
"""Seconds for which the sizes of the store are remembered: pages that look often ask often."""


class Holdings:
    """What there is and what is taken; threads may share it.

    Args:
        settings: Limits and the home.
        fleet: What is installed.
        used: Bytes that models in memory hold together.
    """

    def __init__(self, settings: Settings, fleet: Fleet, used: Callable[[], int]) -> None:
        self._settings = settings
        self._fleet = fleet
        self._used = used
        self._lock = threading.Lock()
        self._disk: tuple[float, dict[str, Any]] = (-FRESH, {})

    def machine(self) -> dict[str, dict[str, Any]]:
        """Bytes of memory and of the disk.

        ``memory`` has ``total``, ``free``, ``used`` by models and ``room`` that they may take;
        ``disk`` has ``store``, ``partial`` downloads, ``reclaimable`` by a gc (``None`` if nobody
        can say) and ``free``.
        """
        used = self._used()
        room = max(used, at_hand(self._settings, used))
        memory = {
            "total": memory_bytes(),
            "free": free_memory_bytes(),
            "used": used,
            "room": room,
            "limited": self._settings.memory is not None,
        }
        return {"memory": memory, "disk": self._on_disk()}

    def forget(self) -> None:
        """Look at the disk afresh next time: something was removed."""
        with self._lock:
            self._disk = (-FRESH, {})

    def _on_disk(self) -> dict[str, Any]:
        with self._lock:
            at, known = self._disk
            if known and time.monotonic() - at < FRESH:
                return known
        found = self._look()
        with self._lock:
            self._disk = (time.monotonic(), found)
        return found

    def _look(self) -> dict[str, Any]:
        free = shutil.disk_usage(self._settings.home).free
        try:
            taken = self._fleet.store.occupied()
        except MetierError as error:
            return {
                "store": None,
                "partial": None,
                "reclaimable": None,
                "free": free,
                "problem": error.message,
            }
        return {
            "store": taken.blobs,
            "partial": taken.partial,
            "reclaimable": taken.reclaimable,
            "free": free,
            "problem": None,
        }
