"""The library: read again when stamps change, built once, made again when damaged."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from pathlib import Path

import pytest

from catalog_entries import build_one, encode, entry, library
from metier.catalog.records import Fresh
from metier.catalog.stock import Library
from metier.errors import CorruptError, StorageError


def test_only_what_changed_is_read(tmp_path: Path) -> None:
    found = Library(tmp_path)
    asked: list[str] = []

    def fresh(origin: str) -> list[Fresh]:
        asked.append(origin)
        return [Fresh(entry(f"{origin}/{len(asked)}"))]

    assert found.renew({"a": "1", "b": "1"}, fresh, wait=True)
    assert found.renew({"a": "1", "b": "1"}, fresh, wait=True)
    assert asked == ["a", "b"]
    first = found.volumes()
    assert found.volumes()["a"] is first["a"]
    found.renew({"a": "2"}, fresh, wait=True)
    assert asked == ["a", "b", "a"]
    second = found.volumes()
    assert list(second) == ["a"]
    assert second["a"].name != first["a"].name
    folders = [path.name for path in tmp_path.iterdir() if path.is_dir()]
    assert first["a"].name not in folders


def test_a_folder_that_may_not_be_written_answers_as_of_the_last_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Library(tmp_path)
    made.renew({"a": "1"}, lambda _: [Fresh(entry("a/one"))], wait=True)
    made.volumes()
    made.close()
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)

    found = Library(tmp_path)

    assert not found.renew({"a": "2"}, lambda _: [], wait=True)
    assert found.volumes()["a"].words.known("one") == 1
    with pytest.raises(StorageError, match="may not be written"):
        found.restart(records=True)
    found.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_name_that_starts_like_another(tmp_path: Path) -> None:
    found = Library(tmp_path)
    for stamp in "12":
        fresh = [Fresh(entry(stamp))]
        found.renew({"a": stamp, "a-b": stamp}, lambda _, fresh=fresh: fresh, wait=True)
        assert set(found.volumes()) == {"a", "a-b"}


@pytest.mark.parametrize("damage", ["volume", "gone", "records"])
def test_what_is_damaged_is_made_again(tmp_path: Path, damage: str) -> None:
    one = library(tmp_path, entry("a"))
    name = one.volumes()["acme"].name
    one.close()
    if damage == "volume":
        (tmp_path / name / "id.npy").write_bytes(b"x")
    elif damage == "gone":
        (tmp_path / name / "about.json").unlink()
    else:
        (tmp_path / "entries.sqlite").write_bytes(b"x" * 9000)
        for beside in tmp_path.glob("entries.sqlite-*"):
            beside.unlink()
    two = library(tmp_path, entry("a"))
    assert two.volumes()["acme"].count == 1


def test_damage_in_use_is_told_and_restart_mends_it(tmp_path: Path) -> None:
    one = library(tmp_path, *(entry(f"m{n}", description="word " * 300) for n in range(300)))
    one.volumes()
    one.records._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    one.close()
    data = bytearray((tmp_path / "entries.sqlite").read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    (tmp_path / "entries.sqlite").write_bytes(data)
    with pytest.raises((CorruptError, sqlite3.DatabaseError)):
        one.records.origins()
    one.restart(records=True)
    assert one.records.origins() == {}


def test_meaning_is_learnt_once_and_kept(tmp_path: Path) -> None:
    one = library(tmp_path, entry("a"), entry("b"))
    asked: list[str] = []

    def counted(texts):  # type: ignore[no-untyped-def]
        asked.extend(texts)
        return encode(texts)

    assert one.unlearnt("e") == 2
    one.learn("e", counted)
    one.learn("e", counted)
    assert (one.unlearnt("e"), len(asked)) == (0, 2)
    two = library(tmp_path, entry("a"), entry("b"), entry("c"))
    assert two.unlearnt("e") == 3
    two.learn("e", counted)
    assert len(asked) == 3
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_processes_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    done: multiprocessing.Queue[int] = context.Queue()
    workers = [context.Process(target=build_one, args=(tmp_path, n % 2, done)) for n in range(3)]
    for worker in workers:
        worker.start()
    counts = [done.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert counts == [60] * 3
