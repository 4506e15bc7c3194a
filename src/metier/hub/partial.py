"""A file that is being fetched: its bytes so far, and a journal of which of them are there.

    <folder>/<key>.part      the bytes, with holes
    <folder>/<key>.journal   a line of JSON that says whose bytes, then a line for each extent
    <folder>/<key>.lock      held by the process that fetches it
    <folder>/<key>           the whole file, proved

Bytes are written before the journal names them, so a killed process leaves nothing that the
journal promises and the file lacks. After a power cut the disk may have kept the journal and lost
bytes: what is then put together is proved by its digest, and where there is none it is begun anew.
It knows no network.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from metier.errors import InputError, StorageError
from metier.hub import extents
from metier.hub.extents import Extent

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SPARE = 32 << 20
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MODE = 0o444
_POLL = 0.05
_HASHED = 4 << 20
_MOST_JOURNAL = 64 << 20


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose bytes a partial file holds; bytes of another identity are thrown away.

    Attributes:
        size: Bytes of the whole file.
        etag: What the server called this state of the file, or ``None``.
        digest: SHA-256 that the whole will be proved by, or ``None``.
        boot: Without a digest: the run of the machine in which it was begun.
    """

    size: int
    etag: str | None = None
    digest: str | None = None
    boot: str | None = None

    @classmethod
    def of(cls, size: int, etag: str | None, digest: str | None) -> Identity:
        """The identity of a file; its tag counts only where no digest says the same better."""
        if digest is not None:
            return cls(size, digest=digest)
        return cls(size, etag=etag, boot=_boot())


