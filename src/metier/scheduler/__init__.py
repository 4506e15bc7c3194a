"""What is in memory: workers loaded on demand, kept under a budget, let go when nobody asks.

It knows the protocols of ``metier.generating``, bytes and seconds; it knows no engine, no file
format and no store. See ``docs/explanation/scheduling.md``.
"""

from metier.scheduler.clock import Clock, SystemClock
from metier.scheduler.scheduling import LocalScheduler
from metier.scheduler.sizing import Needs, Shape, Sized, scratch_bytes, sized
from metier.scheduler.values import Limits, Measured

__all__ = [
    "Clock",
    "Limits",
    "LocalScheduler",
    "Measured",
    "Needs",
    "Shape",
    "Sized",
    "SystemClock",
    "scratch_bytes",
    "sized",
]
