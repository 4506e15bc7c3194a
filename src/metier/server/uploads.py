"""Uploads: form fields and files of a request, on disk in a folder of their own.

Data comes by upload only; a path of this machine is never read because a caller named it. A
file keeps its last name, made harmless, because its ending says the format and cards name it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request

from metier.errors import InputError, StorageError

MOST_PASTED = 4 << 20
"""Bytes of rows that are pasted into a page."""
MOST_FIELD = 64 * 1024
_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt")


@dataclass(frozen=True, slots=True)
class Upload:
    """The form: its fields by name and its files by field name."""

    folder: Path
    fields: Mapping[str, str]
    files: Mapping[str, Path]

    def file(self, field: str) -> Path:
        """The file of one field; raises InputError."""
        if field not in self.files:
            raise InputError(
                f"The upload has no file in the field {field!r}.",
                code="no_file",
                remedy=f"Send multipart/form-data, as 'curl -F {field}=@rows.csv' does.",
                details={"param": field},
            )
        return self.files[field]

    def text(self, field: str) -> str | None:
        """One field, or ``None`` where it is missing or empty."""
        return self.fields.get(field, "").strip() or None

    def needed(self, field: str) -> str:
        """One field; raises InputError where it is missing."""
        value = self.text(field)
        if value is None:
            raise InputError(
                f"The field {field!r} is missing.",
                remedy=f"Fill in {field!r}.",
                details={"param": field},
            )
        return value

    def number(self, field: str, *, otherwise: int) -> int:
        """A whole number of 0 or more."""
        value = self.text(field)
        if value is None:
            return otherwise
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise InputError(
                f"{field!r} is {value[:40]!r}.",
                remedy="Give a whole number, 0 or more.",
                details={"param": field},
            )
        return int(value)

    def flag(self, field: str) -> bool:
        """Whether a box is ticked: ``true``, ``on``, ``yes`` or ``1``."""
        return (self.text(field) or "").lower() in ("true", "on", "yes", "1")

    def seconds(self, field: str) -> float | None:
        """A duration: ``90``, ``90s``, ``2m`` or ``1h``."""
        value = self.text(field)
        if value is None:
            return None
        match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([smh]?)", value)
        if match is None or float(match.group(1)) == 0:
            raise InputError(
                f"{field!r} is {value[:40]!r}.",
                remedy="Give a duration like 90s, 2m or 1h.",
                details={"param": field},
            )
        return float(match.group(1)) * {"": 1, "s": 1, "m": 60, "h": 3600}[match.group(2)]


def harmless_name(given: str, field: str) -> str:
    """The last part of a file name, in ASCII letters, digits and ``. _ -``, with its ending.

    Raises InputError when the ending is not one that Metier reads.
    """
    last = re.split(r"[/\\]", given)[-1]
    stem, dot, ending = last.rpartition(".")
    ending = (dot + ending).lower()
    if ending not in _ENDINGS or not stem:
        raise InputError(
            f"The file {last[:80]!r} in {field!r} has an ending that Metier does not read.",
            code="bad_file_ending",
            remedy=f"Use one of {', '.join(_ENDINGS)}.",
            details={"param": field},
        )
    return (re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:60] or field) + ending


async def receive(
    request: Request,
    *,
    files: tuple[str, ...],
    place: Path | None = None,
    pasted: str | None = None,
) -> Upload:
    """Read a multipart form into a new folder in ``place``; raises InputError, StorageError.

    The text of the field ``pasted`` becomes the file of the first of ``files``, if none was sent.

    The folder is the caller's to remove, also when a later check fails; it is removed here when
    reading fails.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InputError(
            "The body is not multipart/form-data.",
            code="no_file",
            remedy="Send a form with a file, as 'curl -F data=@rows.csv' does.",
        )
    most = MOST_PASTED if pasted else 64 * 1024
    form = await request.form(max_files=len(files), max_fields=30, max_part_size=most)
    folder = _new_folder(place)
    try:
        fields: dict[str, str] = {}
        paths: dict[str, Path] = {}
        for field, value in form.multi_items():
            if isinstance(value, str) and field == pasted:
                if value.strip() and files[0] not in paths:
                    paths[files[0]] = await run_in_threadpool(_write_down, value, folder)
            elif isinstance(value, str):
                fields[field] = value[:MOST_FIELD]
            elif field in files and value.filename:
                paths[field] = await _save(value, folder, field)
        complete = Upload(folder, fields, paths)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        await form.close()
    return complete


def _new_folder(place: Path | None) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="metier-upload-", dir=place))
    except OSError as error:
        raise _unwritten(error) from error


def _write_down(text: str, folder: Path) -> Path:
    path = folder / "pasted.txt"
    path.write_text(text.replace("\r\n", "\n"), encoding="utf-8", errors="replace")
    return path


async def _save(file: UploadFile, folder: Path, field: str) -> Path:
    path = folder / harmless_name(file.filename or "", field)
    if path.exists():
        path = folder / f"{field}-{path.name}"
    try:
        await run_in_threadpool(_copy, file.file, path)
    except OSError as error:
        raise _unwritten(error) from error
    return path


def _unwritten(error: OSError) -> StorageError:
    return StorageError(
        f"The upload could not be written: {error.strerror}.",
        code="disk_full" if error.errno == 28 else "storage",
        remedy="Free some space in the temporary folder.",
    )


def _copy(source: BinaryIO, path: Path) -> None:
    with path.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
