"""Pictures as values: their digest, their limits, and what describes a vision encoder."""

from __future__ import annotations

import json

import pytest

from metier.errors import InputError
from metier.picturing import MOST_SIDE, Picture, VisionFile

SOUND = {"input": "pixels", "output": "vector", "size": 32}


def test_the_digest_covers_size_and_pixels() -> None:
    wide, tall = Picture(4, 2, bytes(24)), Picture(2, 4, bytes(24))
    assert wide.digest != tall.digest
    assert wide.digest == Picture(4, 2, bytes(24), ("turned upright",)).digest
    assert Picture(4, 2, bytes(23) + b"\1").digest != wide.digest


@pytest.mark.parametrize(
    ("width", "height", "size"), [(0, 2, 0), (MOST_SIDE + 1, 1, 963), (2, 2, 11)]
)
def test_what_is_no_picture_is_none(width: int, height: int, size: int) -> None:
    with pytest.raises(ValueError, match="picture"):
        Picture(width, height, bytes(size))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 4}, "size"),
        ({"std": [1, 1, 0]}, "std"),
        ({"resize": 16}, "resize"),
        ({"pool": "max"}, "pool"),
        ({"input": ""}, "input"),
        ({"custom_code": "x"}, "custom_code"),
        ({"sha256": "short"}, "sha256"),
    ],
)
def test_a_wrong_field_of_an_encoder_is_named(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        VisionFile.from_bytes(json.dumps({**SOUND, **change}).encode())
    assert raised.value.code == "bad_vision"


def test_an_encoders_digest_is_of_what_changes_a_vector() -> None:
    file = VisionFile.from_bytes(json.dumps(SOUND).encode())
    assert VisionFile.from_bytes(file.to_bytes()) == file
    assert file.model_copy(update={"name": "other", "licence": "MIT"}).digest == file.digest
    assert file.model_copy(update={"size": 48}).digest != file.digest
    assert file.model_copy(update={"sha256": "0" * 64}).digest != file.digest
