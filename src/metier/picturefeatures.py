"""Colour and gradient features of a picture: a row of fixed length, by array arithmetic alone.

It knows pixels and numpy; it knows no label, no model and no file. A picture is brought to 64 x 64
by area averages, and four descriptions of it are put side by side, each the square root of shares
(Arandjelovic and Zisserman 2012, "Three things everyone should know", Hellinger's distance) or
normalised on its own:

- gradients: 9 unsigned orientations in cells of 8 x 8, blocks of 2 x 2 cells, L2-Hys
  (Dalal and Triggs 2005, "Histograms of Oriented Gradients for Human Detection", section 6);
- colours: hue weighed by saturation, saturation and lightness in shares of 4 x 4 cells (HSV;
  Swain and Ballard 1991, "Color Indexing", for histograms as a description);
- a thumbnail of lightness, 12 x 12, and of two opponent colours, 6 x 6 (van de Sande et al. 2010,
  "Evaluating Color Descriptors", section 3.1: O1 and O2);
- the shape of the whole: the logarithm of width over height.

``difference_hash`` is the 64-bit hash of neighbours' differences in lightness (dHash, N. Krawetz
2013), which survives scaling and re-encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metier.picturing import Picture

FloatArray = NDArray[np.float32]

NAME = "colour-gradient/1"
"""The features' name; a change of any number below is another name."""
SIDE = 64
_CELL = 8
_ORIENTATIONS = 9
_CLIP = 0.2  # of L2-Hys
_GRID = 4
_HUES, _SATURATIONS, _LIGHTS = 12, 4, 8
_LIGHT_SIDE, _OPPONENT_SIDE = 12, 6
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
# How much each description counts in the whole row; see docs/decisions/0340.
_WEIGHTS = (1.0, 0.3, 0.25, 0.1)

_CELLS = SIDE // _CELL
DIMENSION = (
    (_CELLS - 1) ** 2 * 4 * _ORIENTATIONS
    + _GRID**2 * (_HUES + _SATURATIONS + _LIGHTS)
    + _LIGHT_SIDE**2
    + 2 * _OPPONENT_SIDE**2
    + 1
)
"""Columns of a row."""


def pixels_of(picture: Picture) -> NDArray[np.uint8]:
    """The picture as an array of shape (height, width, 3)."""
    shape = (picture.height, picture.width, 3)
    return np.frombuffer(picture.pixels, np.uint8).reshape(shape)


def features(pictures: Sequence[Picture]) -> FloatArray:
    """One row a picture, float32, shape (len(pictures), DIMENSION), of length about 1."""
    rows = np.empty((len(pictures), DIMENSION), np.float32)
    for row, picture in enumerate(pictures):
        rows[row] = _row(picture)
    return rows


@dataclass(frozen=True, slots=True)
class Trace:
    """What tells near-duplicates: a 64-bit hash, and 8 x 8 pixels that confirm what it suspects."""

    hash: int
    thumb: bytes


def trace(picture: Picture) -> Trace:
    """The trace of a picture."""
    small = resized(pixels_of(picture), 8, 8)
    return Trace(difference_hash(picture), np.rint(small).astype(np.uint8).tobytes())


def difference_hash(picture: Picture) -> int:
    """64 bits: whether each of 8 x 8 places is lighter than its right neighbour."""
    light = resized(pixels_of(picture), 8, 9) @ _LUMA
    # A plain area's noise of one level is no difference.
    bits = (light[:, :-1] > light[:, 1:] + 0.5).reshape(-1)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def resized(pixels: NDArray[np.uint8], height: int, width: int) -> FloatArray:
    """Area averages (bilinear where it grows), float32, shape (height, width, 3), 0 to 255."""
    down, across = _averages(pixels.shape[0], height), _averages(pixels.shape[1], width)
    rows = down @ pixels.reshape(pixels.shape[0], -1).astype(np.float32)
    rows = rows.reshape(height, pixels.shape[1], 3)
    return np.ascontiguousarray(np.einsum("wx,hxc->hwc", across, rows, optimize=True), np.float32)


def _row(picture: Picture) -> FloatArray:
    small = resized(pixels_of(picture), SIDE, SIDE)
    light = small @ _LUMA
    parts = (
        _gradients(light),
        _colours(small),
        _thumbnails(small, light),
        np.array([np.log(picture.width / picture.height)], np.float32),
    )
    return np.concatenate(
        [weight * part for weight, part in zip(_WEIGHTS, parts, strict=True)]
    ).astype(np.float32)


