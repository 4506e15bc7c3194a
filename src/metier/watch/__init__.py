"""Whether a specialist keeps its route: the standing comparison, as pure functions.

It knows paired outcomes, what answers cost and the day it is told; it reads no clock, no ledger and
no store, and runs no model. ``docs/explanation/watching.md`` explains the rules for people.

* ``tracks``: what the pairs against each rival say so far, old and fresh apart
* ``states``: the state machine
* ``saying``: the sentence, and what is noticed
"""

from __future__ import annotations

from metier.watch.saying import needs, noticed, said
from metier.watch.states import ENOUGH, Watched, half_the_cost, judge
from metier.watch.tracks import tracks_of, tracks_over

__all__ = [
    "ENOUGH",
    "Watched",
    "half_the_cost",
    "judge",
    "needs",
    "noticed",
    "said",
    "tracks_of",
    "tracks_over",
]
