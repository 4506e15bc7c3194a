"""Making: from rows to a proved specialist, the smallest that passes.

The order of the work is the order of the modules: ``rows`` (data, split, leak gate), ``material``
(features and vectors, each made once), ``climbing`` (the ladder), ``deciding`` (thresholds),
``proving`` (the exported parts against their rivals), ``curve`` (label efficiency), ``workflow``
(the whole, ending in a card and an installed artifact).
Chat specialists (``chatting``) and document packs (``packing``) have ways of their own.
"""

from metier.making.makers import Makers
from metier.making.rows import Places
from metier.making.workflow import Made, artifact_parts, make

__all__ = ["Made", "Makers", "Places", "artifact_parts", "make"]
