"""Arrays of pictures: both ways to name them, and what is refused before it is unpacked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metier.datasets import picturearrays
from metier.datasets.pictures import picture_files
from metier.errors import InputError
from metier.picturing import Picture

GREY = np.arange(6 * 5 * 4, dtype=np.uint8).reshape(6, 5, 4)


def saved(path: Path, **arrays: Any) -> Path:
    """An ``.npz`` of arrays."""
    np.savez(path, **arrays)
    return path


def test_pictures_labels_and_splits(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "a.npz",
        images=GREY,
        labels=np.array(["a", "b"] * 3),
        splits=np.array(["train"] * 4 + ["test"] * 2),
    )
    found = picture_files(path, name="a.npz")
    assert (found.format, len(found.files)) == ("npz", 6)
    assert [file.split for file in found.files] == ["train"] * 4 + ["test"] * 2
    first = found.files[1].read()
    assert isinstance(first, Picture)
    assert (first.width, first.height) == (4, 5)
    assert first.pixels[:3] == bytes([20, 20, 20])


def test_pairs_named_by_split(tmp_path: Path) -> None:
    colour = np.repeat(GREY[..., None], 3, axis=3)
    path = saved(
        tmp_path / "a.npz", x_train=colour, y_train=np.arange(6), x_test=colour, y_test=np.arange(6)
    )
    found = picture_files(path, name="a.npz")
    assert [(file.label, file.split) for file in found.files][5:7] == [
        ("5", "train"),
        ("0", "test"),
    ]
    assert found.files[6].place == "x_test[0]"
    assert [file.number for file in found.files] == list(range(1, 13))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": GREY.astype(float), "labels": np.arange(6)}, "float64"),
        ({"images": GREY, "labels": np.arange(5)}, "6 pictures, labels 5 labels"),
        ({"images": np.zeros((2, 400, 4), np.uint8), "labels": np.arange(2)}, "400"),
        ({"pixels": GREY}, "pixels"),
        ({"images": GREY, "labels": np.array([object()] * 6)}, "objects"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        picture_files(saved(tmp_path / "a.npz", **arrays), name="a.npz")
    assert raised.value.code == "bad_arrays"


def test_what_is_no_archive_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError):
        picture_files(tmp_path / "b.npz", name="b.npz")
    monkeypatch.setattr(picturearrays, "MOST_ARRAY_BYTES", 50)
    path = saved(tmp_path / "a.npz", images=GREY, labels=np.arange(6))
    with pytest.raises(InputError, match="larger"):
        picture_files(path, name="a.npz")
