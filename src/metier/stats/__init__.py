"""Statistics on plain arrays: shares, paired differences, power, calibration.

It knows scores between 0 and 1 and which of them belong together (clusters); it knows no model,
no label, no file and no clock, and it never draws a random number that its caller did not seed.

* ``clusters``: the variance of a mean whose items come in clusters, and how many of them count
* ``shares``: intervals of a share (Wilson) and of macro-F1 (bootstrap)
* ``exact``: exact tests of "no difference" (McNemar, sign flips)
* ``paired``: the paired difference with its interval and verdict
* ``families``: many comparisons at once (Holm), and groups of what cannot be told apart
* ``halving``: the best of many candidates for few questions (sequential halving)
* ``searched``: what such a search is made of
* ``sequential``: the paired difference that may be looked at for ever
* ``turning``: whether it has become worse at some time
* ``power``: what an eval of a given size can show
* ``calibration``: expected calibration error and AUROC

Every formula names its source; where scipy has the method, its is used.
"""

from __future__ import annotations

from metier.stats.calibration import auroc, expected_calibration_error
from metier.stats.exact import mcnemar_p, sign_flip_p
from metier.stats.families import groups, holm
from metier.stats.halving import halve, least_budget, plan
from metier.stats.paired import paired_difference, paired_interval, upper_bound
from metier.stats.power import detectable_difference, needed_items, power
from metier.stats.searched import Asked, Contender, Rules, Search
from metier.stats.sequential import Anytime, Tally, anytime
from metier.stats.shares import MacroF1, macro_f1, share_interval, wilson
from metier.stats.turning import Turning

__all__ = [
    "Anytime",
    "Asked",
    "Contender",
    "MacroF1",
    "Rules",
    "Search",
    "Tally",
    "Turning",
    "anytime",
    "auroc",
    "detectable_difference",
    "expected_calibration_error",
    "groups",
    "halve",
    "holm",
    "least_budget",
    "macro_f1",
    "mcnemar_p",
    "needed_items",
    "paired_difference",
    "paired_interval",
    "plan",
    "power",
    "share_interval",
    "sign_flip_p",
    "upper_bound",
    "wilson",
]
