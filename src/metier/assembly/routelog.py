"""The log of routing decisions: JSON Lines under ``routes`` in the home, chained by hashes.

It knows files, rows and their chain, and that a request is never made to wait for the disk nor to
fail because of it. People's texts are no part of a row unless somebody hands them in; what a row
means, and how a decision is made again from it, is ``routing``'s matter.

A row's hash is SHA-256 over its canonical JSON without ``hash``, the hash of the row before it
among the fields. When the file has grown to ``MOST_BYTES`` it is put aside under a number and the
chain goes on in a new one; of the old ones ``KEPT`` stay.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metier.errors import CorruptError, NotFoundError
from metier.manifest import canonical_json

NAME = "decisions.jsonl"
MOST_BYTES = 4 << 20
KEPT = 4
GENESIS = "0" * 64
"""What the first row of all names as the hash before it."""
DAMAGED = "damaged"
"""Kind of what stands for a line that is no row; no row that is written has it."""
_ASIDE = re.compile(r"decisions\.(\d{6})\.jsonl")
_TAIL = 1 << 16
_MOST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Break:
    """A row that is not what was written: its place in the log, from 1, and what is wrong."""

    row: int
    what: str


class RouteLog:
    """One log; threads may share it, and processes that each open it append to one chain.

    Attributes:
        problem: Why the last row could not be written, or "".
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._lock = threading.Lock()
        self._file: int | None = None
        self._size = 0
        self._last = GENESIS
        self._said: set[str] = set()
        self.problem = ""

    def append(self, kind: str, row: Mapping[str, Any]) -> None:
        """Write one row; a disk that does not take it is told by ``problem`` and by nothing else.

        It takes some hundredths of a millisecond: the row reaches the system, not yet the disk.
        """
        with self._lock:
            self._trying(lambda: self._append(kind, row))

    def append_once(self, kind: str, digest: str, row: Callable[[], Mapping[str, Any]]) -> None:
        """Write a row that others name by its digest, unless this file has it from us already."""
        with self._lock:
            self._trying(lambda: self._append_once(kind, digest, row))

    def close(self) -> None:
        """Close the file; the next row opens it again."""
        with self._lock:
            self._close()

    # --- writing --------------------------------------------------------------------------------

    def _trying(self, work: Callable[[], None]) -> None:
        try:
            work()
            self.problem = ""
        except OSError as error:
            self.problem = f"{self._path} cannot be written: {error.strerror}."
            self._close()

    def _append_once(self, kind: str, digest: str, row: Callable[[], Mapping[str, Any]]) -> None:
        self._opened()  # forgets what was said if another process began a new file
        if digest in self._said:
            return
        self._append(kind, {**row(), "digest": digest})
        if self._file is not None:
            self._said.add(digest)

    def _append(self, kind: str, row: Mapping[str, Any]) -> None:
        descriptor = self._opened()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            size = os.fstat(descriptor).st_size
            if size != self._size:
                self._last = _last_hash(descriptor, size)
            told = {
                "kind": kind,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                **row,
                "previous": self._last,
            }
            hashed = hashlib.sha256(canonical_json(told)).hexdigest()
            line = canonical_json({**told, "hash": hashed}) + b"\n"
            _write(descriptor, line, size)
            self._size, self._last = size + len(line), hashed
            if self._size >= MOST_BYTES:
                self._put_aside()
        finally:
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _opened(self) -> int:
        """The file that the name names now: another process may have put ours aside."""
        if self._file is not None and not self._moved():
            return self._file
        self._close()
        self._folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self._path, flags, 0o600)
        size = os.fstat(self._file).st_size
        self._last = _last_hash(self._file, size) if size else self._head_of_the_last_aside()
        self._size = size
        return self._file

    def _moved(self) -> bool:
        if self._file is None:
            return True
        try:
            return not os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return True

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._size, self._said = None, 0, set()

    def _put_aside(self) -> None:
        numbers = [number for number, _ in self._aside()]
        number = max(numbers, default=0) + 1
        self._path.rename(self._folder / f"decisions.{number:06d}.jsonl")
        for old, path in self._aside()[:-KEPT]:
            del old
            path.unlink(missing_ok=True)
        self._close()

    def _head_of_the_last_aside(self) -> str:
        aside = self._aside()
        if not aside:
            return GENESIS
        with aside[-1][1].open("rb") as file:
            return _last_hash(file.fileno(), os.fstat(file.fileno()).st_size)

    def _aside(self) -> list[tuple[int, Path]]:
        found = []
        with suppress(OSError):
            for path in self._folder.iterdir():
                match = _ASIDE.fullmatch(path.name)
                if match is not None:
                    found.append((int(match[1]), path))
        return sorted(found)

    # --- reading --------------------------------------------------------------------------------

    def files(self) -> Sequence[Path]:
        """The files of the log, the oldest first."""
        return [path for _, path in self._aside()] + ([self._path] if self._path.exists() else [])

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Every row that is kept, the oldest first; see ``read_rows``."""
        for path in self.files():
            yield from read_rows(path)

    def latest(self, count: int) -> Sequence[Mapping[str, Any]]:
        """The latest decisions, the newest first, each with its ``answered`` row if there is one.

        Only the end of the log is looked at, however long it is.
        """
        answers: dict[str, Mapping[str, Any]] = {}
        found: list[Mapping[str, Any]] = []
        for path in reversed(self.files()):
            for row in reversed(_tail_rows(path)):
                if row.get("kind") == "answered":
                    answers.setdefault(str(row.get("id")), row)
                elif row.get("kind") == "decided":
                    found.append({**row, "answered": answers.get(str(row.get("id")))})
                    if len(found) == count:
                        return found
        return found


def read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of one file; a line that is none comes as one of the kind ``DAMAGED``.

    Raises:
        NotFoundError: There is no such file (``no_file``).
        CorruptError: No line is a row (``bad_route_log``).
    """
    damaged: CorruptError | None = None
    whole = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = _row(line, path, number)
                except CorruptError as error:
                    damaged = damaged or error
                    yield {"kind": DAMAGED}
                    continue
                whole += 1
                yield row
    except OSError as error:
        raise NotFoundError(
            f"{str(path)!r} cannot be read: {error.strerror}.", code="no_file"
        ) from error
    if damaged is not None and not whole:
        raise damaged


