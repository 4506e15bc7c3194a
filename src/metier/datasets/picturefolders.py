"""Which files of a folder (or of an archive of one) are pictures, of which label and split.

It knows paths alone: ``label/name.jpg``, ``train/label/name.jpg``, and that an archive often has
one more folder around everything. It opens nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from metier.datasets import names
from metier.errors import InputError

ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".webp")
"""Files that are taken as pictures; what they are is seen from their bytes."""
REFUSED = (
    ".gif", ".bmp", ".tif", ".tiff", ".svg", ".heic", ".heif", ".avif", ".psd", ".jp2", ".jxl",
    ".ico",
)  # fmt: skip
"""Pictures that are not decoded here: a person would miss them, so they are named."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture file: its path, its label and the split that its folder names."""

    path: str
    label: str
    split: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """The pictures of a folder in order of path, those of other formats, and what was left out."""

    entries: tuple[Entry, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...]


def layout(paths: Sequence[str], name: str) -> Layout:
    """Sort out the paths of a folder.

    Args:
        paths: Relative, with ``/``.
        name: What people call the folder.

    Raises:
        InputError: No sub-folder holds pictures (``empty_folder``).
    """
    visible = sorted(path for path in paths if not _hidden(path))
    taken = [path for path in visible if _ending(path) in ENDINGS]
    skip = _around(taken)
    below = [path.split("/")[skip:] for path in taken]
    deep = {parts[0] for parts in below if len(parts) > 1}
    splits = bool(deep) and all(names.split_name(folder) for folder in deep)
    entries, left_out = [], Counter[str]()
    for path, parts in zip(taken, below, strict=True):
        if len(parts) < (3 if splits else 2):
            left_out["pictures outside a label's folder"] += 1
        elif splits:
            entries.append(Entry(path, parts[1], names.split_name(parts[0])))
        else:
            entries.append(Entry(path, parts[0], None))
    for path in visible:
        if _ending(path) not in (*ENDINGS, *REFUSED):
            left_out[f"files ending in {_ending(path) or 'nothing'}"] += 1
    refused = tuple(path for path in visible if _ending(path) in REFUSED)
    if not entries and not refused:
        raise InputError(
            f"{name} holds no pictures in sub-folders.",
            code="empty_folder",
            remedy="Put the pictures of each label in a sub-folder of its name: "
            "shirt/1.jpg, hat/2.png.",
        )
    notes = tuple(f"{count:,} {what} were left out." for what, count in sorted(left_out.items()))
    return Layout(tuple(entries), refused, notes)


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.split("/"))


def _around(paths: Sequence[str]) -> int:
    """How many folders stand around everything and name neither label nor split."""
    skip = 0
    while paths:
        parts = [path.split("/")[skip:] for path in paths]
        first = {part[0] for part in parts}
        if len(first) > 1 or names.split_name(next(iter(first))) is not None:
            break
        if any(len(part) < 3 for part in parts):
            break
        skip += 1
    return skip
