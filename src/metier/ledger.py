"""The ledger: what was measured and decided, in the order it happened, never changed afterwards.

It knows one SQLite file: a table of rows that are chained by hashes and that the database itself
refuses to change, and a table of people's texts that can be erased. It knows nothing of what a
row's body means.

A row's hash is SHA-256 over canonical JSON of its id, kind, subject, digest, date, the SHA-256 of
its body and the hash of the row before it.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from metier.errors import CorruptError, InputError, NotFoundError, StorageError
from metier.manifest import canonical_json
from metier.reference import Digest

Kind = Literal["result", "evidence", "decision", "outcomes", "state", "feedback"]
_KINDS = get_args(Kind)
MAX_BODY_BYTES = 4 << 20
GENESIS = "0" * 64
"""What the first row names as the hash before it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened.

    Attributes:
        id: Its place, from 1 without gaps.
        kind: ``result``, ``evidence``, ``decision``, or of the watch ``outcomes`` (pairs),
            ``state`` and ``feedback``.
        subject: What it is about: a specialist's name.
        digest: Of the document that it records.
        body: Facts, as JSON. No texts of people: those have their own table.
        date: ISO 8601, UTC, seconds.
        previous: Hash of the row before it, 64 hexadecimal digits.
        hash: Its own.
    """

    id: int
    kind: Kind
    subject: str
    digest: Digest
    body: Mapping[str, Any]
    date: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where the ledger is not what was written; ``id`` is a row, or 0 for the file itself."""

    id: int
    what: str


class Ledger:
    """One ledger file; may be shared by threads, and by processes that each open it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path, *, wait: float = 30.0) -> Ledger:
        """Open the file, making it or bringing it to the newest schema where needed.

        Args:
            path: The file; its folder is made.
            wait: Seconds to wait for another process that writes.

        Raises:
            CorruptError: It is no ledger.
            StorageError: It cannot be written, is locked, or a newer version wrote it.
        """
        with _sqlite_errors(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(
                    f"The folder {str(path.parent)!r} cannot be made: {error.strerror}.",
                    code="not_writable",
                    remedy="Set METIER_HOME to a folder that this user may write.",
                ) from error
            connection = sqlite3.connect(
                path, timeout=wait, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA recursive_triggers = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
                _migrate(connection, path)
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    def close(self) -> None:
        """Close the file; using the ledger afterwards is an error."""
        with self._lock:
            self._connection.close()

    def append(
        self,
        kind: Kind,
        subject: str,
        digest: Digest,
        body: Mapping[str, Any],
        *,
        date: str | None = None,
    ) -> Row:
        """Add a row at the end.

        Args:
            kind: What sort of thing it is.
            subject: What it is about.
            digest: Of the document that it records.
            body: JSON-serialisable facts.
            date: ISO 8601; now, if not given.

        Raises:
            InputError: The kind is unknown, or the body is not JSON or over 4 MiB.
            StorageError: The disk is full, or others held the ledger for too long.
        """
        if kind not in _KINDS:
            raise InputError(f"{kind!r} is no kind of row; known are {', '.join(_KINDS)}.")
        text = _body(body)
        when = date or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._changing() as connection:
            last = connection.execute("SELECT id, hash FROM rows ORDER BY id DESC LIMIT 1")
            number, previous = last.fetchone() or (0, GENESIS)
            values = (number + 1, kind, subject, str(digest), text, when, previous)
            connection.execute(
                "INSERT INTO rows (id, kind, subject, digest, body, date, previous, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, _hash(*values)),
            )
        return _row((*values, _hash(*values)))

    def rows(self, kind: Kind | None = None, subject: str | None = None) -> list[Row]:
        """Rows in the order they were added, of one kind or about one subject if given."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT id, kind, subject, digest, body, date, previous, hash FROM rows"
                " WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR subject = ?2) ORDER BY id",
                (kind, subject),
            ).fetchall()
        return [_row(values) for values in found]

    def head(self) -> str:
        """The last row's hash: quoted elsewhere, it fixes everything up to that row."""
        with self._reading() as connection:
            found = connection.execute("SELECT hash FROM rows ORDER BY id DESC LIMIT 1").fetchone()
        return str(found[0]) if found else GENESIS

    def verify_chain(self) -> tuple[Break, ...]:
        """Everything in which the file is not what was written, a cut-off end included."""
        breaks: list[Break] = []
        with self._reading() as connection:
            try:
                for (line,) in connection.execute("PRAGMA integrity_check(20)"):
                    if line != "ok":
                        breaks.append(Break(0, f"SQLite says: {line}"))
                previous, number = GENESIS, 0
                for values in connection.execute(
                    "SELECT id, kind, subject, digest, body, date, previous, hash FROM rows"
                    " ORDER BY id"
                ):
                    number += 1
                    breaks.extend(_breaks(values, number, previous))
                    number, previous = values[0], values[7]
                (last,) = connection.execute("SELECT last FROM length").fetchone() or (0,)
            except sqlite3.DatabaseError as error:
                return (*breaks, Break(0, f"SQLite says: {error}"))
        if last != number:
            breaks.append(Break(number, f"{last - number} rows are missing after row {number}."))
        return tuple(breaks)

    def remember_text(self, subject: str, text: str) -> str:
        """Keep a text of a person where it can be erased.

        Returns:
            A random name for it, for a row's body; it says nothing about the text.
        """
        name = f"text:{secrets.token_hex(16)}"
        with self._changing() as connection:
            connection.execute(
                "INSERT INTO texts (name, subject, text) VALUES (?, ?, ?)", (name, subject, text)
            )
        return name

    def text(self, name: str) -> str:
        """A text that is kept; NotFoundError (code ``text_not_found``) if it was erased."""
        with self._reading() as connection:
            found = connection.execute("SELECT text FROM texts WHERE name = ?", (name,)).fetchone()
        if found is None:
            raise NotFoundError(
                f"The text {name!r} is not kept, or not any more.", code="text_not_found"
            )
        return str(found[0])

    def erase_texts(self, subject: str | None = None) -> int:
        """Erase the texts about ``subject``, or all of them, from the file too; how many."""
        with self._changing() as connection:
            done = connection.execute(
                "DELETE FROM texts WHERE ?1 IS NULL OR subject = ?1", (subject,)
            )
            count = done.rowcount
        with self._reading() as connection:
            # Else the old pages would stay readable in the write-ahead log.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return count

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _sqlite_errors(self._path):
            yield self._connection

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection, _transaction(connection):
            yield connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


