"""Packs: pictures come back by digest, and damage is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import CorruptError, StorageError
from metier.pictures.packs import Pack, write_pack
from metier.picturing import Picture

ONE, TWO = Picture(3, 2, bytes(range(18))), Picture(1, 1, b"abc")


def test_pictures_come_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.pictures"
    assert write_pack(path, [ONE, TWO, ONE]) == 2
    pack = Pack(path)
    assert len(pack) == 2
    assert pack.get(ONE.digest) == ONE
    assert TWO.digest in pack
    assert pack.get("sha256:" + "0" * 64) is None
    assert [found.name for found in path.parent.iterdir()] == ["a.pictures"]


def test_other_pixels_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.pictures"
    write_pack(path, [ONE, TWO])
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptError) as raised:
        Pack(path).get(ONE.digest)
    assert raised.value.code == "bad_pictures"


@pytest.mark.parametrize("content", [b"", b"short", bytes(100)])
def test_what_is_no_pack_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pictures"
    path.write_bytes(content)
    with pytest.raises(CorruptError):
        Pack(path)
    with pytest.raises(CorruptError):
        Pack(tmp_path / "nothing.pictures")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        write_pack(tmp_path / "file" / "a.pictures", [ONE])
