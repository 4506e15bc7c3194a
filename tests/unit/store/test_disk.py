"""Writes are whole or absent, links are not followed, and a disk's errors are sentences."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

import pytest

from metier.errors import InputError, StorageError
from metier.reference import Digest
from metier.store import disk


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EFBIG, "disk_full"),
        (errno.EACCES, "not_writable"),
        (errno.EPERM, "not_writable"),
        (errno.EROFS, "not_writable"),
        (errno.EIO, "storage"),
    ],
)
def test_errors_of_the_disk_are_told_apart(number: int, code: str) -> None:
    with (
        pytest.raises(StorageError, match="Writing x failed") as caught,
        disk.storage_errors("Writing x"),
    ):
        raise OSError(number, "cryptic")
    assert caught.value.code == code
    assert caught.value.remedy
    assert caught.value.retryable == (code == "disk_full")
    assert os.strerror(number) in caught.value.message


def test_an_error_without_a_number_keeps_its_words() -> None:
    assert "odd" in disk.translate(OSError("odd"), "Reading").message


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "file"
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    disk.write_whole(target, b"one", drafts=drafts)
    disk.write_whole(target, b"two", drafts=drafts, mode=0o444)
    assert target.read_bytes() == b"two"
    assert target.stat().st_mode & 0o777 == 0o444
    assert list(drafts.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target/full").write_bytes(b"")
    with pytest.raises(OSError, match=r"."):
        disk.write_whole(tmp_path / "target", b"new", drafts=drafts)
    assert list(drafts.iterdir()) == []
    assert (tmp_path / "target/full").exists()


def test_discard_takes_files_trees_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    for name in ("file", "tree", "link", "absent"):
        disk.discard(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"abc")
    with disk.open_file(plain) as file:
        assert file.read() == b"abc"
    (tmp_path / "link").symlink_to(plain)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path, Path("/dev/null")):
        with pytest.raises(InputError) as caught:
            disk.open_file(path)
        assert caught.value.code == "not_a_file"
    with pytest.raises(FileNotFoundError):
        disk.open_file(tmp_path / "absent")


def test_only_real_folders_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "inner")
    above = disk.open_folder(tmp_path)
    os.close(disk.open_folder("inner", folder=above))
    for name in ("link", "file"):
        with pytest.raises(InputError) as caught:
            disk.open_folder(name, folder=above)
        assert caught.value.code == "not_a_folder"
    with pytest.raises(FileNotFoundError):
        disk.open_folder("absent", folder=above)
    os.close(above)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11])
def test_reading_is_capped(size: int) -> None:
    data = disk.read_capped(io.BytesIO(b"x" * size), 10)
    assert data == (b"x" * size if size <= 10 else None)


@pytest.mark.parametrize("size", [0, 5, disk.CHUNK + 3])
def test_a_copy_knows_its_digest(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    source = tmp_path / "source"
    source.write_bytes(data)
    with disk.open_file(source) as file:
        copied = disk.copy_hashed(file, tmp_path / "a", mode=0o444)
    streamed = disk.copy_hashed(io.BytesIO(data), tmp_path / "b", mode=0o600)
    assert copied == streamed == (Digest.of(data), size)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == data
    with pytest.raises(FileExistsError):
        disk.copy_hashed(io.BytesIO(b""), tmp_path / "a", mode=0o444)


def test_a_copy_begins_where_the_source_stands(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"headbody")
    with disk.open_file(source) as file:
        file.seek(4)
        digest, size = disk.copy_hashed(file, tmp_path / "a", mode=0o444)
    assert (digest, size) == (Digest.of(b"body"), 4)


def test_bytes_are_on_the_disk_before_they_have_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that a power cut needs: fsync of the file, rename, fsync of the folder."""
    order: list[str] = []
    flush, rename = os.fsync, Path.replace

    def recorded_flush(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        flush(descriptor)

    def recorded_rename(path: Path, target: Path) -> Path:
        order.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", recorded_flush)
    monkeypatch.setattr(Path, "replace", recorded_rename)
    disk.write_whole(tmp_path / "target", b"data", drafts=tmp_path)
    assert order == ["file", "rename", "folder"]
    order.clear()
    disk.copy_hashed(io.BytesIO(b"data"), tmp_path / "copy", mode=0o444)
    assert order == ["file"]
