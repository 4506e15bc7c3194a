"""The truth of the catalogue: one SQLite file with every entry of every origin.

It knows rows: what an entry is, what it is filtered by, which terms it is found by. An index over
them can be thrown away and built again at any time; the file itself can be filled again from what
is installed and from the catalogues, so a damaged one is put aside.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metier.catalog.standing import level_of, size_class, verdicts_of
from metier.catalog.words import fold, terms
from metier.errors import CorruptError, StorageError
from metier.finding import Entry
from metier.manifest import canonical_json

SCHEMA = 1
_LOT = 400
_FIELDS = (
    "id, name, task, domain, licence, base, size, context, released, verdicts, level,"
    " name_terms, key_terms, more_terms, text_terms"
)
_TASKS = {
    "chat": "assistant",
    "classify": "classification classifier",
    "classify-image": "image classification classifier pictures",
    "complete": "completion",
    "describe-image": "image description captions vision pictures",
    "embed": "embedding embeddings vectors",
    "entities": "entity recognition NER",
    "extract": "extraction extractor",
    "rerank": "reranking reranker",
    "search": "retrieval",
}
"""What people call the tasks."""
_AT = "instr(body, '\"languages\":[')"
_LANGUAGES = f"iif({_AT}, substr(body, {_AT} + 12, 300), '')"
"""Read off the canonical text: parsing the whole of every row would cost a third of a search."""
_BY_IDS = f"SELECT {_FIELDS}, {_LANGUAGES} FROM entries WHERE id IN"  # noqa: S608  constants of ours
_CREATE = """
CREATE TABLE IF NOT EXISTS origins (
  name TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL, count INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL, name TEXT NOT NULL,
  digest BLOB NOT NULL, body TEXT NOT NULL, facts TEXT NOT NULL, hidden INTEGER NOT NULL,
  task TEXT NOT NULL, domain TEXT NOT NULL, licence TEXT NOT NULL, base TEXT NOT NULL,
  size INTEGER NOT NULL, context INTEGER NOT NULL, released INTEGER NOT NULL,
  verdicts INTEGER NOT NULL, level INTEGER NOT NULL,
  name_terms TEXT NOT NULL, key_terms TEXT NOT NULL, more_terms TEXT NOT NULL,
  text_terms TEXT NOT NULL,
  UNIQUE (origin, name)
) STRICT;

CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Fresh:
    """An entry to keep, with what is known of it here.

    Attributes:
        entry: It.
        facts: JSON-serialisable: under which name it is installed, its system's digest …
        hidden: Whether another entry stands for it: it is named, but not found.
    """

    entry: Entry
    facts: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What an entry is filtered, ordered and found by; texts are folded, 0 is "not known"."""

    id: int
    name: str
    task: str
    domain: str
    licence: str
    base: str
    size: int
    context: int
    released: int
    verdicts: int
    level: int
    name_terms: str
    key_terms: str
    more_terms: str
    text_terms: str
    languages: str = ""
    """A JSON list and what follows it; read only with the rows that are ranked."""

    @property
    def size_class(self) -> int:
        """See ``standing.size_class``."""
        return size_class(self.size)


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is kept."""

    id: int
    origin: str
    entry: Entry
    facts: Mapping[str, Any]


