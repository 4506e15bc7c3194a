"""Durable bytes: a file is there whole or not at all, whatever happens in between.

It knows descriptors, ``fsync``, ``rename`` and what the errors of a disk mean to a person; it
knows no digests' names, no manifests and no layout. Nothing here follows a symbolic link at the
last step of a path.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from metier.errors import InputError, StorageError
from metier.reference import Digest

CHUNK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_CLONE = 0x40049409
"""FICLONE of linux/fs.h: share the extents of another file."""
_FULL_FLUSH: int | None = getattr(fcntl, "F_FULLFSYNC", None)
"""macOS: fsync alone leaves bytes in the drive's cache."""


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn an OSError into a StorageError that says what was being done and what to do.

    Codes: ``disk_full`` (no space, quota or file-size limit), ``not_writable``, ``storage``.
    """
    try:
        yield
    except OSError as error:
        raise translate(error, doing) from error


def translate(error: OSError, doing: str) -> StorageError:
    """The StorageError for ``error``, which happened while ``doing``."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    message = f"{doing} failed: {reason}."
    if error.errno in _FULL:
        return StorageError(
            message,
            code="disk_full",
            remedy="Free some space ('metier gc' removes what nothing uses) and do it again; "
            "nothing was changed.",
            retryable=True,
        )
    if error.errno in _REFUSED:
        return StorageError(
            message,
            code="not_writable",
            remedy="Give this user the right to write there, or set METIER_HOME to another folder.",
        )
    return StorageError(message, remedy="Check the disk; the system's log may say more.")


def flush(descriptor: int) -> None:
    """Force a file's bytes to the disk."""
    if _FULL_FLUSH is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, _FULL_FLUSH)


def flush_folder(folder: Path) -> None:
    """Force a folder's names to the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def draft_name(folder: Path) -> Path:
    """A name in ``folder`` that nobody else uses."""
    return folder / f"{os.getpid()}-{secrets.token_hex(8)}"


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """A fresh name in ``folder`` whose file or tree is gone afterwards, unless it was renamed."""
    path = draft_name(folder)
    try:
        yield path
    finally:
        discard(path)


def discard(path: Path) -> None:
    """Remove a file or a tree of ours, if it is there; a symbolic link is not followed."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        # Linux says EISDIR for a folder, macOS EPERM.
        shutil.rmtree(path)


def write_draft(path: Path, data: bytes, *, mode: int) -> None:
    """Write ``data`` to the new file ``path`` and force it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        _write_all(file, data)
        os.fchmod(descriptor, mode)
        flush(descriptor)


def write_whole(target: Path, data: bytes, *, drafts: Path, mode: int = 0o644) -> None:
    """Replace ``target`` by ``data``: draft, fsync, rename, fsync of the folder.

    Args:
        target: The file to write; its folder exists.
        data: All of its bytes.
        drafts: A folder of the same file system for the draft.
        mode: Permission bits of the file.
    """
    with draft(drafts) as path:
        write_draft(path, data, mode=mode)
        path.replace(target)
    flush_folder(target.parent)


def write_stream(path: Path, chunks: Iterable[bytes], *, mode: int) -> Digest:
    """Write chunks to the new file ``path``, force it to the disk, and say what it is."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    hasher = hashlib.sha256()
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        for chunk in chunks:
            hasher.update(chunk)
            _write_all(file, chunk)
        os.fchmod(descriptor, mode)
        flush(descriptor)
    return Digest(hasher.hexdigest())


def open_file(name: str | Path, *, folder: int | None = None) -> BinaryIO:
    """Open a regular file for reading without following a symbolic link.

    Args:
        name: A path, or a name relative to ``folder``.
        folder: Descriptor of an open folder, or ``None``.

    Raises:
        InputError: It is a link, a folder, a pipe or a device (code ``not_a_file``).
        OSError: It is not there or cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise _not_a_file(str(name)) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_file(str(name))
    return os.fdopen(descriptor, "rb", buffering=0)


def open_folder(name: str | Path, *, folder: int | None = None) -> int:
    """A descriptor of a folder, opened without following a symbolic link.

    Raises:
        InputError: It is a link or no folder (code ``not_a_folder``).
        OSError: It is not there or cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
            raise InputError(
                f"{str(name)!r} is not a folder of its own: it is a link or a file.",
                code="not_a_folder",
                remedy="Replace links by the folders they point to.",
            ) from error
        raise


def _not_a_file(name: str) -> InputError:
    return InputError(
        f"{name!r} is not a plain file: it is a link, a folder, a pipe or a device.",
        code="not_a_file",
        remedy="Replace links by the files they point to.",
    )


def read_capped(file: BinaryIO, limit: int) -> bytes | None:
    """All of ``file``, or ``None`` if it is longer than ``limit`` bytes."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0:
        part = file.read(min(left, CHUNK))
        if not part:
            return b"".join(parts)
        parts.append(part)
        left -= len(part)
    return None


def digest_of(file: BinaryIO) -> Digest:
    """The digest of ``file`` from where it stands to its end."""
    return Digest(hashlib.file_digest(file, "sha256").hexdigest())  # type: ignore[arg-type]


def copy_hashed(source: BinaryIO, target: Path, *, mode: int) -> tuple[Digest, int]:
    """Copy ``source`` to the new file ``target``, force it to the disk, and say what it is.

    Extents are shared where the file system can (a reflink); the digest is then read from the
    copy itself.

    Returns:
        The digest and the size in bytes of what was written.
    """
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        digest = digest_of(file) if _clone(source, descriptor) else _copy(source, file)
        size = os.fstat(descriptor).st_size
        os.fchmod(descriptor, mode)
        flush(descriptor)
    return digest, size


def _clone(source: BinaryIO, target: int) -> bool:
    with suppress(OSError, AttributeError, ValueError):
        number = source.fileno()
        if source.tell() == 0 and stat.S_ISREG(os.fstat(number).st_mode):
            fcntl.ioctl(target, _CLONE, number)
            return True
    return False


def _copy(source: BinaryIO, target: BinaryIO) -> Digest:
    hasher = hashlib.sha256()
    while part := source.read(CHUNK):
        hasher.update(part)
        _write_all(target, part)
    return Digest(hasher.hexdigest())


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        # An unbuffered write may be short: at a file-size limit, or after a signal.
        view = view[file.write(view) :]
