"""Making: from rows to a proved specialist, the smallest that passes.

The order of the work is the order of the modules: ``rows`` (data, split, leak gate), ``material``
(features and vectors, each made once), ``climbing`` (the ladder), ``deciding`` (thresholds),
``proving`` (the exported parts against their rivals), ``curve`` (label efficiency), ``making``
(the whole, ending in a card and an installed artifact).
"""

from metier.make.makers import Makers
from metier.make.making import Made, make
from metier.make.rows import Places

__all__ = ["Made", "Makers", "Places", "make"]