class Records:
    """One file; threads may share it, and processes that each open it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, writable: bool = True) -> None:
        self.writable = writable
        self._connection = connection
        self._path = path
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Records:
        """Open or make the file; one that is damaged or of another version is put aside first.

        One that is there and may not be written is opened to read.

        Raises:
            StorageError: It cannot be made or read.
        """
        with _errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not os.access(path.parent, os.W_OK):
                return cls(_connect_to_read(path), path, False)
            try:
                return cls(_connect(path), path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) and "disk" in str(error):
                    raise
                put_aside(path)
                return cls(_connect(path), path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def origins(self) -> dict[str, tuple[str, str, int]]:
        """By origin: the stamp of its source, the digest of its rows, and how many are found."""
        with self._reading() as connection:
            rows = connection.execute("SELECT name, stamp, digest, count FROM origins").fetchall()
        return {name: (stamp, digest, count) for name, stamp, digest, count in rows}

    def replace(self, origin: str, stamp: str, fresh: Iterable[Fresh]) -> None:
        """Make the entries of an origin these; what did not change keeps its id.

        Args:
            origin: ``here``, ``curated`` or a catalogue's name.
            stamp: What says that its source has not changed since.
            fresh: All of its entries; of two with one name the last counts.
        """
        with self._changing() as connection:
            known: dict[str, bytes | None] = dict(
                connection.execute("SELECT name, digest FROM entries WHERE origin = ?", (origin,))
            )
            connection.executemany(
                "INSERT OR REPLACE INTO entries (origin, name, digest, body, facts, hidden, task,"
                " domain, licence, base, size, context, released, verdicts, level, name_terms,"
                " key_terms, more_terms, text_terms) VALUES"
                " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _changed(origin, fresh, known),
            )
            connection.executemany(
                "DELETE FROM entries WHERE origin = ? AND name = ?",
                [(origin, name) for name, digest in known.items() if digest is not None],
            )
            self._seal(connection, origin, stamp)

    def remove(self, origin: str) -> None:
        """Forget an origin."""
        with self._changing() as connection:
            connection.execute("DELETE FROM entries WHERE origin = ?", (origin,))
            connection.execute("DELETE FROM origins WHERE name = ?", (origin,))

    @contextmanager
    def snapshot(self, origin: str) -> Iterator[tuple[str, Callable[[], Iterator[Row]]]]:
        """The digest of an origin and its rows in the order of ids, of one moment.

        The rows can be gone through more than once; others may write meanwhile.
        """
        with _errors(self._path):
            connection = _connect(self._path) if self.writable else _connect_to_read(self._path)
        try:
            connection.execute("BEGIN")
            found = connection.execute("SELECT digest FROM origins WHERE name = ?", (origin,))
            digest = (found.fetchone() or ("",))[0]

            def rows() -> Iterator[Row]:
                for values in connection.execute(
                    f"SELECT {_FIELDS} FROM entries"  # noqa: S608  a constant of ours
                    " WHERE origin = ? AND NOT hidden ORDER BY id",
                    (origin,),
                ):
                    yield Row(*values)

            yield digest, rows
        finally:
            connection.close()

    def texts(self, origin: str) -> Iterator[tuple[int, str]]:
        """Id and what an encoder reads of each entry that is found, in the order of ids."""
        with self.snapshot(origin) as (_, rows):
            for lot in batched((row.id for row in rows()), _LOT):
                kept = self.kept(lot)
                for identity in lot:
                    if identity in kept:
                        yield identity, meant_text(kept[identity].entry)

    def rows_of(self, ids: Sequence[int]) -> dict[int, Row]:
        """Rows by id; those that are gone are left out."""
        return {values[0]: Row(*values) for values in self._by_ids(_BY_IDS, ids)}

    def kept(self, ids: Sequence[int]) -> dict[int, Kept]:
        """Entries by id; those that are gone are left out."""
        found = self._by_ids("SELECT id, origin, body, facts FROM entries WHERE id IN", ids)
        return {values[0]: _kept(values) for values in found}

    def named(self, origin: str, name: str) -> Kept | None:
        """One entry, hidden ones too."""
        with self._reading() as connection:
            values = connection.execute(
                "SELECT id, origin, body, facts FROM entries WHERE origin = ? AND name = ?",
                (origin, name),
            ).fetchone()
        return _kept(values) if values else None

    def ids_of(self, names: Sequence[str], *, but: str) -> dict[str, list[int]]:
        """Ids of entries with these names, case ignored, in other origins than ``but``."""
        found: dict[str, list[int]] = {}
        with self._reading() as connection:
            for name in names:
                rows = connection.execute(
                    "SELECT id FROM entries WHERE name = ? COLLATE NOCASE AND origin <> ?",
                    (name, but),
                ).fetchall()
                found[name] = [identity for (identity,) in rows]
        return found

    def names(self, origin: str, *, like: str, most: int = 2000) -> list[str]:
        """Names of an origin that might be meant by ``like``: all of a small one."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT name FROM entries WHERE origin = ?"
                " ORDER BY lower(substr(name, 1, 2)) <> lower(substr(?, 1, 2)) LIMIT ?",
                (origin, like[:200], most),
            ).fetchall()
        return [name for (name,) in rows]

    def facts(self, origin: str, fact: str) -> list[tuple[int, str, str]]:
        """Id, name and one fact, "" where there is none, of every entry that has facts."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT id, name, ifnull(json_extract(facts, ?), '') FROM entries"
                " WHERE origin = ? AND facts <> '{}'",
                (f"$.{fact}", origin),
            ).fetchall()
        return [(identity, name, str(value)) for identity, name, value in rows]

    def all_facts(self, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """By id, the facts of some entries."""
        rows = self._by_ids("SELECT id, facts FROM entries WHERE id IN", ids)
        return {identity: json.loads(facts) for identity, facts in rows}

    def shown(self, field: str, folded: str) -> str:
        """How an entry writes the value of a filter that is kept folded."""
        if field not in ("task", "domain", "licence") or not folded:
            return folded
        with self._reading() as connection:
            row = connection.execute(
                f"SELECT json_extract(body, '$.{field}') FROM entries"  # noqa: S608  one of three
                f" WHERE {field} = ? LIMIT 1",
                (folded,),
            ).fetchone()
        return str(row[0]) if row and row[0] is not None else folded

    def note(self, name: str) -> str | None:
        """Something small that was kept under a name."""
        with self._reading() as connection:
            row = connection.execute("SELECT body FROM notes WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def keep_note(self, name: str, body: str) -> None:
        """Keep something small that can be computed again."""
        with self._changing() as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, body))

    def _by_ids(self, select: str, ids: Sequence[int]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        with self._reading() as connection:
            for start in range(0, len(ids), _LOT):
                lot = list(ids[start : start + _LOT])
                marks = ",".join("?" * len(lot))
                found.extend(connection.execute(f"{select} ({marks})", lot).fetchall())
        return found

    def _seal(self, connection: sqlite3.Connection, origin: str, stamp: str) -> None:
        """The digest of an origin's rows: equal rows under equal ids, equal digest."""
        hasher = hashlib.sha256()
        count = 0
        for identity, digest, hidden in connection.execute(
            "SELECT id, digest, hidden FROM entries WHERE origin = ? ORDER BY id", (origin,)
        ):
            hasher.update(b"%d %d " % (identity, hidden) + digest)
            count += not hidden
        connection.execute(
            "INSERT OR REPLACE INTO origins VALUES (?, ?, ?, ?)",
            (origin, stamp, hasher.hexdigest(), count),
        )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _errors(self._path):
            yield self._connection

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _changed(
    origin: str, fresh: Iterable[Fresh], known: dict[str, bytes | None]
) -> Iterator[tuple[Any, ...]]:
    """The rows of what is new or changed; ``known`` loses what is still there."""
    for one in fresh:
        entry = one.entry
        body = entry.to_bytes()
        facts = canonical_json(dict(one.facts))
        digest = hashlib.sha256(body + b"\0" + facts + (b"h" if one.hidden else b"")).digest()[:16]
        before = known.get(entry.name)
        known[entry.name] = None
        if before != digest:
            yield (
                origin,
                entry.name,
                digest,
                body.decode(),
                facts.decode(),
                int(one.hidden),
                *_columns(entry),
                *_terms(entry),
            )


