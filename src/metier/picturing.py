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
from math import isfinite
from typing import Literal, Protocol

from pydantic import Field, ValidationError, model_validator

from metier.card import Frozen
from metier.errors import InputError
from metier.manifest import canonical_json

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


VISION_FILE = "vision.json"
VISION_GRAPH = "model.onnx"
MOST_INPUT = 1_024


class VisionFile(Frozen):
    """``vision.json``: how a frozen vision encoder given as ONNX is asked. See ``docs/formats``.

    Attributes:
        name: For people; the installed name where it is left out.
        licence: Of the weights.
        input: Name of the graph's input, float32.
        size: Height and width that it wants, pixels.
        fit: ``crop`` scales the shorter side to ``resize`` and takes the middle; ``stretch``
            scales both sides.
        resize: For ``crop``: the shorter side before the middle is taken; ``size`` if unset.
        mean: Subtracted from each channel after scaling to 0 to 1.
        std: Divides each channel after that.
        channels: ``rgb`` or ``bgr``.
        layout: ``nchw`` or ``nhwc``.
        output: Name of the graph's output, float32: one vector a picture, or tokens.
        pool: Of tokens (batch, tokens, width): ``first``, ``mean``, or of a feature map (batch,
            width, height, width) ``mean``; ``none`` where the output is a vector already.
        dimension: Length of a vector; found by running the graph once where it is left out.
        sha256: Of the graph; written down on import.
        size_bytes: Of the graph; written down on import.
    """

    format: Literal["metier-vision/1"] = "metier-vision/1"
    name: str = Field(default="", max_length=200)
    licence: str | None = Field(default=None, max_length=100)
    input: str = Field(min_length=1, max_length=200)
    size: int = Field(ge=8, le=MOST_INPUT)
    fit: Literal["crop", "stretch"] = "crop"
    resize: int | None = Field(default=None, ge=8, le=2 * MOST_INPUT)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    channels: Literal["rgb", "bgr"] = "rgb"
    layout: Literal["nchw", "nhwc"] = "nchw"
    output: str = Field(min_length=1, max_length=200)
    pool: Literal["none", "first", "mean"] = "none"
    dimension: int | None = Field(default=None, ge=1, le=65_536)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    size_bytes: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _is_consistent(self) -> VisionFile:
        if any(not isfinite(value) for value in (*self.mean, *self.std)) or min(self.std) <= 0:
            raise ValueError("mean and std are finite numbers, and std is above 0")
        if self.resize is not None and self.resize < self.size:
            raise ValueError("resize is not smaller than size")
        return self

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json", exclude_none=True))

    @property
    def digest(self) -> str:
        """``sha256:…`` over the graph and every setting that changes a vector."""
        facts = self.model_dump(mode="json", exclude={"name", "licence", "size_bytes"})
        return f"sha256:{sha256(canonical_json(facts)).hexdigest()}"

    @classmethod
    def from_bytes(cls, data: bytes) -> VisionFile:
        """Parse and check; raises InputError (code ``bad_vision``) naming the field."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise InputError(
                f"{VISION_FILE} is not valid: {where}: {first['msg']}.",
                code="bad_vision",
                remedy="See docs/formats/vision.md for every field.",
            ) from error
