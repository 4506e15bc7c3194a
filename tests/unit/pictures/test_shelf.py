"""The shelf: what is held, what packs hold, and what is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import NotFoundError
from metier.pictures import Shelf, write_pack
from metier.picturing import Picture

ONE, TWO = Picture(3, 2, bytes(range(18))), Picture(1, 1, b"abc")


def test_a_held_picture_is_there_until_its_last_holder_goes() -> None:
    shelf = Shelf()
    with shelf.holding([ONE, TWO, ONE]) as digests:
        assert digests == [ONE.digest, TWO.digest, ONE.digest]
        with shelf.holding([ONE]):
            assert shelf.get(ONE.digest) == ONE
        assert shelf.has(ONE.digest)
    assert not shelf.has(ONE.digest)
    with pytest.raises(NotFoundError) as raised:
        shelf.get(ONE.digest)
    assert raised.value.code == "picture_not_here"


def test_packs_are_found_when_they_come_and_gone_when_they_go(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, tmp_path / "not there")
    assert not shelf.has(TWO.digest)
    write_pack(tmp_path / "a.pictures", [TWO])
    assert shelf.get(TWO.digest) == TWO
    (tmp_path / "a.pictures").unlink()
    (tmp_path / "b.pictures").write_bytes(b"damaged")
    assert not shelf.has(ONE.digest)
    assert not shelf.has(TWO.digest)


def test_a_damaged_pack_does_not_hide_a_sound_one(tmp_path: Path) -> None:
    write_pack(tmp_path / "a.pictures", [TWO, ONE])
    damaged = bytearray((tmp_path / "a.pictures").read_bytes())
    damaged[2] ^= 255
    (tmp_path / "a.pictures").write_bytes(damaged)
    write_pack(tmp_path / "b.pictures", [ONE, TWO])
    shelf = Shelf(tmp_path)
    assert shelf.get(TWO.digest) == TWO
