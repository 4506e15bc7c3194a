"""Features of pictures: fixed length, about unit length, and what they are told apart by."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from metier.picturefeatures import (
    DIMENSION,
    difference_hash,
    features,
    pixels_of,
    resized,
    trace,
)
from metier.picturing import Picture
from tiny_vision import pixels


def picture_of(array: np.ndarray) -> Picture:  # type: ignore[type-arg]
    """An array as a picture."""
    return Picture(array.shape[1], array.shape[0], array.tobytes())


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_any_picture_gives_a_finite_row_of_bounded_length(
    width: int, height: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    array = chance.integers(0, 256, (height, width, 3), np.uint8)
    rows = features([picture_of(array)])
    assert rows.shape == (1, DIMENSION)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows) < 3


def test_the_row_of_a_picture_does_not_depend_on_its_neighbours() -> None:
    one, two = picture_of(pixels("red", 1)), picture_of(pixels("blue", 2))
    assert (features([one, two])[0] == features([one])[0]).all()


def test_resizing_keeps_the_mean_and_a_plain_picture() -> None:
    plain = np.full((37, 53, 3), 90, np.uint8)
    assert np.allclose(resized(plain, 16, 16), 90, atol=1e-3)
    assert np.allclose(resized(plain, 100, 100), 90, atol=1e-3)
    noisy = pixels("green", 3, side=64)
    assert abs(resized(noisy, 8, 8).mean() - noisy.mean()) < 0.5


def test_horizontal_and_vertical_stripes_differ_in_gradients() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::8] = 255
    down = features([picture_of(stripes)])[0]
    across = features([picture_of(np.ascontiguousarray(stripes.transpose(1, 0, 2)))])[0]
    assert np.abs(down - across).max() > 0.01


def test_colours_differ_where_lightness_does_not() -> None:
    red, blue = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32, 3), np.uint8)
    red[..., 0], blue[..., 2] = 100, 255
    assert np.linalg.norm(features([picture_of(red)]) - features([picture_of(blue)])) > 0.3


def test_a_hash_survives_another_size_and_a_little_light() -> None:
    gradient = np.tile(np.linspace(0, 220, 128).astype(np.uint8)[:, None], (128, 1, 3))
    gradient[30:60, 40:90] = 255
    small = np.rint(resized(gradient, 64, 64)).astype(np.uint8)
    lighter = np.clip(gradient.astype(int) + 8, 0, 255).astype(np.uint8)
    first = difference_hash(picture_of(gradient))
    for other in (small, lighter):
        assert (first ^ difference_hash(picture_of(other))).bit_count() <= 4
    assert len(trace(picture_of(gradient)).thumb) == 192
    assert pixels_of(picture_of(small)).shape == (64, 64, 3)
