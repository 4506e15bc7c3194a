"""Values of the façade: a part says where it lies and cannot be changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from metier.assembly import InstalledPart


def test_a_part_is_frozen() -> None:
    part = InstalledPart("model.gguf", "sha256:00", 3, Path("model.gguf"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        part.size = 4  # type: ignore[misc]
