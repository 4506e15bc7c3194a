"""The journal of a run: lines that are on the disk before the next question is asked.

It knows one file that one process holds, whole lines and a torn last one; it does not know what
a line means.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from metier.errors import CorruptError, StorageError
from metier.manifest import canonical_json


@contextmanager
def locked(journal: Path) -> Iterator[BinaryIO]:
    """The journal, open for reading and appending, held by this process alone."""
    try:
        file = journal.open("a+b")
    except OSError as error:
        raise unwritable(journal, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                f"Another process is running this eval: it holds {journal}.",
                code="journal_busy",
                remedy="Wait for it to end, or stop it; its answers are kept.",
                retryable=True,
            ) from error
        yield file


def whole_lines(file: BinaryIO) -> list[bytes]:
    """The lines of an open journal; a last line that was torn by a kill is cut off."""
    file.seek(0)
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        file.truncate(len(whole))
    return whole.splitlines()


def journal_line(journal: Path, number: int, line: bytes) -> dict[str, Any]:
    """The JSON object in a line; raises CorruptError (``bad_journal``) naming it."""
    try:
        value = json.loads(line)
    except ValueError as error:
        raise damaged(journal, number, f"it is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise damaged(journal, number, "it is not a JSON object")
    return value


def append(file: BinaryIO, journal: Path, line: Mapping[str, Any]) -> None:
    """Add a line and force it to the disk; raises StorageError."""
    try:
        file.write(canonical_json(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(journal, error) from error


def unwritable(journal: Path, error: OSError) -> StorageError:
    """What to raise where a journal cannot be written."""
    return StorageError(
        f"The journal {journal} cannot be written: {error.strerror}.",
        remedy="Check that its folder exists, is writable and has space left.",
    )


def damaged(journal: Path, number: int, why: str) -> CorruptError:
    """What to raise where a line other than the last is not what was written."""
    return CorruptError(
        f"The journal {journal} is damaged in line {number}: {why}.",
        code="bad_journal",
        remedy="Delete the journal and run the eval again.",
    )
