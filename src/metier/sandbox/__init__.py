"""Sandboxes for code that nobody has read: what a model wrote, or what it was talked into.

It knows how to run a command with nothing but what it is given, how to limit it and how to end it;
it knows no language, no tool and no verdict. Without a sandbox such code is refused.
"""

from metier.sandbox.confining import Sandbox
from metier.sandbox.detecting import State, describe, detect
from metier.sandbox.interpreters import packages, program, python
from metier.sandbox.plain import plain
from metier.sandbox.pool import Pool
from metier.sandbox.running import Running
from metier.sandbox.talking import Talking
from metier.sandbox.values import Finished, Limits, Place

__all__ = [
    "Finished",
    "Limits",
    "Place",
    "Pool",
    "Running",
    "Sandbox",
    "State",
    "Talking",
    "describe",
    "detect",
    "packages",
    "plain",
    "program",
    "python",
]
