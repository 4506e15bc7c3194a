"""A volume: the index over one origin, a folder that is made once and never changed.

It knows arrays to filter and order by, and opens the words (``text``) and vectors (``meaning``)
beside them. A volume is named by the digest of its rows, drafted beside and renamed into place: a
crash leaves the old one, two makers make the same.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metier.catalog.records import Row
from metier.catalog.standing import size_class
from metier.errors import CorruptError
from metier.manifest import canonical_json
from metier.store.disk import draft, flush_folder, storage_errors

if TYPE_CHECKING:
    from metier.catalog.meaning import Meaning
    from metier.catalog.text import TextIndex

FORMAT = 1
FACETS = ("task", "domain", "licence", "base")
NUMBERS = ("id", "size", "context", "released", "verdicts", "level")
ORDERS = ("standing", "newest", "smallest", "name")
PROVED_BYTES = 16 << 20
"""Volumes up to this size are proved byte by byte when they are opened, larger by their sizes."""

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is wanted, folded; "" and ``None`` for any."""

    facets: Mapping[str, str] = field(default_factory=dict)
    most_bytes: int | None = None
    least_context: int | None = None
    since: int | None = None
    verdict: int = 0
    only: frozenset[int] | None = None
    """Ids, or ``None``."""

    @property
    def plain(self) -> bool:
        """Whether nothing is filtered."""
        return self == Filters() or not (
            any(self.facets.values())
            or self.most_bytes is not None
            or self.least_context is not None
            or self.since is not None
            or self.verdict
            or self.only is not None
        )


class Volume:
    """One origin's index, open; threads may share it."""

    def __init__(self, folder: Path, origin: str, about: Mapping[str, Any]) -> None:
        self.origin = origin
        self.name = folder.name
        self.count: int = about["count"]
        self._folder = folder
        self._values: dict[str, list[str]] = about["values"]
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, origin: str) -> Volume:
        """Open a volume; raises CorruptError (``bad_volume``) if it is not whole."""
        try:
            about = json.loads((folder / "about.json").read_bytes())
            if about["format"] != FORMAT:
                raise ValueError("another format")
            _prove(folder, about["files"])
            return cls(folder, origin, about)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptError(
                f"The index {folder.name!r} is not whole: {error}.", code="bad_volume"
            ) from error

    def numbers(self, name: str) -> Ints:
        """(count,) one of ``NUMBERS``."""
        return self._array(name)

    def order(self, name: str) -> Ints:
        """(count,) places in one of ``ORDERS``."""
        return self._array(f"order-{name}")

    @cached_property
    def _arrays(self) -> dict[str, Ints]:
        return {}

    def _array(self, name: str) -> Ints:
        found = self._arrays.get(name)
        if found is None:
            path = self._folder / f"{name}.npy"
            try:
                found = self._arrays[name] = np.load(path, mmap_mode="r")
            except (OSError, ValueError) as error:
                raise CorruptError(
                    f"{path.name} of an index cannot be read: {error}.", code="bad_volume"
                ) from error
        return found

    @cached_property
    def words(self) -> TextIndex:
        """The words of it."""
        from metier.catalog.text import TextIndex

        return TextIndex.open(self._folder / "words")

    def meaning(self, encoder: str) -> Meaning | None:
        """The vectors that an encoder made, if they are there."""
        with self._lock:
            found = self._opened.get(encoder)
            folder = self._folder / meaning_name(encoder)
            if found is None and folder.is_dir():
                from metier.catalog.meaning import Meaning

                found = self._opened[encoder] = Meaning.open(folder)
            return found

    @cached_property
    def _opened(self) -> dict[str, Meaning]:
        return {}

    def place(self, identity: int) -> int | None:
        """Where an id stands; ids rise."""
        ids = self.numbers("id")
        at = int(np.searchsorted(ids, identity))
        return at if at < len(ids) and int(ids[at]) == identity else None

    def mask(self, filters: Filters) -> Mask | None:
        """(count,) which entries pass, or ``None`` for all."""
        if filters.plain:
            return None
        passing = np.ones(self.count, bool)
        for name, value in filters.facets.items():
            if value:
                values = self._values[name]
                code = values.index(value) if value in values else -1
                passing &= self._array(f"code-{name}") == code
        if filters.most_bytes is not None:
            size = self.numbers("size")
            passing &= (size > 0) & (size <= filters.most_bytes)
        for name, least in (("context", filters.least_context), ("released", filters.since)):
            if least is not None:
                passing &= self.numbers(name) >= max(least, 1)
        if filters.verdict:
            passing &= (self.numbers("verdicts") & filters.verdict) != 0
        if filters.only is not None:
            chosen = np.zeros(self.count, bool)
            places = [self.place(identity) for identity in filters.only]
            chosen[[place for place in places if place is not None]] = True
            passing &= chosen
        return passing

    def facets(self, passing: Mask | None) -> dict[str, dict[str, int]]:
        """By filter: folded values and how many of the passing entries have them."""
        found: dict[str, dict[str, int]] = {}
        for name in ("task", "domain", "licence"):
            codes = self._array(f"code-{name}")
            counts = np.bincount(codes if passing is None else codes[passing])
            values = self._values[name]
            found[name] = {
                values[code]: int(counts[code])
                for code in np.flatnonzero(counts).tolist()
                if values[code]
            }
        return found


