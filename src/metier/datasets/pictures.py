"""Labelled pictures from files: a folder, a zip of one, NumPy arrays, a table of paths.

It knows where the bytes of each picture lie and what its label is; it decodes no picture. Archives
and arrays are looked at before they are unpacked, so that a small file cannot become a large one.
"""

from __future__ import annotations

import base64
import binascii
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from metier.datasets.picturefolders import ENDINGS, Entry, Layout, layout
from metier.datasets.problems import Problem, Problems
from metier.datasets.reading import open_table
from metier.datasets.recognising import read_examples
from metier.datasets.sources import located
from metier.errors import InputError
from metier.picturing import MOST_BYTES, Picture

MOST_PICTURES = 50_000
"""Pictures of one source."""
MOST_UNPACKED = 8 << 30
"""Bytes of all pictures of an archive."""
PATHS = (
    "path", "picture", "image", "file", "filename", "file_name", "image_path", "filepath", "img",
    "photo", "picture_path",
)  # fmt: skip
"""Columns that hold the path of a picture."""
_LONGEST_LINE = 4 * MOST_BYTES


@dataclass(frozen=True, slots=True)
class PictureFile:
    """One labelled picture that nobody has decoded yet.

    Attributes:
        number: From 1, in the order of the source.
        place: For people: ``file train/hat/1.jpg``.
        label: Its label.
        split: ``train``, ``valid``, ``test``, another value, or "" where none is given.
        group: Pictures of one group never straddle a split; ``None``: it stands alone.
        read: Gives the bytes of its file, or the picture where it needs no decoding.
    """

    number: int
    place: str
    label: str
    split: str
    group: str | None
    read: Callable[[], bytes | Picture]


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """The pictures of one source, in order.

    Attributes:
        format: ``folder``, ``zip``, ``npz``, ``table`` or ``rows``.
        files: Each labelled picture.
        complete: Whether the source's own digest covers every pixel (a table names other files).
        notes: What was left out, for people.
    """

    format: str
    files: tuple[PictureFile, ...]
    complete: bool
    notes: tuple[str, ...] = ()


def picture_files(
    path: Path,
    *,
    name: str,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    confined: bool = False,
) -> PictureFiles:
    """The labelled pictures of a source.

    Args:
        path: A folder, a ``.zip``, an ``.npz``, or a table (CSV, TSV, JSON Lines).
        name: What people call it.
        text: The column of the paths, of a table.
        label: The column of the labels, of a table.
        group: The column of the groups, of a table.
        confined: Whether paths in a table must stay inside its folder.

    Raises:
        InputError: Nothing is found, or a row is wrong; the message names the file.
    """
    if path.is_dir():
        found = _folder(path, name)
    elif path.suffix.lower() == ".npz":
        from metier.datasets.picturearrays import arrays

        found = arrays(path, name)
    elif zipfile.is_zipfile(path):
        found = _archive(path, name)
    elif _holds_pictures(path):
        found = _rows(path, name)
    else:
        found = _table(path, name, (text, label, group), confined=confined)
    if len(found.files) > MOST_PICTURES:
        raise InputError(
            f"{name} holds {len(found.files):,} pictures; {MOST_PICTURES:,} is the most.",
            code="too_large",
            remedy="Take a sample of each label.",
        )
    return found


def looks_like_pictures(path: Path) -> bool:
    """Whether a source is one of pictures by its look: a folder or archive of them, or arrays."""
    if path.is_dir():
        return any(found.suffix.lower() in ENDINGS for found in path.rglob("*"))
    if path.suffix.lower() == ".npz" or zipfile.is_zipfile(path):
        return True
    return path.is_file() and _holds_pictures(path)


def _folder(root: Path, name: str) -> PictureFiles:
    paths = [
        found.relative_to(root).as_posix()
        for found in sorted(root.rglob("*"))
        if found.is_file() and not found.is_symlink()
    ]
    sorted_out = layout(paths, name)
    _refuse(sorted_out, name)
    files = _files(sorted_out, lambda entry: lambda: _bytes_of(root / entry.path, entry.path))
    return PictureFiles("folder", files, complete=True, notes=sorted_out.notes)


