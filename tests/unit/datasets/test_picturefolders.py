"""Which files of a folder are pictures, of which label and split."""

from __future__ import annotations

import pytest

from metier.datasets.picturefolders import layout
from metier.errors import InputError


def test_label_folders() -> None:
    found = layout(["hat/2.PNG", "hat/1.jpg", "shirt/1.webp", "shirt/readme.txt", "1.jpg"], "it")
    assert [(one.path, one.label, one.split) for one in found.entries] == [
        ("hat/1.jpg", "hat", None),
        ("hat/2.PNG", "hat", None),
        ("shirt/1.webp", "shirt", None),
    ]
    assert found.notes == (
        "1 files ending in .txt were left out.",
        "1 pictures outside a label's folder were left out.",
    )


def test_split_folders_and_one_more_around_everything() -> None:
    paths = ["set/train/hat/1.jpg", "set/validation/hat/a/2.jpg", "set/test/shirt/3.jpg"]
    found = layout(paths, "it")
    assert sorted((one.label, one.split) for one in found.entries) == [
        ("hat", "train"),
        ("hat", "valid"),
        ("shirt", "test"),
    ]
    one_split = layout(["train/hat/1.jpg", "train/shirt/2.jpg"], "it")
    assert {one.split for one in one_split.entries} == {"train"}


def test_other_pictures_are_named_and_hidden_files_are_none() -> None:
    found = layout(["hat/1.gif", "hat/2.jpg", "hat/.3.jpg", "__MACOSX/hat/2.jpg"], "it")
    assert found.refused == ("hat/1.gif",)
    assert len(found.entries) == 1
    with pytest.raises(InputError) as raised:
        layout(["notes.txt", ".git/x.png"], "it")
    assert raised.value.code == "empty_folder"