def build(parent: Path, name: str, rows: Callable[[], Iterator[Row]]) -> None:
    """Write a volume beside and rename it into place; one that is there already stays.

    Args:
        parent: The folder of volumes.
        name: The volume's.
        rows: Gives the rows, twice the same.

    Raises:
        StorageError: The folder cannot be written.
    """
    from metier.catalog import text

    with storage_errors("Writing the catalogue's index"):
        parent.mkdir(parents=True, exist_ok=True)
        with draft(parent) as folder:
            (folder / "words").mkdir(parents=True)
            values = _write_arrays(folder, rows())
            ranks = {order: _ranks(np.load(folder / f"order-{order}.npy")) for order in ORDERS}
            count = text.build(folder / "words", _documents(rows(), ranks))
            about = {
                "format": FORMAT,
                "count": count,
                "values": values,
                "files": dict(_files(folder)),
            }
            (folder / "about.json").write_bytes(canonical_json(about))
            with suppress(FileExistsError):
                _rename(folder, parent / name)
        flush_folder(parent)


def add_meaning(
    folder: Path,
    encoder: str,
    texts: Callable[[], Iterator[tuple[int, str]]],
    encode: Encode,
    *,
    before: Path | None = None,
    lot: int = 256,
) -> None:
    """Write the vectors of a volume beside its words, whole or not at all.

    Args:
        folder: The volume's.
        encoder: What makes the vectors; others are kept beside.
        texts: Gives id and text of each entry, in the order of ids.
        encode: Texts to (n, d) vectors.
        before: An older volume of the same origin: what has the same id keeps its vector.
        lot: Texts encoded at a time.
    """
    from metier.catalog import meaning

    ids = np.load(folder / "id.npy")
    halves: NDArray[np.float16] | None = None
    old_ids, old = _old_vectors(before, encoder)
    waiting: list[tuple[int, str]] = []

    def settle() -> None:
        nonlocal halves
        if waiting:
            made = meaning.unit(encode([text for _, text in waiting]))
            if halves is None:
                halves = np.zeros((len(ids), made.shape[1]), np.float16)
            halves[[place for place, _ in waiting]] = made
            waiting.clear()

    for identity, text in texts():
        place = int(np.searchsorted(ids, identity))
        if place >= len(ids) or ids[place] != identity:
            continue  # newer than the volume: its next one will have it
        at = int(np.searchsorted(old_ids, identity)) if old is not None else 0
        if old is not None and at < len(old_ids) and old_ids[at] == identity:
            if halves is None:
                halves = np.zeros((len(ids), old.shape[1]), np.float16)
            halves[place] = old[at]
        else:
            waiting.append((place, text))
        if len(waiting) >= lot:
            settle()
    settle()
    with storage_errors("Writing the catalogue's vectors"), draft(folder.parent) as fresh:
        fresh.mkdir()
        meaning.build(fresh, halves if halves is not None else np.zeros((0, 1), np.float16))
        with suppress(FileExistsError):
            _rename(fresh, folder / meaning_name(encoder))


