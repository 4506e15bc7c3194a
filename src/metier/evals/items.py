"""An eval: sealed items and the name of their scorer, under one fingerprint.

It knows the file format (``docs/formats/eval.md``) and how items are told apart; it knows no
system and scores nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date as calendar_date
from functools import cached_property
from pathlib import Path
from typing import Any

from metier.errors import InputError, NotFoundError, StorageError
from metier.manifest import canonical_json
from metier.messages import Example
from metier.reference import Digest

FORMAT = "metier.eval/1"
MAX_ITEMS = 1_000_000
MAX_TEXT_CHARACTERS = 1_000_000
MAX_LABEL_CHARACTERS = 1_000
MAX_LINE_BYTES = 8_000_000
MAX_NAME_CHARACTERS = 256
_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class EvalItem:
    """One question with its right answer.

    Attributes:
        id: Unique in its eval.
        text: The question.
        label: The right answer.
        cluster: Items that hang together share it; the item's own id if it stands alone.
        date: ISO date of the item, if known.
    """

    id: str
    text: str
    label: str
    cluster: str
    date: str | None = None

    def line(self) -> bytes:
        """Canonical JSON without empty fields; the cluster is left out if it is the id."""
        fields = {"id": self.id, "text": self.text, "label": self.label}
        if self.cluster != self.id:
            fields["cluster"] = self.cluster
        if self.date is not None:
            fields["date"] = self.date
        return canonical_json(fields)


@dataclass(frozen=True)
class Eval:
    """Sealed items in the order of their file, and the scorer.

    Raises InputError on construction if an item is not valid, ids repeat, or there is none.
    """

    items: tuple[EvalItem, ...]
    scorer: str = "accuracy"

    def __post_init__(self) -> None:
        if not self.items:
            raise InputError(
                "The eval has no items.", code="bad_eval", remedy="An eval needs one item or more."
            )
        if len(self.items) > MAX_ITEMS:
            raise _too_many(len(self.items))
        seen: dict[str, int] = {}
        for number, item in enumerate(self.items, start=1):
            _check_item(item, f"item {number}")
            if item.id in seen:
                raise InputError(
                    f"Items {seen[item.id]} and {number} have the same id {item.id[:80]!r}.",
                    code="bad_eval",
                    remedy="Give every item an id of its own.",
                )
            seen[item.id] = number

    @cached_property
    def fingerprint(self) -> str:
        """``sha256:…`` over the scorer and the canonical items, sorted by id.

        The order of the file does not matter; every id, text, label, cluster and date does.
        """
        digest = hashlib.sha256(canonical_json({"format": FORMAT, "scorer": self.scorer}) + b"\n")
        for item in sorted(self.items, key=lambda item: item.id):
            digest.update(item.line() + b"\n")
        return str(Digest(digest.hexdigest()))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(sorted({item.label for item in self.items}))

    def to_bytes(self) -> bytes:
        """The file: a header line, then one item a line in the order of the eval."""
        header = {
            "format": FORMAT,
            "scorer": self.scorer,
            "items": len(self.items),
            "fingerprint": self.fingerprint,
        }
        lines = [canonical_json(header), *(item.line() for item in self.items)]
        return b"\n".join(lines) + b"\n"


def seal(examples: Sequence[Example], *, scorer: str = "accuracy") -> Eval:
    """Examples to an eval; item ``i`` of the eval is example ``i``.

    An id is the digest of text and row, so it survives a changed label; the cluster is the
    example's group, or the item itself. Rows without a number count from 1.
    """
    items = []
    for position, example in enumerate(examples, start=1):
        row = example.row or position
        key = f"{row}\n{example.text}".encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(key).hexdigest()[:_ID_DIGITS]
        cluster = digest if example.group is None else _cluster(example.group)
        items.append(EvalItem(digest, example.text, example.label, cluster, example.date))
    return Eval(tuple(items), scorer=scorer)


def _cluster(group: str) -> str:
    """A cluster that cannot be an item's id; long groups are named by their digest."""
    if len(group) <= MAX_NAME_CHARACTERS - len("group:"):
        return f"group:{group}"
    return f"group-sha256:{hashlib.sha256(group.encode('utf-8', 'surrogatepass')).hexdigest()}"


def is_sealed(path: Path) -> bool:
    """Whether a file is a sealed eval, by its header line."""
    with path.open("rb") as file:
        return b'"fingerprint"' in file.readline(4096)


