"""Examining: what is installed on an eval, after it was made.

It knows where an eval comes from and which system a name means; scoring and verdicts are
``evals``'.

* ``sealed``: specialists and their rivals on sealed items with labels
* ``bases``: bases under a specialist on tasks that are executed, and the self-test of such evals
"""

from __future__ import annotations

from metier.examine.sealed import Examined, Examiner

__all__ = ["Examined", "Examiner"]