def meaning_name(encoder: str) -> str:
    """The folder of an encoder's vectors in a volume."""
    return "meaning-" + hashlib.sha256(encoder.encode()).hexdigest()[:16]


def _old_vectors(before: Path | None, encoder: str) -> tuple[Any, Any]:
    if before is None:
        return None, None
    from metier.catalog import meaning

    try:
        return np.load(before / "id.npy"), np.load(
            before / meaning_name(encoder) / meaning.HALVES, mmap_mode="r"
        )
    except (OSError, ValueError):
        return None, None


def _write_arrays(folder: Path, rows: Iterable[Row]) -> dict[str, list[str]]:
    """Numbers, codes and orders of the rows; returns the values that the codes stand for."""
    numbers: dict[str, array[int]] = {name: array("q") for name in NUMBERS}
    said: dict[str, array[int]] = {name: array("i") for name in FACETS}
    codes: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    names: list[str] = []
    for row in rows:
        for name, column in numbers.items():
            column.append(getattr(row, name))
        for name, column in said.items():
            known = codes[name]
            column.append(known.setdefault(getattr(row, name), len(known)))
        names.append(row.name.casefold())
    for name, column in said.items():
        np.save(folder / f"code-{name}", np.array(column, np.int32))
    read = {name: np.array(column, np.int64) for name, column in numbers.items()}
    for name, found in read.items():
        np.save(folder / name, found)
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    for order, places in _orders(read, _ranks(by_name)).items():
        np.save(folder / f"order-{order}", places.astype(np.int64))
    np.save(folder / "order-name", by_name)
    return {name: list(known) for name, known in codes.items()}


def _orders(numbers: Mapping[str, Ints], by_name: Ints) -> dict[str, Ints]:
    """Places in each plain order; of equals the first by name."""
    size, released = numbers["size"], numbers["released"]
    classes = np.fromiter((size_class(one) for one in size.tolist()), np.int64, len(size))
    return {
        # The last key is the weightiest.
        "standing": np.lexsort((by_name, size, -released, classes, numbers["level"])),
        "newest": np.lexsort((by_name, -released)),
        "smallest": np.lexsort((by_name, size, size <= 0)),
    }


def _ranks(order: NDArray[np.integer]) -> Ints:
    """Places in an order to the rank of each place."""
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _documents(rows: Iterable[Row], ranks: Mapping[str, Ints]) -> Iterator[Any]:
    from metier.catalog.text import Document

    for place, row in enumerate(rows):
        weighty = row.name_terms + row.key_terms
        yield Document(
            terms=weighty * 3 + row.more_terms * 2 + row.text_terms,
            facets={name: getattr(row, name) for name in ("task", "domain", "licence")},
            base=row.base,
            numbers={"size": row.size, "context": row.context, "released": row.released},
            ranks={order: int(found[place]) for order, found in ranks.items()},
        )


def _files(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    """Every file with its size, and its digest while there is room for reading it again."""
    room = PROVED_BYTES
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".tantivy"):
            size = path.stat().st_size
            room -= size
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if room >= 0 else ""
            yield path.relative_to(folder).as_posix(), [size, digest]


def _prove(folder: Path, files: Mapping[str, Sequence[Any]]) -> None:
    small = sum(size for size, _ in files.values()) <= PROVED_BYTES
    for name, (size, digest) in files.items():
        path = folder / name
        if path.stat().st_size != size:
            raise ValueError(f"{name} has another size")
        if small and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ValueError(f"{name} has other bytes")


def _rename(source: Path, target: Path) -> None:
    """Rename a folder unless the target is there: whoever came first made the same."""
    try:
        source.rename(target)
    except OSError as error:
        if target.is_dir():
            shutil.rmtree(source, ignore_errors=True)
            raise FileExistsError(str(target)) from error
        raise
