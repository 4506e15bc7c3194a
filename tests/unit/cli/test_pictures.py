"""Pictures named in what is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.cli.pictures import parted, read_pictures
from metier.errors import InputError, NotFoundError

PNG = b"\x89PNG\r\n\x1a\n and so on"


def test_words_without_a_path_stay_as_they_are():
    assert parted("what is  a cat.png anyway?") == ("what is  a cat.png anyway?", ())


def test_a_path_leaves_the_words(tmp_path: Path):
    words, found = parted(f"what is on {tmp_path}/my\\ cat.PNG, please?")
    assert (words, found) == ("what is on , please?", (tmp_path / "my cat.PNG",))


def test_a_quoted_name_counts_only_if_it_is_there(tmp_path: Path):
    (tmp_path / "a b.jpg").write_bytes(PNG)
    words, found = parted(f"see '{tmp_path}/a b.jpg' and 'no such thing.jpg'")
    assert found == (tmp_path / "a b.jpg",)
    assert words == "see and 'no such thing.jpg'"


def test_an_address_of_a_file_is_a_path(tmp_path: Path):
    _, found = parted(f"file://{tmp_path}/a%20b.webp describe it")
    assert found == (tmp_path / "a b.webp",)


def test_pictures_are_read_and_other_files_refused(tmp_path: Path):
    good, bad = tmp_path / "a.png", tmp_path / "b.png"
    good.write_bytes(PNG)
    bad.write_bytes(b"<html>")
    assert read_pictures([good]) == (PNG,)
    with pytest.raises(InputError, match="no picture") as caught:
        read_pictures([bad])
    assert caught.value.code == "not_a_picture"
    with pytest.raises(NotFoundError):
        read_pictures([tmp_path / "c.png"])
    with pytest.raises(InputError, match="17 pictures"):
        read_pictures([good] * 17)