def _gradients(light: FloatArray) -> FloatArray:
    root = np.sqrt(light / 255.0)  # gamma of one half, their section 6.1
    across, down = np.zeros_like(root), np.zeros_like(root)
    across[:, 1:-1] = root[:, 2:] - root[:, :-2]
    down[1:-1] = root[2:] - root[:-2]
    strength = np.hypot(across, down)
    turn = (np.arctan2(down, across) / np.pi) % 1.0 * _ORIENTATIONS - 0.5
    lower = np.floor(turn)
    share = turn - lower
    first = lower.astype(np.int64) % _ORIENTATIONS
    cells = np.zeros(_CELLS * _CELLS * _ORIENTATIONS, np.float64)
    place = _cell_of(SIDE, _CELLS) * _ORIENTATIONS
    for orientation, weight in (
        (first, strength * (1 - share)),
        ((first + 1) % _ORIENTATIONS, strength * share),
    ):
        cells += np.bincount(
            (place + orientation).reshape(-1), weight.reshape(-1), minlength=cells.size
        )
    grid = cells.reshape(_CELLS, _CELLS, _ORIENTATIONS)
    blocks = np.concatenate([grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]], axis=2)
    blocks = blocks / np.sqrt((blocks**2).sum(axis=2, keepdims=True) + 1e-3)
    blocks = np.minimum(blocks, _CLIP)
    blocks = blocks / np.sqrt((blocks**2).sum(axis=2, keepdims=True) + 1e-3)
    flat: FloatArray = (blocks.reshape(-1) / (_CELLS - 1)).astype(np.float32)
    return flat


def _colours(small: FloatArray) -> FloatArray:
    top, low = small.max(axis=2), small.min(axis=2)
    spread = top - low
    saturation = spread / np.maximum(top, 1.0)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    safe = np.maximum(spread, 1e-6)
    hue = np.where(
        top == red,
        (green - blue) / safe,
        np.where(top == green, (blue - red) / safe + 2.0, (red - green) / safe + 4.0),
    )
    hue = (hue / 6.0) % 1.0
    cell = _cell_of(SIDE, _GRID)
    counts = [
        _shares(cell, hue, _HUES, saturation * top / 255.0),
        _shares(cell, saturation, _SATURATIONS, np.ones_like(top)),
        _shares(cell, top / 255.0, _LIGHTS, np.ones_like(top)),
    ]
    stacked = np.concatenate(counts, axis=1)
    return np.sqrt(stacked / (SIDE // _GRID) ** 2 / _GRID**2).reshape(-1).astype(np.float32)


def _shares(
    cell: NDArray[np.int64], value: FloatArray, bins: int, weight: FloatArray
) -> NDArray[np.float64]:
    slot = np.minimum((value * bins).astype(np.int64), bins - 1)
    found = np.bincount(
        (cell * bins + slot).reshape(-1), weight.reshape(-1), minlength=_GRID**2 * bins
    )
    return found.astype(np.float64).reshape(_GRID**2, bins)


def _thumbnails(small: FloatArray, light: FloatArray) -> FloatArray:
    opponent = np.stack(
        [
            (small[..., 0] - small[..., 1]) / np.sqrt(2.0),
            (small[..., 0] + small[..., 1] - 2 * small[..., 2]) / np.sqrt(6.0),
        ],
        axis=2,
    )
    down = _averages(SIDE, _LIGHT_SIDE)
    thumb = down @ light @ down.T
    coarse = _averages(SIDE, _OPPONENT_SIDE)
    colour = np.einsum("hy,yxc,wx->hwc", coarse, opponent, coarse, optimize=True)
    plain = (thumb - thumb.mean()) / 255.0 / _LIGHT_SIDE
    return np.concatenate(
        [2 * plain.reshape(-1), 2 * colour.reshape(-1) / 255.0 / _OPPONENT_SIDE]
    ).astype(np.float32)


@lru_cache(maxsize=8)
def _cell_of(side: int, cells: int) -> NDArray[np.int64]:
    along = np.arange(side) * cells // side
    return along[:, None] * cells + along[None, :]


@lru_cache(maxsize=256)
def _averages(size: int, wanted: int) -> FloatArray:
    """Weights of shape (wanted, size): each target's mean over the source pixels it covers."""
    scale = size / wanted
    reach = max(scale, 1.0)
    centre = (np.arange(wanted) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(size)[None, :] - centre[:, None])
    if scale <= 1.0:
        weights = np.maximum(0.0, 1.0 - distance)
    else:
        weights = np.clip(reach / 2 + 0.5 - distance, 0.0, 1.0)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.setflags(write=False)
    return weights.astype(np.float32)