def write_eval(path: Path, sealed: Eval) -> None:
    """Write the eval's file whole: a temporary file beside it, then a rename.

    Raises StorageError if the folder cannot be written.
    """
    write_whole(path, sealed.to_bytes())


def read_eval(path: Path) -> Eval:
    """Read an eval's file and check its fingerprint.

    Raises NotFoundError if there is no such file and InputError (code ``bad_eval``), naming the
    line, if a line is too long, is not JSON, lacks a field, or if the file was changed after it
    was sealed.
    """
    lines = read_lines(path, MAX_LINE_BYTES)
    number, header = next(lines, (1, {}))
    if header.get("format") != FORMAT or not isinstance(header.get("scorer"), str):
        raise InputError(
            f"{path}, line 1: not the header of an eval.",
            code="bad_eval",
            remedy=f'The first line is {{"format":"{FORMAT}","scorer":"accuracy",…}}.',
        )
    items: list[EvalItem] = []
    for number, fields in lines:
        if len(items) >= MAX_ITEMS:
            raise _too_many(MAX_ITEMS + 1)
        items.append(_parse_item(fields, f"{path}, line {number}"))
    sealed = Eval(tuple(items), scorer=header["scorer"])
    said = header.get("fingerprint")
    if said != sealed.fingerprint:
        raise InputError(
            f"{path} was changed after it was sealed: its header says {said}, its items are "
            f"{sealed.fingerprint}.",
            code="bad_eval",
            remedy="Take the original file, or seal the changed items as a new eval.",
        )
    return sealed


def read_lines(path: Path, longest: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a JSON Lines file with their line numbers, one line in memory.

    Raises NotFoundError, StorageError, or InputError (code ``bad_lines``) naming the line.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(longest + 1):
                number += 1
                if len(line) > longest:
                    raise _bad_line(path, number, f"it is longer than {longest:,} bytes")
                if line.strip():
                    yield number, _parse_line(path, number, line)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no file {path}.", remedy="Check the path of the file."
        ) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` whole or not at all; raises StorageError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Check that the folder exists, is writable and has space left.",
        ) from error


def _parse_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _bad_line(path, number, f"it is not JSON in UTF-8 ({error})") from error
    if not isinstance(value, dict):
        raise _bad_line(path, number, "it is not a JSON object")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _parse_item(fields: dict[str, Any], where: str) -> EvalItem:
    unknown = sorted(set(fields) - {"id", "text", "label", "cluster", "date"})
    if unknown:
        raise _bad_item(where, f"it has an unknown field {unknown[0][:80]!r}")
    for name in ("id", "text", "label"):
        if name not in fields:
            raise _bad_item(where, f"it lacks {name!r}")
    item = EvalItem(
        id=fields["id"],
        text=fields["text"],
        label=fields["label"],
        cluster=fields.get("cluster", fields["id"]),
        date=fields.get("date"),
    )
    _check_item(item, where)
    return item


def _check_item(item: EvalItem, where: str) -> None:
    limits = {
        "id": (item.id, MAX_NAME_CHARACTERS),
        "cluster": (item.cluster, MAX_NAME_CHARACTERS),
        "label": (item.label, MAX_LABEL_CHARACTERS),
        "text": (item.text, MAX_TEXT_CHARACTERS),
    }
    for name, (value, longest) in limits.items():
        if not isinstance(value, str) or not value:
            raise _bad_item(where, f"its {name} is empty or not text")
        if len(value) > longest:
            raise _bad_item(where, f"its {name} is longer than {longest:,} characters")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _bad_item(where, f"its {name} holds half of a surrogate pair")
    if item.date is not None:
        try:
            calendar_date.fromisoformat(item.date[:10])
        except (TypeError, ValueError) as error:
            raise _bad_item(where, "its date is not an ISO date like 2026-11-12") from error


def _bad_item(where: str, why: str) -> InputError:
    return InputError(
        f"{where}: {why}.", code="bad_eval", remedy="See docs/formats/eval.md for every field."
    )


def _bad_line(path: Path, number: int, why: str) -> InputError:
    return InputError(
        f"{path}, line {number}: {why}.",
        code="bad_lines",
        remedy="Each line is one JSON object in UTF-8.",
        details={"line": number},
    )


def _too_many(count: int) -> InputError:
    return InputError(
        f"The eval has {count:,} items or more; {MAX_ITEMS:,} is the limit.",
        code="bad_eval",
        remedy="Seal a random sample of the items.",
    )
