"""The store: names, manifests and blobs on this machine, safe against crashes and bit rot.

``Store`` is what other units use; ``docs/formats/store.md`` says what lies on the disk. It knows
nothing of what the parts mean.
"""

from metier.store.index import Entry
from metier.store.ingest import Ingest
from metier.store.keeping import Store
from metier.store.sharing import Check
from metier.store.upkeep import Collected, Problem, Verified

__all__ = ["Check", "Collected", "Entry", "Ingest", "Problem", "Store", "Verified"]
