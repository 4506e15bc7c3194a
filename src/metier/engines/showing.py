"""A decoded picture as a general model is shown it: a PNG in a ``data:`` address.

It knows PNG (W3C, third edition, sections 5, 9 and 11) and how small a picture may be; it decodes
nothing and asks nobody. What is shown are the pixels that a specialist gets, no more and no less.
"""

from __future__ import annotations

import base64
import struct
import zlib

from metier.picturefeatures import pixels_of
from metier.picturing import Picture

LEAST_SIDE = 224
"""Pixels of the shorter side: services say that they read smaller pictures worse, so every pixel
of a smaller one is shown several times over. Nothing is smoothed or invented."""
SHOWN_VERSION = 1
"""Part of a system's digest: pictures that are shown otherwise may be answered otherwise."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH, _TRUECOLOUR = 8, 2


def data_address(picture: Picture) -> str:
    """``data:image/png;base64,…`` of a picture, enlarged by a whole number if it is small."""
    return f"data:image/png;base64,{base64.b64encode(png_of(picture)).decode('ascii')}"


def png_of(picture: Picture) -> bytes:
    """The picture as a PNG; the same picture gives the same bytes under one zlib."""
    times = -(-LEAST_SIDE // min(picture.width, picture.height))
    # A narrow strip would become a huge picture; it is shown as large as others are at most.
    times = max(1, min(times, 2 * LEAST_SIDE // max(picture.width, picture.height)))
    pixels = pixels_of(picture).repeat(times, axis=0).repeat(times, axis=1)
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, _DEPTH, _TRUECOLOUR, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(rows)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