def _columns(entry: Entry) -> tuple[Any, ...]:
    return (
        fold(entry.task),
        fold(entry.domain),
        fold(entry.licence or ""),
        fold(entry.base or ""),
        entry.size_bytes or 0,
        entry.context or 0,
        day_number(entry.released or ""),
        verdicts_of(entry.evidence),
        level_of(entry.evidence),
    )


def _terms(entry: Entry) -> tuple[str, str, str, str]:
    """The terms of its name; of task and domain; of further key words; of its description."""
    more = "\n".join((*entry.also, *entry.languages, entry.base or ""))
    keys = f"{entry.task}\n{entry.domain}\n{_TASKS.get(fold(entry.task), '')}"
    return _line(entry.name), _line(keys), _line(more), _line(entry.description)


def _line(text: str) -> str:
    """Terms once each, then the stems that differ from them."""
    from metier.catalog.text import stems

    found = list(dict.fromkeys(terms(text)))
    return f" {' '.join((*found, *stems(found)))} " if found else " "


def batched(ids: Iterable[int], most: int) -> Iterator[list[int]]:
    """Lots of at most so many."""
    lot: list[int] = []
    for identity in ids:
        lot.append(identity)
        if len(lot) >= most:
            yield lot
            lot = []
    if lot:
        yield lot


def meant_text(entry: Entry) -> str:
    """What an encoder reads of an entry: its name in words, its sentence, its key words."""
    name = entry.name.rpartition("/")[2].replace("-", " ").replace("_", " ")
    keys = ", ".join(entry.also[:12])
    return f"{name}. {entry.description[:600]} {entry.task}, {entry.domain}. {keys}"[:1000]


def day_number(day: str) -> int:
    """``2026-01-31`` as 20260131, ``2026-01`` as 20260100; 0 for anything else."""
    digits = day[:10].replace("-", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) in (4, 6, 8)):
        return 0
    return int(digits.ljust(8, "0"))


def put_aside(path: Path) -> None:
    """Move a file that SQLite cannot read out of the way, with its log."""
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.replace(path.with_name(f"{path.name}.damaged{suffix}"))


def _kept(values: tuple[Any, ...]) -> Kept:
    identity, origin, body, facts = values
    try:
        return Kept(identity, origin, Entry.model_validate_json(body), json.loads(facts))
    except ValueError as error:
        raise CorruptError(
            f"An entry of {origin!r} cannot be read: it is of another version.", code="bad_records"
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA trusted_schema = OFF")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, SCHEMA):
            raise sqlite3.DatabaseError(f"schema {version}")
        if version == 0:
            connection.executescript(_CREATE)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Of a folder that may not be written: no log is opened beside it; a closed file has none."""
    where = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version != SCHEMA:
            raise sqlite3.OperationalError(f"it is of version {version} and may not be written")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # busy, full, closed: no damage
            raise _unusable(path, error) from error
        raise CorruptError(
            f"The catalogue's file {str(path)!r} is damaged: {error}.", code="bad_records"
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"The catalogue's file {str(path)!r} cannot be used: {error}.",
        code="catalogue_storage",
        remedy=f"Free disk space, or remove the folder {str(path.parent)!r}: it is made again.",
        retryable=True,
    )