def _archive(path: Path, name: str) -> PictureFiles:
    archive = zipfile.ZipFile(path)  # stays open as long as its pictures are wanted
    members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    sorted_out = layout(list(members), name)
    _refuse(sorted_out, name)
    taken = [members[entry.path] for entry in sorted_out.entries]
    if any(info.flag_bits & 1 for info in taken):
        raise InputError(
            f"{name} is encrypted.", code="bad_archive", remedy="Pack it without a password."
        )
    if sum(info.file_size for info in taken) > MOST_UNPACKED:
        raise InputError(
            f"{name} would unpack to more than {MOST_UNPACKED >> 30} GB.", code="too_large"
        )
    files = _files(sorted_out, lambda entry: lambda: _member(archive, entry.path))
    return PictureFiles("zip", files, complete=True, notes=sorted_out.notes)


def _rows(path: Path, name: str) -> PictureFiles:
    """Canonical rows: the bytes of each picture stand in its line."""
    files: list[PictureFile] = []
    problems = Problems(name)
    with path.open("rb") as stream:
        number = 0
        while True:
            start = stream.tell()
            line = stream.readline(_LONGEST_LINE)
            if not line:
                break
            number += 1
            try:
                fields = json.loads(line)
                place = f"file {fields.get('path') or number}"
                row = (str(fields["label"]), str(fields.get("split", "")))
            except (ValueError, KeyError, AttributeError):
                what = "it is no row of a picture"
                problems.add(Problem("bad_rows", number, f"line {number}", what, "Make it again."))
                continue
            files.append(PictureFile(number, place, *row, None, _at(path, start, place)))
    problems.raise_if_any()
    return PictureFiles("rows", tuple(files), complete=True)


def _table(
    path: Path, name: str, columns: tuple[str | None, str | None, str | None], *, confined: bool
) -> PictureFiles:
    text, label, group = columns
    if text is None:
        there = open_table(path, name=name).columns
        text = next((column for column in there if column.strip().lower() in PATHS), None)
        if text is None:
            raise InputError(
                f"{name} has no column of picture files; its columns are "
                f"{', '.join(there) or 'none'}.",
                code="no_column",
                remedy="Name it with --text, or call it 'path'.",
            )
    dataset = read_examples(path, name=name, text=text, label=label, group=group, trains=False)
    splits = dataset.splits or [""] * len(dataset.examples)
    files = tuple(
        PictureFile(
            number=number,
            place=f"row {example.row}, file {example.text}",
            label=example.label,
            split=split,
            group=example.group,
            read=_beside(path.parent, example.text, confined=confined),
        )
        for number, (example, split) in enumerate(
            zip(dataset.examples, splits, strict=True), start=1
        )
    )
    return PictureFiles("table", files, complete=False, notes=dataset.recognised.notes)


def _files(
    found: Layout, reader: Callable[[Entry], Callable[[], bytes]]
) -> tuple[PictureFile, ...]:
    return tuple(
        PictureFile(number, f"file {entry.path}", entry.label, entry.split or "", None, read)
        for number, (entry, read) in enumerate(
            ((entry, reader(entry)) for entry in found.entries), start=1
        )
    )


def _refuse(found: Layout, name: str) -> None:
    problems = Problems(name)
    for number, path in enumerate(found.refused, start=1):
        what = f"{PurePosixPath(path).suffix} files are not decoded here"
        remedy = "Save it as PNG, JPEG or WebP, or take it out."
        problems.add(Problem("not_a_picture", number, f"file {path}", what, remedy))
    problems.raise_if_any()


def _beside(folder: Path, path: str, *, confined: bool) -> Callable[[], bytes]:
    def read() -> bytes:
        return _bytes_of(located(path, folder, confined), path)

    return read


def _bytes_of(path: Path, shown: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)  # one more, so that too much is seen
    except OSError as error:
        raise InputError(
            f"{shown!r} cannot be read: {error.strerror}.",
            code="unreadable_file",
            remedy="Check the path; in a table it starts at the table's folder.",
        ) from error


def _member(archive: zipfile.ZipFile, member: str) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(MOST_BYTES + 1)
    except (
        OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error,
        lzma.LZMAError,
    ) as error:  # fmt: skip
        raise _damaged(member, str(error)) from error


def _damaged(member: str, why: str) -> InputError:
    return InputError(
        f"{member!r} cannot be unpacked: {why}.", code="bad_archive", remedy="Pack it again."
    )


def _at(path: Path, start: int, place: str) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with path.open("rb") as stream:
                stream.seek(start)
                fields = json.loads(stream.readline(_LONGEST_LINE))
            return base64.b64decode(fields["picture"], validate=True)
        except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
            raise InputError(f"{place} holds no picture: {error}.", code="bad_rows") from error

    return read


def _holds_pictures(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(12).replace(b" ", b"").startswith(b'{"picture":')
