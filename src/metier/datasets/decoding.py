"""From bytes to lines of text in bounded memory: encodings, byte-order marks, line ends.

It knows how to tell text from other files, which encoding the bytes are in, and how to hand out
lines without ever holding more than the cap of one; it knows nothing of rows and columns.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from metier.errors import InputError, NotFoundError

MAX_ROW = 1 << 20
"""Characters that one row may have: more is refused, so that memory is bounded."""
_CHUNK = 1 << 20
_HEAD = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "Save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "Save it as CSV (UTF-8)"),
    (b"PAR1", "a Parquet file", "Write it as CSV or JSON Lines"),
    (b"ARROW1", "an Arrow file", "Write it as CSV or JSON Lines"),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV"),
    (b"%PDF", "a PDF", "Extract its text first"),
    (b"\x89PNG", "a picture", "Pass a file of texts"),
    (b"\xff\xd8\xff", "a picture", "Pass a file of texts"),
    (b"BZh", "a bzip2 archive", "Unpack it first, or use gzip"),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first, or use gzip"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it first, or use gzip"),
)
_HIGH = re.compile(rb"[^\n]{0,200}[\x80-\xff][^\n]{0,200}")

_ODD_WESTERN = re.compile(
    r"[^\W\d_][\u00a1-\u00b6\u00b8-\u00bf\u00d7\u00f7\u2020-\u2022\u2030\u2039-\u203a](?=[^\W\d_])"
    r"|[a-z\u00df-\u00ff][\u00c0-\u00de\u0160\u017d\u0178\u0152]"
)
"""What cp1252 makes of other encodings: a symbol inside a word, a capital after a small letter."""

Opener = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Encoding:
    r"""How the bytes of a source become text.

    Attributes:
        name: A Python codec.
        newline: What ends a line: ``\n`` (also after ``\r``) or a bare ``\r``.
        notes: What was assumed, for people.
    """

    name: str
    newline: str
    notes: tuple[str, ...] = ()


def opener(source: Path | bytes, name: str) -> Opener:
    """A function that opens the source anew, unpacking gzip.

    Raises:
        NotFoundError: No such file.
        InputError: It cannot be opened, or is empty.
    """
    if isinstance(source, bytes):
        data = source

        def plain() -> BinaryIO:
            return io.BytesIO(data)
    else:
        path = source

        def plain() -> BinaryIO:
            return path.open("rb")

    try:
        with plain() as file:
            magic = file.read(2)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no file {name}.", code="no_file", remedy="Check the path."
        ) from error
    except OSError as error:
        raise InputError(
            f"{name} cannot be read: {error.strerror}.",
            code="unreadable_file",
            remedy="Check that it is a file and that you may read it.",
        ) from error
    if not magic:
        raise empty(name)
    if magic == b"\x1f\x8b":
        return lambda: cast(BinaryIO, gzip.GzipFile(fileobj=plain(), mode="rb"))
    return plain


def detect(open_source: Opener, name: str, *, one_line: bool, max_row: int = MAX_ROW) -> Encoding:
    """Which encoding the whole source is in; one pass over all bytes.

    Args:
        open_source: Opens it anew.
        name: What people call it.
        one_line: Whether all of it may stand on one line (a JSON array).
        max_row: Characters that one line may have.

    Raises:
        InputError: It is not text (``binary_file``), a line is over the cap (``row_too_long``),
            or single lines are in another encoding than the rest (``mixed_encoding``).
    """
    try:
        with open_source() as file:
            head = file.read(_HEAD)
        encoding = _marked_or_wide(head)
        longest = None if one_line else max_row
        clean = _scan(open_source, encoding or "utf-8", name, longest)
        if encoding and not clean:
            raise InputError(
                f"{name} starts like {encoding.upper()} text but is not.",
                code="binary_file",
                remedy="Save it as UTF-8.",
            )
        if clean:
            return Encoding(encoding or "utf-8", _line_end(head, encoding or "utf-8"))
        return _guess(open_source, head, name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(name, error) from error


def lines(
    open_source: Opener, encoding: Encoding, name: str, *, max_row: int = MAX_ROW
) -> Iterator[str]:
    r"""The lines of the source with their ends, each at most ``max_row`` characters.

    Only ``\n`` (or a bare ``\r`` where the file has no other) ends a line: U+2028 and its like
    are characters of a text.

    Raises:
        InputError: A line is over the cap (``row_too_long``) or holds a NUL (``nul_byte``).
    """
    with open_text(open_source, encoding) as text:
        number = 0
        while line := text.readline(max_row + 1):
            number += 1
            if len(line) > max_row:
                raise too_long(name, number, max_row)
            if "\0" in line:
                raise nul_character(name, number)
            yield line


def first_characters(open_source: Opener, name: str) -> str:
    """The head of the source, good enough to see its format; ASCII is right in it.

    Raises:
        InputError: It is not text (``binary_file``) or holds nothing but white space
            (``empty_file``).
    """
    try:
        with open_source() as file:
            head = file.read(_HEAD)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(name, error) from error
    _refuse_other_formats(head, name)
    text = head.decode(_marked_or_wide(head) or "utf-8", errors="replace").lstrip("\ufeff")
    if not text.strip() and len(head) < _HEAD:
        raise empty(name)
    return text


def empty(name: str) -> InputError:
    """The error for a source without a single row."""
    return InputError(
        f"{name} is empty.",
        code="empty_file",
        remedy="Pass a file with one row for each text and its label.",
    )


def _damaged(name: str, error: Exception) -> InputError:
    return InputError(
        f"{name} is a damaged gzip file: {error}.",
        code="binary_file",
        remedy="Download or pack it again.",
    )


def open_text(open_source: Opener, encoding: Encoding) -> io.TextIOWrapper:
    """The source as a text stream; only the encoding's own line end ends a line."""
    return io.TextIOWrapper(open_source(), encoding=encoding.name, newline=encoding.newline)


