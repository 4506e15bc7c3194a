"""Jobs on disk: what a queue must find again after the server ended, and the files that came in.

It knows two folders of the home, ``jobs`` (one JSON record a job) and ``tmp`` (uploads); what a
record means is the queue's. A record is replaced whole, so a kill leaves the old one or the new.
A job that runs or waits is held by a lock of its process: another server over the same home does
not touch it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from metier.errors import StorageError

FORMAT = 1
MOST_BYTES = 8 << 20
"""Of one record; a longer one is kept without its result."""
KEPT_SECONDS = 7 * 86_400.0
"""How long files wait for a job to go on, and uploads for their job."""
_NAME = re.compile(r"[0-9a-f]{16}")


class JobFiles:
    """The records and uploads of one home; threads may share it."""

    def __init__(self, home: Path) -> None:
        self._jobs = home / "jobs"
        self.uploads = home / "tmp"
        self._held: dict[str, BinaryIO] = {}
        try:
            for folder in (self._jobs, self.uploads):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _refused(home, error) from error

    def hold(self, identifier: str) -> bool:
        """Keep a job for this process; ``False`` if another one has it."""
        if identifier in self._held:
            return True
        try:
            file = (self._jobs / f"{identifier}.lock").open("ab")
        except OSError as error:
            raise _refused(self._jobs, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held[identifier] = file
        return True

    def release(self, identifier: str) -> None:
        """Let a job go that has ended."""
        file = self._held.pop(identifier, None)
        if file is not None:
            with suppress(OSError):
                (self._jobs / f"{identifier}.lock").unlink()
            file.close()

    def save(self, record: dict[str, Any]) -> None:
        """Write one record; raises StorageError (``disk_full``)."""
        text = json.dumps({"format": FORMAT, **record}, ensure_ascii=False, default=str)
        if len(text) > MOST_BYTES:
            text = json.dumps({"format": FORMAT, **record, "result": None}, default=str)
        path = self._jobs / f"{record['id']}.json"
        draft = path.with_suffix(".new")
        try:
            with draft.open("w", encoding="utf-8", errors="replace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise _refused(path, error) from error

    def records(self) -> list[dict[str, Any]]:
        """Every sound record, the oldest first; damaged ones are passed over."""
        found = []
        for path in self._jobs.glob("*.json"):
            if not _NAME.fullmatch(path.stem):
                continue
            with suppress(OSError, ValueError, RecursionError):
                record = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(record, dict) and record.get("format") == FORMAT:
                    found.append({**record, "id": path.stem})
        return sorted(found, key=lambda record: str(record.get("asked", "")))

    def forget(self, identifier: str) -> None:
        """Remove a record."""
        self.release(identifier)
        with suppress(OSError):
            (self._jobs / f"{identifier}.json").unlink()

    def owns(self, folder: Path) -> bool:
        """Whether a folder is one of the uploads here."""
        return folder.parent == self.uploads

    def sweep(self, needed: set[Path], *, seconds: float = KEPT_SECONDS) -> None:
        """Remove uploads that nobody needs and nobody touched for so long."""
        before = time.time() - seconds
        for folder in self.uploads.iterdir():
            with suppress(OSError):
                if folder not in needed and folder.stat().st_mtime < before:
                    shutil.rmtree(folder, ignore_errors=True)


def _refused(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Jobs cannot be kept in {path.name!r}: {error.strerror}.",
        code="disk_full" if error.errno == 28 else "storage",
        remedy="Free some space in the home folder, or let Metier write there.",
    )
