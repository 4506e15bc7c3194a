"""Jobs on disk: whole records, one holder, uploads that are swept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metier.errors import StorageError
from metier.server.jobfiles import MOST_BYTES, JobFiles

ID = "0123456789abcdef"


def test_a_record_is_found_again_and_forgotten(tmp_path: Path) -> None:
    files = JobFiles(tmp_path)
    files.save({"id": ID, "asked": "2026", "result": "x"})
    assert [record["result"] for record in JobFiles(tmp_path).records()] == ["x"]
    files.forget(ID)
    assert files.records() == []


def test_a_huge_result_is_left_out(tmp_path: Path) -> None:
    files = JobFiles(tmp_path)
    files.save({"id": ID, "result": "x" * (MOST_BYTES + 1)})
    assert files.records()[0]["result"] is None


def test_one_process_holds_a_job(tmp_path: Path) -> None:
    first, second = JobFiles(tmp_path), JobFiles(tmp_path)
    assert first.hold(ID)
    assert first.hold(ID)
    assert not second.hold(ID)
    first.release(ID)
    assert second.hold(ID)
    second.release(ID)


def test_uploads_that_nobody_needs_are_swept(tmp_path: Path) -> None:
    files = JobFiles(tmp_path)
    old, needed, fresh = (files.uploads / name for name in ("old", "needed", "fresh"))
    for folder in (old, needed, fresh):
        folder.mkdir()
    for folder in (old, needed):
        os.utime(folder, (0, 0))
    files.sweep({needed})
    assert sorted(path.name for path in files.uploads.iterdir()) == ["fresh", "needed"]
    assert files.owns(fresh)
    assert not files.owns(tmp_path)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StorageError, match="cannot be kept"):
        JobFiles(tmp_path / "home")
