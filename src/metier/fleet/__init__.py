"""The fleet: what is installed here, as specialists, bases and local models.

``Fleet`` is what other units use. Local models are described in ``docs/formats/model.md``.
"""

from metier.fleet.binding import doubts, refuse_wrong_pairing
from metier.fleet.checking import CARD, check
from metier.fleet.installed import Installed, Part
from metier.fleet.keeping import Fleet
from metier.fleet.lineage import Kin, Role, lineage
from metier.fleet.models import base_from, files_of, model_of, shards_of
from metier.fleet.taking import own_name

__all__ = [
    "CARD",
    "Fleet",
    "Installed",
    "Kin",
    "Part",
    "Role",
    "base_from",
    "check",
    "doubts",
    "files_of",
    "lineage",
    "model_of",
    "own_name",
    "refuse_wrong_pairing",
    "shards_of",
]
