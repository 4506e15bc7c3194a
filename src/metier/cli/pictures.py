"""Pictures that a person names by path inside what they type.

It finds paths of picture files in a line (quoted, with escaped spaces, ``~``, ``file://``), reads
them within limits, and says what is left of the words. It decodes no picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from metier.errors import InputError, NotFoundError

MOST_PICTURES = 16
MOST_BYTES = 50 << 20
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")
_ENDINGS = r"(?:png|jpe?g|webp|gif|bmp)"
_NAMED = re.compile(
    rf"""
    "(?P<double>[^"\n]+\.{_ENDINGS})"
    | '(?P<single>[^'\n]+\.{_ENDINGS})'
    | (?P<bare>(?:file://|~|\.{{1,2}}/|/)(?:\\.|[^\s\\"'])*\.{_ENDINGS})(?=$|[\s,;:!?)])
    """,
    re.IGNORECASE | re.VERBOSE,
)


def parted(line: str) -> tuple[str, tuple[Path, ...]]:
    """The words of a line without its pictures' paths, and those paths.

    A quoted name counts only if the file is there; a path that starts like one (``/``, ``./``,
    ``~``, ``file://``) counts always, so that a mistyped one is said and not sent as words.
    """
    found: list[Path] = []

    def take(match: re.Match[str]) -> str:
        bare = match["bare"]
        text = bare or match["double"] or match["single"]
        path = _path(text, escaped=bare is not None)
        if bare is None and not path.is_file():
            return match[0]
        found.append(path)
        return ""

    words = _NAMED.sub(take, line)
    return (re.sub(r"[ \t]{2,}", " ", words).strip() if found else line), tuple(found)


def read_pictures(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """The bytes of picture files.

    Raises:
        NotFoundError: One is not there (``no_file``).
        InputError: One is no picture (``not_a_picture``), or there is too much (``too_large``).
    """
    if len(paths) > MOST_PICTURES:
        raise InputError(
            f"{len(paths)} pictures were named; {MOST_PICTURES} is the most.", code="too_large"
        )
    return tuple(_read(path) for path in paths)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(
                f"{str(path)!r} is larger than {MOST_BYTES >> 20} MB.",
                code="too_large",
                remedy="Make it smaller; models look at a few hundred pixels a side.",
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {str(path)!r}.", code="no_file") from error
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be read: {error.strerror}.", code="no_file"
        ) from error
    if not data.startswith(_SIGNATURES):
        raise InputError(
            f"{str(path)!r} is no picture.",
            code="not_a_picture",
            remedy="Name a PNG, JPEG, WebP, GIF or BMP file.",
        )
    return data


def _path(text: str, *, escaped: bool) -> Path:
    if text.lower().startswith("file://"):
        return Path(unquote(text[len("file://") :]))
    if escaped:
        text = re.sub(r"\\(.)", r"\1", text)
    return Path(text).expanduser()
