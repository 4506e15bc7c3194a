"""Source files that a person names: read with their places, written back whole.

It knows paths, encodings and line ends. What is in the files it does not know.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metier.coding import SourceFile
from metier.errors import InputError, NotFoundError, StorageError

MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a person's.

    Attributes:
        path: As the person wrote it.
        file: What a tool is given: its path below the folder that all named files share, and its
            text with plain line ends.
        crlf: Whether its lines end as on Windows.
        marked: Whether it begins with a byte order mark.
    """

    path: Path
    file: SourceFile
    crlf: bool = False
    marked: bool = False


def read_sources(paths: Sequence[Path]) -> tuple[Source, ...]:
    """Every file once, in the order it was named.

    Raises:
        NotFoundError: One is not there (``no_file``).
        InputError: One is a folder, too large, or no UTF-8 text.
    """
    distinct = list(dict.fromkeys(paths))
    texts = [_read(path) for path in distinct]
    shared = _shared([path.absolute() for path in distinct])
    return tuple(
        Source(
            path,
            SourceFile(
                path.absolute().relative_to(shared).as_posix(),
                text.removeprefix("\ufeff").replace("\r\n", "\n"),
            ),
            crlf="\r\n" in text,
            marked=text.startswith("\ufeff"),
        )
        for path, text in zip(distinct, texts, strict=True)
    )


def write_sources(changed: Sequence[tuple[Source, SourceFile]]) -> list[Path]:
    """Write changed texts over the files they came from, each whole or not at all.

    Raises:
        InputError: One changed on the disk since it was read (``changed_meanwhile``).
        StorageError: One cannot be written.
    """
    for source, _ in changed:
        if read_sources([source.path])[0].file.text != source.file.text:
            raise InputError(
                f"{str(source.path)!r} changed while it was being repaired; nothing was written.",
                code="changed_meanwhile",
                remedy="Run the same command again.",
            )
    for source, new in changed:
        text = new.text.replace("\n", "\r\n") if source.crlf else new.text
        _write(source.path, ("\ufeff" if source.marked else "") + text)
    return [source.path for source, _ in changed]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {str(path)!r}.", code="no_file") from error
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be read: {error.strerror}.", code="no_file"
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"{str(path)!r} is longer than {MAX_FILE_BYTES >> 20} MiB.", code="too_large"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{str(path)!r} is not UTF-8 (byte {error.start}).",
            code="bad_encoding",
            remedy="Convert it first, for instance with: iconv -f latin1 -t utf8.",
        ) from error


def _shared(paths: Sequence[Path]) -> Path:
    """The working folder where all files are below it, else the folder that they share."""
    here = Path.cwd()
    if all(path.is_relative_to(here) for path in paths):
        return here
    return Path(os.path.commonpath([path.parent for path in paths]))


def _write(path: Path, text: str) -> None:
    target = path.resolve()
    try:
        mode = target.stat().st_mode & 0o7777
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(mode)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