def too_long(name: str, number: int, max_row: int) -> InputError:
    """The error for a row over the cap."""
    return InputError(
        f"{name}, line {number}: the row is longer than {max_row:,} characters.",
        code="row_too_long",
        remedy="Write one row a line, cut long texts into passages, and check that every "
        "quotation mark that opens is closed.",
        details={"row": number},
    )


def nul_character(name: str, number: int) -> InputError:
    """The error for a NUL character, which no text has."""
    return InputError(
        f"{name}, line {number}: the line holds a NUL byte, so this is not a text file.",
        code="nul_byte",
        remedy="Export the data again as UTF-8 text.",
        details={"row": number},
    )


def decode_small(data: bytes, name: str) -> tuple[str, str]:
    """The text of a small file and the encoding that was used.

    Raises:
        InputError: It is not text (``binary_file``, ``nul_byte``).
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(codec), codec
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{name} starts like {codec.upper()} text but is not.",
                    code="binary_file",
                    remedy="Save it as UTF-8.",
                ) from error
    _refuse_other_formats(data[:_HEAD], name)
    if b"\0" in data:
        raise nul_character(name, data[: data.index(b"\0")].count(b"\n") + 1)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        codec = _best_codec(data[: 1 << 16])
        try:
            return data.decode(codec), codec
        except UnicodeDecodeError:
            return data.decode("latin-1"), "latin-1"


def _refuse_other_formats(head: bytes, name: str) -> None:
    for magic, what, remedy in _MAGIC:
        if head.startswith(magic):
            raise InputError(
                f"{name} is {what}, not text.",
                code="binary_file",
                remedy=f"{remedy}; JSON Lines, JSON, CSV and TSV are read.",
            )
    if head.startswith(tuple(mark for mark, _ in _MARKS)) or _wide(head):
        return
    control = len(head) - len(head.translate(None, bytes(range(1, 9)) + bytes(range(14, 27))))
    if max(control, head.count(b"\0")) > max(4, 0.02 * len(head)):
        raise InputError(
            f"{name} is a binary file, not text.",
            code="binary_file",
            remedy="Pass JSON Lines, JSON, CSV or TSV in UTF-8.",
        )


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: text of European languages has a NUL in every second byte."""
    if len(head) < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.4 * half and even < 0.02 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.02 * half:
        return "utf-16-be"
    return None


