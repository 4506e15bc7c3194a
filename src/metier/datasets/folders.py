"""A folder of text files per label: ``label/name.txt``, or ``train/label/name.txt``.

It knows the order of the files, what is left out and why; it does not know what a label means.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metier.datasets import names
from metier.datasets.decoding import decode_small
from metier.datasets.problems import Problem, Problems
from metier.errors import InputError

ENDINGS = ("", ".txt", ".text", ".md")
"""Files that are texts; others are left out and said so."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The text files of a folder.

    Attributes:
        root: The folder.
        files: Relative path, split or ``None``, and label of each file, in order of path.
        columns: ``text``, ``label`` and, where the first level names splits, ``split``.
        notes: What was left out, for people.
    """

    root: Path
    files: tuple[tuple[str, str | None, str], ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def listing(root: Path, name: str) -> Listing:
    """The texts under a folder.

    Links to folders are not followed and hidden files are no rows.

    Raises:
        InputError: No sub-folder holds texts (``empty_folder``).
    """
    top = sorted(entry.name for entry in os.scandir(root) if _visible(entry) and _is_folder(entry))
    split_level = bool(top) and all(names.split_name(folder) for folder in top)
    found: list[tuple[str, str | None, str]] = []
    left_out: Counter[str] = Counter()
    for path in _walk(root, ""):
        parts = path.split("/")
        ending = Path(parts[-1]).suffix.lower()
        if len(parts) < (3 if split_level else 2):
            left_out["files outside a label's folder"] += 1
        elif ending not in ENDINGS:
            left_out[f"files ending in {ending}"] += 1
        elif split_level:
            found.append((path, parts[0], parts[1]))
        else:
            found.append((path, None, parts[0]))
    if not found:
        raise InputError(
            f"{name} is a folder without texts in sub-folders.",
            code="empty_folder",
            remedy="Put the texts of each label in a sub-folder of its name: "
            "spam/1.txt, ham/2.txt; or pass a file.",
        )
    notes = [f"{count:,} {what} were left out." for what, count in sorted(left_out.items())]
    columns = ("text", "label", "split") if split_level else ("text", "label")
    return Listing(root, tuple(found), columns, tuple(notes))


def texts(
    found: Listing, problems: Problems, max_row: int
) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Each file's 1-based number, relative path and its row; what cannot be read is reported."""
    for number, (path, split, label) in enumerate(found.files, 1):
        try:
            with (found.root / path).open("rb") as file:
                # Four bytes are the most that a character takes.
                data = file.read(4 * max_row + 1)
            text, _ = decode_small(data, path)
            if len(text) > max_row:
                raise InputError(
                    f"{path} is longer than {max_row:,} characters.",
                    code="row_too_long",
                    remedy="Cut long texts into passages.",
                )
        except OSError as error:
            problems.add(
                _unreadable(number, path, "unreadable_file", str(error.strerror), "Check it.")
            )
            continue
        except InputError as error:
            problems.add(
                _unreadable(number, path, error.code, error.message.rstrip("."), error.remedy or "")
            )
            continue
        row = {"text": text, "label": label}
        if split is not None:
            row["split"] = split
        yield number, path, row


def _unreadable(number: int, path: str, code: str, what: str, remedy: str) -> Problem:
    return Problem(code=code, row=number, place=f"file {path}", what=what, remedy=remedy)


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        ordered = sorted((entry for entry in entries if _visible(entry)), key=lambda e: e.name)
    for entry in ordered:
        if _is_folder(entry):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield f"{prefix}{entry.name}"


def _visible(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith((".", "__MACOSX"))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)
