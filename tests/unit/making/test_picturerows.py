"""Rows of pictures: decoded once, split without twins on both sides, and faults by file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tiny_vision
from metier.errors import InputError
from metier.making import Places, picturerows
from metier.making.picturerows import gather_pictures, seal_pictures
from metier.messages import Progress, silent
from metier.pictures import Reader, Shelf
from metier.recipe import Recipe


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """One worker for all tests of this file."""
    found = Reader()
    yield found
    found.close()


def places(folder: Path, reader: Reader) -> Places:
    """Data beside the cache."""
    return Places(folder, None, folder / "cache", decoder=reader)


def recipe(path: Path, **split: object) -> Recipe:
    """A recipe of pictures."""
    return Recipe.model_validate(
        {
            "specialist": {"name": "colours", "task": "classify-image"},
            "data": [{"kind": "dir" if path.is_dir() else "file", "path": str(path)}],
            "split": split,
        }
    )


def test_rows_are_digests_whose_pictures_are_kept(tmp_path: Path, reader: Reader) -> None:
    data = tiny_vision.labelled(tmp_path / "set", train=4, test=2)
    rows = gather_pictures(recipe(data), places(tmp_path, reader), silent)
    assert rows.labels == ("blue", "green", "red")
    assert (len(rows.texts), len(rows.sealed.items)) == (12, 6)
    shelf = Shelf(tmp_path / "cache" / "pictures")
    assert all(shelf.get(text).digest == text for text in rows.texts)
    assert rows.summary.given_split
    assert rows.recipe.data[0].path == "set"
    assert rows.leaks.leaked == 0


def test_the_same_bytes_are_decoded_once(tmp_path: Path, reader: Reader) -> None:
    data = tiny_vision.labelled(tmp_path / "set", train=3, test=2)
    first = gather_pictures(recipe(data), places(tmp_path, reader), silent)
    nobody = Places(tmp_path, None, tmp_path / "cache", decoder=None)
    again = gather_pictures(recipe(data), nobody, silent)
    assert again.texts == first.texts
    assert again.sealed.fingerprint == first.sealed.fingerprint
    for pack in (tmp_path / "cache" / "pictures").glob("*.pictures"):
        pack.write_bytes(b"damaged")
    healed = gather_pictures(recipe(data), places(tmp_path, reader), silent)
    assert healed.texts == first.texts


def test_twins_do_not_straddle_a_split_by_chance(tmp_path: Path, reader: Reader) -> None:
    data = tmp_path / "set"
    for seed in range(8):
        for colour in ("red", "blue"):
            (data / colour).mkdir(parents=True, exist_ok=True)
            picture = tiny_vision.pixels(colour, seed + 10 * (colour == "red"), side=32)
            (data / colour / f"{seed}.png").write_bytes(tiny_vision.png(picture))
            (data / colour / f"{seed}-twin.png").write_bytes(
                tiny_vision.png(np.clip(picture.astype(int) + 2, 0, 255).astype(np.uint8))
            )
    rows = gather_pictures(recipe(data), places(tmp_path, reader), silent)
    assert rows.leaks.leaked == 0
    assert rows.leaks.similar == 0
    assert not rows.summary.given_split


def test_what_cannot_be_decoded_is_named_and_nothing_is_kept(
    tmp_path: Path, reader: Reader
) -> None:
    data = tiny_vision.labelled(tmp_path / "set", train=3, test=2)
    (data / "train" / "red" / "cut.png").write_bytes((data / "train/red/0.png").read_bytes()[:200])
    (data / "train" / "blue" / "text.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"train/blue/text\.jpg") as raised:
        gather_pictures(recipe(data), places(tmp_path, reader), silent)
    assert raised.value.details["count"] == 2
    assert "train/red/cut.png" in raised.value.details["problems"][1]["what"]
    assert not list((tmp_path / "cache" / "pictures").iterdir())


def test_dropped_leaks_leave_no_twin_in_training(tmp_path: Path, reader: Reader) -> None:
    data = tiny_vision.labelled(tmp_path / "set", train=5, test=2)
    shutil.copy(data / "test/red/0.png", data / "train/red/copy.png")
    leaky = gather_pictures(recipe(data), places(tmp_path, reader), silent)
    assert leaky.leaks.leaked == 1
    clean = gather_pictures(recipe(data, drop_leaks=True), places(tmp_path, reader), silent)
    assert (clean.leaks.leaked, clean.leaks.dropped, len(clean.texts)) == (0, 1, 15)


def test_an_eval_of_ones_own_is_the_held_out_part(tmp_path: Path, reader: Reader) -> None:
    data = tiny_vision.labelled(tmp_path / "set", train=2, test=2)
    there = places(tmp_path, reader)
    assert len(seal_pictures(data, there, silent, scorer="accuracy").items) == 6
    assert len(seal_pictures(data / "train", there, silent, scorer="accuracy").items) == 6


def test_decoding_tells_how_far_it_is(
    tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picturerows, "_QUIET", 0.0)
    heard: list[Progress] = []
    data = tiny_vision.labelled(tmp_path / "set", train=2, test=1)
    gather_pictures(recipe(data), places(tmp_path, reader), heard.append)
    assert any("of 9 pictures decoded" in step.message for step in heard)
