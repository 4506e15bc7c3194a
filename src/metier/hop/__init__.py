"""Hopping: the recipe made again on something newer, and promoted only if it is shown to be better.

It is pure: who is held against whom, the rule, what a refusal says, what is kept of the loser.
Making, asking and the change of names are ``assembly.hopping``'s. Explained in
``docs/explanation/hopping.md``.

* ``values``: challengers, rulings, promotions, the history
* ``judging``: the rule
* ``history``: acts as rows of the ledger
* ``wanting``: the bases that a person names, and what of a recipe a view changes
"""

from metier.hop.history import back, body_of, earlier_of, facts_of, history
from metier.hop.judging import (
    LEVEL,
    costs,
    decide,
    lower_end,
    not_worse,
    numbers,
    wins,
    without_leaks,
)
from metier.hop.values import Act, Challenger, Done, Ground, Hopped, Offer, Promotion, Ruling
from metier.hop.wanting import OVER_BASE, VIEWS, Wanted, on_base, views_of

__all__ = [
    "LEVEL",
    "OVER_BASE",
    "VIEWS",
    "Act",
    "Challenger",
    "Done",
    "Ground",
    "Hopped",
    "Offer",
    "Promotion",
    "Ruling",
    "Wanted",
    "back",
    "body_of",
    "costs",
    "decide",
    "earlier_of",
    "facts_of",
    "history",
    "lower_end",
    "not_worse",
    "numbers",
    "on_base",
    "views_of",
    "wins",
    "without_leaks",
]
