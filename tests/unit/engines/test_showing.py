"""What a general model is shown: the very pixels, large enough to be read."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from metier.engines.showing import LEAST_SIDE, data_address, png_of
from metier.picturing import Picture


def picture(width: int, height: int) -> Picture:
    chance = np.random.default_rng(width * height)
    return Picture(width, height, chance.integers(0, 256, width * height * 3, np.uint8).tobytes())


@pytest.mark.parametrize("size", [(28, 28), (300, 240), (1, 1), (320, 5), (40, 70)])
def test_every_pixel_is_there_and_none_is_invented(size: tuple[int, int]) -> None:
    given = picture(*size)
    shown = np.asarray(Image.open(io.BytesIO(png_of(given))))
    times = shown.shape[1] // given.width
    assert shown.shape == (given.height * times, given.width * times, 3)
    assert shown[::times, ::times].tobytes() == given.pixels
    assert (shown == np.repeat(np.repeat(shown[::times, ::times], times, 0), times, 1)).all()
    assert max(shown.shape) <= 2 * LEAST_SIDE


def test_a_small_picture_is_enlarged_and_a_large_one_is_not() -> None:
    small = Image.open(io.BytesIO(png_of(picture(28, 28))))
    assert min(small.size) >= LEAST_SIDE
    assert Image.open(io.BytesIO(png_of(picture(300, 240)))).size == (300, 240)


def test_the_address_holds_the_file() -> None:
    given = picture(30, 40)
    start, _, body = data_address(given).partition(",")
    assert start == "data:image/png;base64"
    assert base64.b64decode(body) == png_of(given)
