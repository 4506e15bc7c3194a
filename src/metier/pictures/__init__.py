"""Pictures: files that nobody has looked at become pixels, in a process that can do nothing else.

It knows three formats, their limits and how a decoded picture is kept; it knows no label and no
model. Pillow is known to ``inside`` alone, which runs in a sandboxed worker process.
"""

from metier.pictures.header import Header, read_header
from metier.pictures.packs import Pack, write_pack
from metier.pictures.reading import Reader
from metier.pictures.shelf import Shelf

__all__ = ["Header", "Pack", "Reader", "Shelf", "read_header", "write_pack"]
