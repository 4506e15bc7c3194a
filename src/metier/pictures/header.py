"""What a picture file says of itself in its first bytes: format and size, before any decoder.

It reads PNG, JPEG and WebP headers by their specifications (PNG 3rd edition §11.2.1; ITU-T T.81
annex B; RFC 9649) and refuses all else by name. It decodes nothing, so a file that would need
gigabytes is refused for the price of a few comparisons. A file is what it begins with: whatever
hangs behind a picture is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from metier.errors import InputError
from metier.picturing import MOST_BYTES, MOST_EDGE, MOST_PIXELS

Format = Literal["png", "jpeg", "webp"]

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers; 0xC4, 0xC8 and 0xCC are tables and an extension."""
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
_OTHERS = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\x00", "a TIFF"),
    (b"MM\x00*", "a TIFF"),
    (b"II+\x00", "a TIFF"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x00\x00\x00\x0cjP", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\x00\x00\x00\x0cJXL", "a JPEG XL"),
    (b"qoif", "a QOI"),
    (b"PK\x03\x04", "a zip archive"),
    (b"<svg", "an SVG"),
    (b"<?xml", "an XML file, perhaps an SVG"),
    (b"<!", "a page"),
    (b"<html", "a page"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """Format and size as the file states them."""

    format: Format
    width: int
    height: int


def read_header(data: bytes, *, where: str) -> Header:
    """The header of a picture file, with its limits checked.

    Args:
        data: The whole file.
        where: What people call it.

    Raises:
        InputError: Not one of the three formats (``not_a_picture``), cut off or damaged
            (``broken_picture``), or beyond a limit (``too_large``).
    """
    if len(data) > MOST_BYTES:
        raise InputError(
            f"{where} has {len(data):,} bytes; {MOST_BYTES >> 20} MB is the most.",
            code="too_large",
            remedy="Make it smaller; a few hundred pixels a side are looked at.",
        )
    header = _header(data, where)
    if header.width < 1 or header.height < 1:
        raise broken(where, "it says that it is empty")
    large = max(header.width, header.height) > MOST_EDGE
    if large or header.width * header.height > MOST_PIXELS:
        raise InputError(
            f"{where} is {header.width:,} x {header.height:,} pixels; {MOST_PIXELS // 10**6} "
            f"million pixels and {MOST_EDGE:,} a side are the most.",
            code="too_large",
            remedy="Make it smaller; a few hundred pixels a side are looked at.",
        )
    return header


def broken(where: str, why: str) -> InputError:
    """A file that begins like a picture and is none."""
    return InputError(
        f"{where} cannot be decoded: {why}.",
        code="broken_picture",
        remedy="Save it again as PNG or JPEG with another program.",
    )


def _header(data: bytes, where: str) -> Header:
    if data.startswith(_PNG):
        return _png(data, where)
    if data.startswith(_JPEG):
        return _jpeg(data, where)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data, where)
    raise InputError(
        f"{where} is {_called(data)}, which is not decoded here.",
        code="not_a_picture",
        remedy="Give a PNG, JPEG or WebP file.",
    )


def _called(data: bytes) -> str:
    if not data:
        return "empty"
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[4:8] == b"ftyp":
        return "a HEIF, AVIF or video file"
    for magic, name in _OTHERS:
        if data.startswith(magic) or start.lower().startswith(magic.lower()):
            return name
    return "no picture that Metier knows"


def _png(data: bytes, where: str) -> Header:
    if data[8:16] != b"\x00\x00\x00\x0dIHDR" or len(data) < 33:
        raise broken(where, "its PNG header is not whole")
    return Header("png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _jpeg(data: bytes, where: str) -> Header:
    """Walk the segments to the first start of frame (T.81 B.1.1.4, B.2.2)."""
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise broken(where, "its JPEG segments do not follow each other")
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker in _BARE:
            place += 2
            continue
        if marker in (0xD9, 0xDA):
            raise broken(where, "it has no JPEG frame header")
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if length < 2:
            raise broken(where, "a JPEG segment has no length")
        if marker in _FRAMES:
            if place + 9 > len(data):
                break
            height = int.from_bytes(data[place + 5 : place + 7], "big")
            return Header("jpeg", int.from_bytes(data[place + 7 : place + 9], "big"), height)
        place += 2 + length
    raise broken(where, "it ends before its JPEG frame header")


def _webp(data: bytes, where: str) -> Header:
    """The first chunk of RFC 9649: lossy ``VP8 ``, lossless ``VP8L`` or extended ``VP8X``."""
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        width = int.from_bytes(data[24:27], "little") + 1
        return Header("webp", width, int.from_bytes(data[27:30], "little") + 1)
    if kind == b"VP8L" and len(data) >= 25 and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return Header("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and len(data) >= 30 and data[23:26] == b"\x9d\x01\x2a":
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        return Header("webp", width, int.from_bytes(data[28:30], "little") & 0x3FFF)
    raise broken(where, "its WebP header is not whole")