class Partial:
    """One file under way; threads may write different extents of it at once.

    One thread, which made it, takes bytes into the digest, finishes and closes.
    """

    def __init__(self, folder: Path, key: str, identity: Identity) -> None:
        self._final, self._part = folder / key, folder / f"{key}.part"
        self._journal = folder / f"{key}.journal"
        self._lock = threading.Lock()
        self._closed = False
        self._hasher, self._hashed = hashlib.sha256(), 0
        self.identity = identity
        with storage_errors(f"Opening {self._part.name}"):
            self._extents = self._resume()
            self.resumed = extents.total(self._extents)
            self._data = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._data, identity.size)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._log = os.open(self._journal, flags, 0o600)
            if os.fstat(self._log).st_size == 0:
                os.write(self._log, json.dumps(asdict(identity)).encode() + b"\n")

    @property
    def done(self) -> int:
        """Bytes that are here."""
        with self._lock:
            return extents.total(self._extents)

    def missing(self) -> list[Extent]:
        """What is not here yet."""
        with self._lock:
            return extents.missing(self._extents, self.identity.size)

    def write(self, at: int, data: bytes | bytearray | memoryview) -> None:
        """Put bytes in their place and note that they are there.

        Raises:
            StorageError: The disk is full (``disk_full``) or refuses; what was noted stays.
        """
        if not data:
            return
        with storage_errors(f"Writing {self._part.name}"):
            view, place = memoryview(data), at
            with self._lock:
                if self._closed:
                    raise InputError("The file was let go.", code="cancelled")
                if at < self._hashed:
                    self._hasher, self._hashed = hashlib.sha256(), 0
                while view:
                    written = os.pwrite(self._data, view, place)
                    view, place = view[written:], place + written
                os.write(self._log, f"{at} {place}\n".encode())
                self._extents = extents.merged([*self._extents, (at, place)])

    def digest(self, cancelled: Callable[[], bool], *, as_git: bool = False) -> str:
        """SHA-256 of the whole, or what git calls it; raises InputError (``cancelled``)."""
        if as_git:
            start = f"blob {self.identity.size}\0".encode()
            whole = hashlib.sha1(start, usedforsecurity=False)
            at = 0
            with storage_errors(f"Reading {self._part.name}"):
                while data := os.pread(self._data, _HASHED, at):
                    whole.update(data)
                    at += len(data)
            return whole.hexdigest()
        while self.hash_on(least=1):
            if cancelled():
                raise InputError("It was cancelled.", code="cancelled")
        return self._hasher.hexdigest()

    def hash_on(self, *, least: int = _HASHED) -> bool:
        """Take bytes that are here without a gap from the start into the digest.

        So that little is left to read when the last byte comes. Whether there were ``least``.
        """
        with self._lock:
            whole = self._extents[0][1] if self._extents and self._extents[0][0] == 0 else 0
            at = self._hashed
            if whole - at < least:
                return False
            self._hashed = min(whole, at + _HASHED)
            hasher, count = self._hasher, self._hashed - at
        with storage_errors(f"Reading {self._part.name}"):
            hasher.update(os.pread(self._data, count, at))
        return True

    def finish(self) -> Path:
        """Make it durable, give it its name and return that."""
        with storage_errors(f"Finishing {self._final.name}"):
            os.fchmod(self._data, _MODE)
            os.fsync(self._data)
            self._part.replace(self._final)
            _flush_folder(self._final.parent)
        return self._final

    def discard(self) -> None:
        """Throw the bytes away; nothing of them keeps a name."""
        self._part.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the files go; what is there stays for the next time."""
        with self._lock:
            self._closed = True
            os.close(self._data)
            os.close(self._log)

    def _resume(self) -> list[Extent]:
        """What an earlier process left of the same bytes; of other bytes nothing stays."""
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            found = self._noted()
            if found and self._part.stat().st_size == self.identity.size:
                return found
        self.discard()
        return []

    def _noted(self) -> list[Extent]:
        rest = _journal_of(self._journal, self.identity)
        # The last line may be torn; one without its end is not believed.
        lines = rest.split("\n")[:-1]
        pairs = [tuple(map(int, line.split(" "))) for line in lines]
        found = [(start, stop) for start, stop in pairs if 0 <= start < stop <= self.identity.size]
        return extents.merged(found)


def finished(folder: Path, key: str, identity: Identity) -> Path | None:
    """The whole file, if a process finished it and was killed before anybody took it."""
    path = folder / key
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        _journal_of(folder / f"{key}.journal", identity)
        if path.stat().st_size == identity.size:
            return path
    return None


def _journal_of(path: Path, identity: Identity) -> str:
    """The lines after the first; ValueError unless it is the journal of these very bytes."""
    if path.stat().st_size > _MOST_JOURNAL:
        raise ValueError("it is too long")
    head, _, rest = path.read_text("ascii").partition("\n")
    nameless = identity.digest is None and identity.etag is None
    if nameless or json.loads(head) != asdict(identity):
        raise ValueError("it belongs to other bytes")
    return rest


def clear(folder: Path, key: str) -> None:
    """Remove every trace of ``key`` but its lock."""
    for name in (key, f"{key}.part", f"{key}.journal"):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def holding(
    folder: Path, key: str, *, waiting: Callable[[], None], cancelled: Callable[[], bool]
) -> Iterator[None]:
    """Be the only one who fetches ``key`` into ``folder``, for the length of the block.

    Args:
        folder: Where partial files are.
        key: See ``RemoteFile.key``.
        waiting: Called once if another process or thread fetches it.
        cancelled: Gives up waiting.

    Raises:
        InputError: It was cancelled (code ``cancelled``).
    """
    path = folder / f"{key}.lock"
    told = False
    while True:
        with storage_errors(f"Locking {path.name}"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _locked(descriptor) and _same(descriptor, path):
            break
        os.close(descriptor)
        if not told:
            waiting()
            told = True
        if cancelled():
            raise InputError("It was cancelled.", code="cancelled")
        time.sleep(_POLL)
    try:
        yield
    finally:
        # The name goes while the lock is held: whoever waits sees that its file is no longer it.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def require_space(folder: Path, needed: int) -> None:
    """Raise StorageError (``disk_full``) unless ``needed`` bytes and a little more are free."""
    with storage_errors("Asking for free space"):
        free = shutil.disk_usage(folder).free
    if needed + min(_SPARE, needed) > free:
        raise StorageError(
            f"{needed / 1e9:.2f} GB are to be fetched and {free / 1e9:.2f} GB are free where "
            f"{str(folder)!r} is.",
            code="disk_full",
            remedy="Free some space ('metier gc' removes what nothing uses), or set METIER_HOME "
            "to a folder on a larger disk; what was fetched so far is kept.",
            retryable=True,
        )


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn an OSError into a StorageError (``disk_full``, ``not_writable``, ``storage``)."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in _FULL:
            raise StorageError(
                f"{doing} failed: {reason}.",
                code="disk_full",
                remedy="Free some space and do it again: it goes on where it stopped.",
                retryable=True,
            ) from error
        refused = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        raise StorageError(
            f"{doing} failed: {reason}.",
            code="not_writable" if refused else "storage",
            remedy="Check the disk and the rights of this user on METIER_HOME.",
        ) from error


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _boot() -> str | None:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return None
