"""Decoding: every odd kind of picture comes out as upright RGB, every damaged one is refused."""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from metier.errors import InputError
from metier.pictures.header import read_header
from metier.pictures.inside.decoding import Decoded, RefusedError, decode
from tiny_vision import encoded, pixels, png

SIDE = 64


def opened(data: bytes, side: int = SIDE) -> Decoded:
    """Decode as the worker would."""
    header = read_header(data, where="it")
    return decode(data, header.format, header.width, header.height, side)


def saved(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    """A picture's file."""
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def corner(found: Decoded) -> tuple[int, int, int]:
    """The pixel at the top left."""
    return found.pixels[0], found.pixels[1], found.pixels[2]


def test_png_comes_out_as_it_went_in() -> None:
    picture = pixels("green", 1, side=40)
    found = opened(png(picture))
    assert (found.width, found.height, found.notes) == (40, 40, ())
    assert found.pixels == picture.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_ones_come_out_nearly_so(kind: str) -> None:
    picture = np.full((24, 24, 3), (200, 40, 60), np.uint8)
    found = opened(encoded(picture, kind, quality=95))
    assert np.abs(np.array(corner(found), int) - (200, 40, 60)).max() < 12


@pytest.mark.parametrize(
    ("turn", "at"),
    [(1, (0, 0)), (2, (0, 7)), (3, (3, 7)), (4, (3, 0)), (5, (0, 0)), (6, (0, 3)), (7, (7, 3)),
     (8, (7, 0))],
)  # fmt: skip
def test_each_orientation_is_turned_upright(turn: int, at: tuple[int, int]) -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = turn
    found = opened(saved(Image.fromarray(picture), exif=exif))
    shown = np.frombuffer(found.pixels, np.uint8).reshape(found.height, found.width, 3)
    assert (found.width, found.height) == ((8, 4) if turn < 5 else (4, 8))
    assert np.argwhere(shown[..., 0] == 255).tolist() == [list(at)]
    assert (found.notes == ("turned upright",)) == (turn > 1)


def test_a_strange_orientation_is_left_alone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert opened(saved(Image.new("RGB", (5, 3)), exif=exif)).notes == ()


def test_transparency_shows_white() -> None:
    clear = Image.new("RGBA", (6, 6), (10, 20, 30, 0))
    assert corner(opened(saved(clear))) == (255, 255, 255)
    assert corner(opened(saved(clear, "WEBP", lossless=True))) == (255, 255, 255)
    assert corner(opened(saved(Image.new("LA", (6, 6), (0, 0))))) == (255, 255, 255)


def test_a_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (6, 6), 1)
    image.putpalette([0, 0, 0, 250, 0, 0])
    assert corner(opened(saved(image))) == (250, 0, 0)
    assert corner(opened(saved(image, transparency=1))) == (255, 255, 255)


def test_sixteen_bits_lose_the_lower_eight() -> None:
    image = Image.fromarray(np.full((5, 5), 200 << 8, np.uint16))
    assert corner(opened(saved(image))) == (200, 200, 200)
    dark = Image.fromarray(np.full((5, 5), 3, np.uint16))
    assert max(corner(opened(saved(dark)))) <= 3


def test_grey_one_bit_and_cmyk() -> None:
    assert corner(opened(saved(Image.new("L", (4, 4), 90)))) == (90, 90, 90)
    assert corner(opened(saved(Image.new("1", (4, 4), 1)))) == (255, 255, 255)
    ink = opened(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
    assert corner(ink)[0] > 200 > 60 > corner(ink)[1]


def test_of_several_frames_the_first_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("WEBP", "PNG"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        found = opened(data)
        assert found.notes == ("first of several frames",), kind
        assert corner(found)[0] > 200, kind


def test_a_large_one_is_shrunk_to_fit() -> None:
    found = opened(encoded(np.zeros((300, 600, 3), np.uint8), "JPEG"))
    assert (found.width, found.height) == (64, 32)
    assert opened(png(np.zeros((1, 500, 3), np.uint8))).height == 1


def test_text_in_a_picture_is_not_unpacked() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("comment", "a" * 3_000_000, zip=True)
    try:
        found = opened(saved(Image.new("RGB", (4, 4)), pnginfo=told))
    except RefusedError:
        return
    assert found.width == 4


def test_a_header_that_lies_is_refused() -> None:
    data = png(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(RefusedError, match="otherwise"):
        decode(data, "png", 9, 8, SIDE)
    with pytest.raises(RefusedError):
        decode(data, "webp", 8, 8, SIDE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_is_cut_off_is_refused(kind: str) -> None:
    data = encoded(pixels("blue", 4, side=60), kind)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises((RefusedError, InputError)):
            opened(data[: int(share * len(data))])


def test_a_polyglot_is_what_it_begins_with() -> None:
    picture = png(np.zeros((4, 4, 3), np.uint8))
    found = opened(picture + b"PK\x03\x04<script>alert(1)</script>")
    assert len(found.pixels) == 48


def test_three_thousand_damaged_files_come_out_as_pixels_or_refused() -> None:
    chance = random.Random(20261123)
    sound = [encoded(pixels("red", 5, side=24), kind) for kind in ("PNG", "JPEG", "WEBP")]
    sound += [
        encoded(pixels("blue", 6, side=24), "JPEG", progressive=True),
        saved(Image.new("RGBA", (9, 9), (1, 2, 3, 100)), "WEBP"),
        saved(Image.new("P", (9, 9), 1), transparency=1),
    ]
    seen: set[str] = set()
    for _ in range(3_000):
        data = bytearray(chance.choice(sound))
        for _ in range(chance.randint(1, 8)):
            what = chance.random()
            at = chance.randrange(len(data))
            if what < 0.6:
                data[at] = chance.randrange(256)
            elif what < 0.8:
                data[at : at + chance.randint(1, 20)] = b""
            else:
                data[at:at] = chance.randbytes(chance.randint(1, 20))
            if not data:
                data = bytearray(b"\0")
        try:
            found = opened(bytes(data))
        except (RefusedError, InputError):
            seen.add("refused")
        else:
            seen.add("pixels")
            assert len(found.pixels) == 3 * found.width * found.height
            assert max(found.width, found.height) <= SIDE
    assert seen == {"refused", "pixels"}
