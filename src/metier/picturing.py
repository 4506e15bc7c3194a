"""A picture as everything here sees it, and the limits within which files become one.

It knows pixels, their digest and how large anything may be; it opens no file and decodes nothing.
A picture is what is left of a file after decoding: upright, without transparency, three channels
of eight bits, shrunk to fit ``MOST_SIDE``. Two files with the same pixels are the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Protocol

MOST_BYTES = 20 << 20
"""Bytes of one picture file."""
MOST_PIXELS = 50_000_000
"""Pixels of one file, by its header, before anything is decoded."""
MOST_EDGE = 16_383
"""Pixels of one edge of a file; a WebP cannot have more."""
MOST_SIDE = 320
"""Pixels of the longer side after decoding: encoders look at 224 or so, features at 64."""
FORMATS = ("png", "jpeg", "webp")
"""What is decoded; everything else is refused by its first bytes."""
_NAMED = b"metier-picture/1"


@dataclass(frozen=True)
class Picture:
    """One decoded picture.

    Attributes:
        width: Columns.
        height: Rows.
        pixels: Red, green, blue, row by row from the top left; ``3 * width * height`` bytes.
        notes: What decoding did beyond reading (turned upright, first of several frames …).
    """

    width: int
    height: int
    pixels: bytes
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1 or max(self.width, self.height) > MOST_SIDE:
            raise ValueError(f"a picture is 1 to {MOST_SIDE} pixels a side")
        if len(self.pixels) != 3 * self.width * self.height:
            raise ValueError("a picture has three bytes a pixel")

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` over size and pixels: what the picture is called in evals and results."""
        said = b"%b\n%dx%d\n" % (_NAMED, self.width, self.height)
        return f"sha256:{sha256(said + self.pixels).hexdigest()}"


class Pictures(Protocol):
    """Where a decoded picture is found by its digest."""

    def get(self, digest: str) -> Picture:
        """The picture; raises NotFoundError (code ``picture_not_here``)."""


class Decoder(Protocol):
    """Turns files into pictures."""

    def decode(self, data: bytes, *, where: str) -> Picture:
        """The picture in a file's bytes; raises InputError naming ``where``."""

    def decode_all(self, files: Sequence[bytes], *, where: str) -> list[Picture]:
        """Several, in order."""
