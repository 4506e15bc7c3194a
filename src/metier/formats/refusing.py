"""How every check opens a file and says no: one sentence, one code for each format.

It knows no format.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NoReturn

from metier.errors import InputError, NotFoundError


def opened(path: Path) -> BinaryIO:
    """A file, open for reading; raises NotFoundError (code ``file_not_found``)."""
    try:
        return path.open("rb")
    except OSError as error:
        raise NotFoundError(
            f"The file {str(path)!r} cannot be read: {error.strerror}.", code="file_not_found"
        ) from error


def refuse(kind: str, path: Path, why: str, cause: BaseException | None = None) -> NoReturn:
    """Raise the InputError for a malformed file: code ``bad_<kind>``."""
    raise InputError(
        f"{path.name!r} is not a valid {kind} file: {why}.",
        code=f"bad_{kind}",
        remedy="Make or fetch the file again.",
    ) from cause