def breaks(rows: Sequence[Mapping[str, Any]]) -> list[Break]:
    """Where the chain of some rows is broken; the first may follow on one that was dropped."""
    found = []
    before: str | None = None
    for number, row in enumerate(rows, start=1):
        if row.get("kind") == DAMAGED:
            found.append(Break(number, "it is no row, or only half of one was written"))
            continue
        bare = {name: value for name, value in row.items() if name != "hash"}
        if hashlib.sha256(canonical_json(bare)).hexdigest() != row.get("hash"):
            found.append(Break(number, "it does not have its hash any more"))
        elif before is not None and row.get("previous") != before:
            found.append(Break(number, "it does not follow the row before it"))
        before = str(row.get("hash"))
    return found


def _row(line: bytes, path: Path, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
        raise CorruptError(
            f"Line {number} of {str(path)!r} is no row of a log of decisions.",
            code="bad_route_log",
            remedy="Name a decisions.jsonl, or move the damaged file away.",
        )
    return row


def _tail_rows(path: Path) -> list[Mapping[str, Any]]:
    """The rows at the end of a file; a damaged line is passed over, because this is only shown."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - 8 * _TAIL))
            lines = file.read().splitlines()
    except OSError:
        return []
    found = []
    for line in lines if size <= 8 * _TAIL else lines[1:]:
        with suppress(CorruptError):
            found.append(_row(line, path, 0))
    return found


def _last_hash(descriptor: int, size: int) -> str:
    """The hash of the last whole row; of a file that ends in half a row, of the one before."""
    reach = _TAIL
    while True:
        start = max(0, size - reach)
        lines = os.pread(descriptor, size - start, start).split(b"\n")
        for line in reversed(lines if start == 0 else lines[1:]):
            with suppress(ValueError, RecursionError):
                row = json.loads(line)
                if isinstance(row, dict) and isinstance(row.get("hash"), str):
                    return str(row["hash"])
        if start == 0 or reach >= _MOST_LINE:
            return GENESIS
        reach *= 4


def _write(descriptor: int, line: bytes, size: int) -> None:
    """The whole line; half of one that the disk did not take is cut off again."""
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line  # what another process left half written ends here
    written = os.write(descriptor, line)
    if written != len(line):
        os.ftruncate(descriptor, size)
        raise OSError(28, os.strerror(28))