_FIRST_SCHEMA = """
CREATE TABLE rows (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL,
  body TEXT NOT NULL, date TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;

CREATE INDEX rows_by_subject ON rows (subject, kind);

CREATE TABLE length (last INTEGER NOT NULL) STRICT;

INSERT INTO length VALUES (0);

CREATE TABLE texts (name TEXT PRIMARY KEY, subject TEXT NOT NULL, text TEXT NOT NULL) STRICT;

CREATE INDEX texts_by_subject ON texts (subject);

CREATE TRIGGER rows_never_change BEFORE UPDATE ON rows BEGIN
  SELECT RAISE(ABORT, 'the ledger only grows');
END;

CREATE TRIGGER rows_never_go BEFORE DELETE ON rows BEGIN
  SELECT RAISE(ABORT, 'the ledger only grows');
END;

CREATE TRIGGER rows_follow BEFORE INSERT ON rows
WHEN NEW.id IS NOT (SELECT last + 1 FROM length)
  OR NEW.previous IS NOT
    ifnull((SELECT hash FROM rows ORDER BY id DESC LIMIT 1), printf('%064d', 0)) BEGIN
  SELECT RAISE(ABORT, 'a row must follow the last one');
END;

CREATE TRIGGER rows_count AFTER INSERT ON rows BEGIN
  UPDATE length SET last = NEW.id;
END;
"""
"""Rows that only grow, the count that shows a cut-off end, and texts that can go."""


def _first_schema(connection: sqlite3.Connection) -> None:
    # Statement by statement, because executescript would end the transaction.
    for statement in _FIRST_SCHEMA.strip().split("\n\n"):
        connection.execute(statement)


_MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first_schema,)
"""Number n (from 1) brings schema n - 1 to schema n."""


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    newest = len(_MIGRATIONS)
    if _version(connection) == newest:
        return
    with _transaction(connection):
        # Read again: another process may have done it while we waited.
        version = _version(connection)
        if version > newest:
            raise StorageError(
                f"The ledger {str(path)!r} has schema {version}; this version reads {newest}.",
                code="newer_ledger",
                remedy="Upgrade Metier, or set METIER_HOME to another folder.",
            )
        for number in range(version, newest):
            _MIGRATIONS[number](connection)
        connection.execute(f"PRAGMA user_version = {newest}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _body(body: Mapping[str, Any]) -> str:
    try:
        data = canonical_json(dict(body))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"A row's body is not JSON: {error}.", code="bad_body") from error
    if len(data) > MAX_BODY_BYTES:
        raise InputError(f"A row's body is longer than {MAX_BODY_BYTES} bytes.", code="bad_body")
    return data.decode("utf-8")


def _hash(
    number: int, kind: str, subject: str, digest: str, body: str, date: str, previous: str
) -> str:
    chained = {
        "id": number,
        "kind": kind,
        "subject": subject,
        "digest": digest,
        "body": Digest.of(body.encode()).hex,
        "date": date,
        "previous": previous,
    }
    return Digest.of(canonical_json(chained)).hex


def _breaks(values: tuple[Any, ...], number: int, previous: str) -> Iterator[Break]:
    found = values[0]
    if found != number:
        yield Break(found, f"Row {found} stands where row {number} belongs.")
    if values[6] != previous:
        yield Break(found, f"Row {found} does not follow the row before it.")
    if values[7] != _hash(*values[:7]):
        yield Break(found, f"Row {found} does not have its hash any more.")


def _row(values: tuple[Any, ...]) -> Row:
    number, kind, subject, digest, body, date, previous, own = values
    try:
        return Row(
            number, kind, subject, Digest.parse(digest), json.loads(body), date, previous, own
        )
    except (InputError, ValueError, RecursionError) as error:
        raise CorruptError(
            f"Row {number} of the ledger cannot be read.",
            code="corrupt_ledger",
            remedy="Restore the ledger from a copy, or move it away to start a new one.",
        ) from error


@contextmanager
def _sqlite_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, path) from error


def _translate(error: sqlite3.Error, path: Path) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    message = f"The ledger {str(path)!r} failed: {error}."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(
            message,
            code="locked",
            remedy="Wait until the other process has written, then do it again.",
            retryable=True,
        )
    if code == sqlite3.SQLITE_FULL:
        return StorageError(
            message, code="disk_full", remedy="Free some space and do it again.", retryable=True
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StorageError(
            message,
            code="not_writable",
            remedy="Give this user the right to write there, or set METIER_HOME to another folder.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptError(
            message,
            code="corrupt_ledger",
            remedy="Restore the ledger from a copy, or move it away to start a new one.",
        )
    return StorageError(message, remedy="Check the disk; the system's log may say more.")
