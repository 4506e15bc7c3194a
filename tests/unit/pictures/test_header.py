"""Headers: the size that a file states, and every file that is refused before a decoder sees it."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import InputError
from metier.pictures.header import read_header
from tiny_vision import encoded, png

PICTURE = np.zeros((7, 11, 3), np.uint8)
SOUND = {
    "png": png(PICTURE),
    "jpeg": encoded(PICTURE, "JPEG"),
    "jpeg, progressive": encoded(PICTURE, "JPEG", progressive=True),
    "webp": encoded(PICTURE, "WEBP"),
    "webp, lossless": encoded(PICTURE, "WEBP", lossless=True),
    "webp, extended": encoded(PICTURE, "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
}


@pytest.mark.parametrize("name", SOUND)
def test_the_size_is_read(name: str) -> None:
    header = read_header(SOUND[name], where="it")
    assert (header.format, header.width, header.height) == (name.split(",")[0], 11, 7)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"GIF89a\x01\0\x01\0", "is a GIF"),
        (b"<svg xmlns='x'/>", "is an SVG"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><svg/>", "perhaps an SVG"),
        (b"<!DOCTYPE html>", "is a page"),
        (b"II*\0\x08\0\0\0", "is a TIFF"),
        (b"MM\0*\0\0\0\x08", "is a TIFF"),
        (b"8BPS\0\x01", "is a Photoshop file"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\0\0\0\x1cftypheic", "HEIF"),
        (b"PK\x03\x04", "zip"),
        (b"root:x:0:0", "no picture"),
        (b"RIFF\0\0\0\0WAVEfmt ", "no picture"),
    ],
)
def test_other_files_are_named(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        read_header(data, where="cat.png")
    assert raised.value.code == "not_a_picture"
    assert "cat.png" in raised.value.message


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (2**31 - 1, 1), (16_384, 1)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(InputError, match="pixels") as raised:
        read_header(bomb(width, height), where="it")
    assert raised.value.code == "too_large"


def test_an_empty_picture_and_a_heavy_file_are_refused() -> None:
    with pytest.raises(InputError, match="empty") as raised:
        read_header(bomb(0, 5), where="it")
    assert raised.value.code == "broken_picture"
    with pytest.raises(InputError, match="20 MB"):
        read_header(SOUND["png"] + bytes(20 << 20), where="it")


@pytest.mark.parametrize("name", SOUND)
def test_a_header_that_is_cut_off_is_said(name: str) -> None:
    data = SOUND[name]
    for size in range(12, 24):
        with pytest.raises(InputError):
            read_header(data[:size], where="it")


@given(st.sampled_from(sorted(SOUND)), st.binary(max_size=60), st.integers(2, 40))
def test_nothing_but_an_error_of_ours_comes_of_any_bytes(name: str, junk: bytes, at: int) -> None:
    for data in (junk, SOUND[name][:at] + junk):
        try:
            header = read_header(data, where="it")
        except InputError:
            continue
        assert header.width * header.height <= 50_000_000