def _marked_or_wide(head: bytes) -> str | None:
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    return _wide(head)


def _line_end(head: bytes, codec: str) -> str:
    text = head.decode(codec, errors="ignore")
    return "\r" if "\r" in text and "\n" not in text else "\n"


def _scan(open_source: Opener, codec: str, name: str, longest: int | None) -> bool:
    """Whether all bytes are valid in ``codec``; raises once a line is over the cap for certain."""
    decoder = codecs.getincrementaldecoder(codec)()
    seen, run = 0, 0
    with open_source() as file:
        while chunk := file.read(_CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return False
            breaks = max(chunk.count(b"\n"), chunk.count(b"\r"))
            run = 0 if breaks else run + len(chunk)
            # A character has at most four bytes, so this many without a break are over the cap.
            if longest is not None and run > 4 * longest:
                raise too_long(name, seen + 1, longest)
            seen += breaks
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _guess(open_source: Opener, head: bytes, name: str) -> Encoding:
    """The encoding of bytes that are not UTF-8, from the lines that show it."""
    sample = bytearray()
    valid, invalid, first_invalid, before = 0, 0, 0, 0
    with open_source() as file:
        while (chunk := file.read(_CHUNK)) and len(sample) < _HEAD:
            chunk += file.readline(_CHUNK)
            if chunk.isascii():
                before += chunk.count(b"\n")
                continue
            text = chunk.decode("utf-8", errors="surrogateescape")
            bad = [at for at, character in enumerate(text) if "\udc80" <= character <= "\udcff"]
            if bad and not invalid:
                first_invalid = before + text.count("\n", 0, bad[0]) + 1
            invalid += len(bad)
            valid += sum(1 for character in text if character > "\x7f") - len(bad)
            before += text.count("\n")
            for match in _HIGH.finditer(chunk):
                sample += match.group() + b"\n"
                if len(sample) >= _HEAD:
                    break
    if valid > 10 * invalid:
        raise InputError(
            f"{name}, line {first_invalid}: the line is not UTF-8, while the rest of the file is.",
            code="mixed_encoding",
            remedy="Save the file as UTF-8, or take that line out.",
            details={"row": first_invalid},
        )
    codec = _best_codec(bytes(sample))
    if not _scan(open_source, codec, name, None):
        codec = "latin-1"
    note = (
        f"The bytes are not UTF-8: read as {codec}. If letters look wrong, save the file as UTF-8."
    )
    return Encoding(codec, _line_end(head, codec), (note,))


def _best_codec(sample: bytes) -> str:
    """The likeliest codec of bytes that are not UTF-8.

    charset-normalizer tells scripts apart but often names a neighbour of cp1252 (cp1250 for
    French); so cp1252 is taken for Latin script wherever it makes plausible words.
    """
    from charset_normalizer import from_bytes

    matches = list(from_bytes(sample))
    if not matches:
        return "cp1252"
    letters = [letter for letter in str(matches[0]) if letter > "\x7f" and letter.isalpha()]
    latin = all("LATIN" in unicodedata.name(letter, "") for letter in letters)
    if latin and _plausible_western(sample):
        return "cp1252"
    others = [match.encoding for match in matches if match.encoding != "cp1252"]
    return others[0] if others else "cp1252"


def _plausible_western(sample: bytes) -> bool:
    """Whether cp1252 gives words: no symbol inside a word, no capital after a small letter."""
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    high = sum(character > "\x7f" for character in text)
    return len(_ODD_WESTERN.findall(text)) <= 0.02 * high
