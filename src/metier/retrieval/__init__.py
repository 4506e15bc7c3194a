"""Document packs: markdown into chunks, searched by words and meaning, shown without harm.

``build_pack`` makes the files of a pack, ``open_pack`` opens them; ``present`` puts passages into a
prompt, ``cite`` tells people where they stand. This package knows documents and passages; it knows
no model that writes and fetches nothing.
"""

from metier.retrieval.chunking import Chunk, PackSource
from metier.retrieval.finding import Found, told
from metier.retrieval.pack import Pack, build_pack, open_pack
from metier.retrieval.presenting import Citation, cite, harmless, present

__all__ = [
    "Chunk",
    "Citation",
    "Found",
    "Pack",
    "PackSource",
    "build_pack",
    "cite",
    "harmless",
    "open_pack",
    "present",
    "told",
]
