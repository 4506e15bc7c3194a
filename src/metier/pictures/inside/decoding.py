"""One picture file to upright RGB pixels that fit a side, by Pillow's decoders of three formats.

It knows Pillow; what a file may weigh and what its header says was checked before it came here, and
is checked once more. Everything that a file can be wrong in comes out as ``RefusedError``.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

BACKGROUND = (255, 255, 255)
"""What shows through transparent places."""
_NAMES = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
_SIXTEEN = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")

ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # the header was checked against our own limit


class RefusedError(Exception):
    """The file cannot be decoded; the message is a sentence's end."""


@dataclass(frozen=True)
class Decoded:
    """Pixels, three bytes each, and what was done beyond reading."""

    width: int
    height: int
    pixels: bytes
    notes: tuple[str, ...]


def decode(data: bytes, kind: str, width: int, height: int, side: int) -> Decoded:
    """Decode one file.

    Args:
        data: Its bytes.
        kind: ``png``, ``jpeg`` or ``webp``: the only decoder that is tried.
        width: As the header said; a decoder that sees another size is not trusted.
        height: Likewise.
        side: Pixels of the longer side at most.

    Raises:
        RefusedError: It is broken, cut off, or not what its header said.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that is not looked at
            return _decoded(data, kind, (width, height), side)
    except RefusedError:
        raise
    except MemoryError as error:
        raise RefusedError("it needs more memory than decoding may take") from error
    except UnidentifiedImageError as error:
        raise RefusedError(f"it is no {_NAMES[kind]} inside") from error
    except (
        OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, AttributeError,
        OverflowError, ArithmeticError, RuntimeError, struct.error, zlib.error,
        Image.DecompressionBombError,
    ) as error:  # fmt: skip  # Pillow's readers raise any of these on damaged files
        raise RefusedError(f"{type(error).__name__}: {str(error)[:120] or 'damaged'}") from error


def _decoded(data: bytes, kind: str, said: tuple[int, int], side: int) -> Decoded:
    notes = []
    with Image.open(io.BytesIO(data), formats=[_NAMES[kind]]) as opened:
        if opened.size != said:
            raise RefusedError(f"its header says {said[0]} x {said[1]}, its decoder otherwise")
        if getattr(opened, "n_frames", 1) > 1:
            notes.append("first of several frames")
            opened.seek(0)
        if kind == "jpeg":
            # libjpeg scales by eighths as it decodes: less memory, and the same for every caller.
            opened.draft(opened.mode, (2 * side, 2 * side))
        opened.load()
        turn = opened.getexif().get(0x0112, 1) if kind != "png" or "exif" in opened.info else 1
        picture: Image.Image = _opaque(opened)
        if turn in range(2, 9):
            picture = _upright(picture, turn)
            notes.append("turned upright")
    if max(picture.size) > side:
        picture.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    return Decoded(picture.width, picture.height, picture.tobytes(), tuple(notes))


def _opaque(image: Image.Image) -> Image.Image:
    """Three channels of eight bits; transparency shows white, sixteen bits lose the lower eight."""
    if image.mode in _SIXTEEN:
        extremes: Any = image.getextrema()
        low, high = extremes
        if high > 255 or low < 0:
            image = image.point(lambda value: value * (1 / 256)).convert("L")
        return image.convert("L").convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (*BACKGROUND, 255))
        ground.alpha_composite(image)
        return ground.convert("RGB")
    # CMYK of JPEG files is inverted by Adobe's marker, which Pillow reads; no profile is applied.
    return image.convert("RGB")


def _upright(image: Image.Image, turn: int) -> Image.Image:
    """EXIF 2.32, orientation (0x0112)."""
    exif = Image.Exif()
    exif[0x0112] = turn
    image.info["exif"] = exif.tobytes()
    return ImageOps.exif_transpose(image).convert("RGB")
