"""The fleet: what is installed here, as specialists, bases and local models.

``Fleet`` is what other units use. Local models are described in ``docs/formats/model.md``.
"""

from metier.fleet.checking import CARD, check
from metier.fleet.installed import Installed, Part
from metier.fleet.keeping import Fleet

__all__ = ["CARD", "Fleet", "Installed", "Part", "check"]
