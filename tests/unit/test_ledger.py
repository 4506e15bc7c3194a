"""The ledger only grows, notices every change, and forgets people's texts when told to."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metier.errors import CorruptError, InputError, NotFoundError, StorageError
from metier.ledger import GENESIS, Ledger
from metier.reference import Digest

DIGEST = Digest.of(b"a result")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger.sqlite"


@pytest.fixture
def ledger(file: Path) -> Iterator[Ledger]:
    opened = Ledger.open(file)
    yield opened
    opened.close()


def tamper(file: Path, *statements: str) -> None:
    """Change the file behind the ledger's back, triggers taken away."""
    connection = sqlite3.connect(file)
    for name in ("rows_never_change", "rows_never_go", "rows_follow", "rows_count"):
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_rows_come_back_as_they_went_in(ledger: Ledger) -> None:
    first = ledger.append("result", "a", DIGEST, {"accuracy": 0.5}, date="2026-01-01T00:00:00Z")
    second = ledger.append("evidence", "b", DIGEST, {"größe": [1, None]})
    third = ledger.append("decision", "a", DIGEST, {})
    assert ledger.rows() == [first, second, third]
    assert ledger.rows("evidence") == [second]
    assert ledger.rows(subject="a") == [first, third]
    assert ledger.rows("decision", "a") == [third]
    assert ledger.rows("decision", "b") == []
    assert [row.id for row in ledger.rows()] == [1, 2, 3]
    assert first.previous == GENESIS
    assert second.previous == first.hash
    assert ledger.head() == third.hash
    assert ledger.verify_chain() == ()


def test_an_empty_ledger_is_sound(ledger: Ledger) -> None:
    assert ledger.head() == GENESIS
    assert ledger.verify_chain() == ()


def test_rows_survive_closing(file: Path) -> None:
    first = Ledger.open(file)
    row = first.append("result", "a", DIGEST, {"n": 1})
    first.close()
    again = Ledger.open(file)
    assert again.rows() == [row]
    again.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rows SET body = '{}'",
        "DELETE FROM rows",
        (
            "INSERT OR REPLACE INTO rows SELECT 1, kind, subject, digest, 'x', date, previous, hash"
            " FROM rows"
        ),
        "INSERT INTO rows SELECT 9, kind, subject, digest, body, date, hash, hash FROM rows",
        "INSERT INTO rows SELECT 2, kind, subject, digest, body, date, previous, hash FROM rows",
    ],
)
def test_the_database_itself_refuses_changes(ledger: Ledger, file: Path, statement: str) -> None:
    ledger.append("result", "a", DIGEST, {})
    stranger = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match=r"only grows|must follow"):
        stranger.execute(statement)
    stranger.close()
    assert ledger.verify_chain() == ()


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE rows SET body = '{\"n\":9}' WHERE id = 2", 2),
        ("UPDATE rows SET subject = 'z' WHERE id = 1", 1),
        ("UPDATE rows SET kind = 'decision' WHERE id = 3", 3),
        ("UPDATE rows SET date = '2020' WHERE id = 3", 3),
        (f"UPDATE rows SET digest = '{Digest.of(b'x')}' WHERE id = 2", 2),
        ("UPDATE rows SET hash = previous WHERE id = 2", 2),
        ("UPDATE rows SET previous = hash WHERE id = 2", 2),
        ("DELETE FROM rows WHERE id = 2", 3),
        ("DELETE FROM rows WHERE id = 3", 2),
        ("DELETE FROM rows", 0),
        ("DELETE FROM length", 3),
    ],
)
def test_every_change_behind_its_back_is_noticed(
    ledger: Ledger, file: Path, statement: str, row: int
) -> None:
    for number in range(3):
        ledger.append("result", "a", DIGEST, {"n": number})
    tamper(file, statement)
    assert row in {found.id for found in ledger.verify_chain()}


def test_a_flipped_byte_of_the_file_is_noticed(file: Path) -> None:
    ledger = Ledger.open(file)
    ledger.append("result", "a", DIGEST, {"text": "x" * 200})
    ledger.close()
    data = file.read_bytes()
    at = data.index(b"x" * 100)
    file.write_bytes(data[:at] + b"y" + data[at + 1 :])
    again = Ledger.open(file)
    assert again.verify_chain()
    again.close()


def test_an_unreadable_row_is_a_clear_error(ledger: Ledger, file: Path) -> None:
    ledger.append("result", "a", DIGEST, {})
    tamper(file, "UPDATE rows SET body = 'not json'")
    with pytest.raises(CorruptError) as caught:
        ledger.rows()
    assert caught.value.code == "corrupt_ledger"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(
        st.dictionaries(
            st.text(max_size=5),
            st.recursive(
                st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=9),
                lambda inner: st.lists(inner, max_size=3),
                max_leaves=5,
            ),
            max_size=4,
        ),
        max_size=5,
    )
)
def test_any_bodies_make_a_sound_chain(ledger: Ledger, bodies: list[dict[str, object]]) -> None:
    before = len(ledger.rows())
    for body in bodies:
        ledger.append("result", "a", DIGEST, body)
    assert [row.body for row in ledger.rows()][before:] == bodies
    assert ledger.verify_chain() == ()


def test_what_cannot_be_a_row_is_refused(ledger: Ledger) -> None:
    for body in ({"x": float("nan")}, {"x": b""}, {"x": "y" * (5 << 20)}):
        with pytest.raises(InputError) as caught:
            ledger.append("result", "a", DIGEST, body)
        assert caught.value.code == "bad_body"
    with pytest.raises(InputError, match="no kind"):
        ledger.append("rumour", "a", DIGEST, {})  # type: ignore[arg-type]
    assert ledger.rows() == []


def test_texts_are_kept_apart_and_can_be_erased(ledger: Ledger, file: Path) -> None:
    secret = "my card number is 4929 1234 5678"
    name = ledger.remember_text("a", secret)
    other = ledger.remember_text("b", "keep me")
    row = ledger.append("decision", "a", DIGEST, {"text": name})
    assert ledger.text(name) == secret
    assert ledger.erase_texts("a") == 1
    with pytest.raises(NotFoundError) as caught:
        ledger.text(name)
    assert caught.value.code == "text_not_found"
    assert ledger.text(other) == "keep me"
    assert ledger.rows() == [row]
    assert ledger.verify_chain() == ()
    for path in file.parent.iterdir():
        assert secret.encode() not in path.read_bytes()
    assert ledger.erase_texts() == 1


def test_equal_texts_have_unlike_names(ledger: Ledger) -> None:
    """A digest of a short text would let anybody guess it."""
    assert ledger.remember_text("a", "yes") != ledger.remember_text("a", "yes")


PROGRAM = """
import sys
from pathlib import Path
from metier.ledger import Ledger
from metier.reference import Digest
ledger = Ledger.open(Path(sys.argv[1]))
for number in range(25):
    ledger.append("result", sys.argv[2], Digest.of(b"x"), {"n": number})
ledger.close()
"""


def test_processes_at_once_make_one_chain(file: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(file), f"p{number}"])
        for number in range(3)
    ]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    ledger = Ledger.open(file)
    assert len(ledger.rows()) == 75
    for number in range(3):
        assert [row.body["n"] for row in ledger.rows(subject=f"p{number}")] == list(range(25))
    assert ledger.verify_chain() == ()
    ledger.close()


def test_a_locked_ledger_says_so(ledger: Ledger, file: Path) -> None:
    stranger = sqlite3.connect(file, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    hasty = Ledger.open(file, wait=0.05)
    with pytest.raises(StorageError) as caught:
        hasty.append("result", "a", DIGEST, {})
    assert caught.value.code == "locked"
    assert caught.value.retryable
    stranger.execute("ROLLBACK")
    stranger.close()
    hasty.append("result", "a", DIGEST, {})
    hasty.close()


def test_a_full_database_rolls_back(ledger: Ledger) -> None:
    ledger.append("result", "a", DIGEST, {})
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError) as caught:
        ledger.append("result", "a", DIGEST, {"x": "y" * 100_000})
    assert caught.value.code == "disk_full"
    ledger._connection.execute("PRAGMA max_page_count = 100000")
    ledger.append("result", "a", DIGEST, {"x": "y" * 100_000})
    assert len(ledger.rows()) == 2
    assert ledger.verify_chain() == ()


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "l.sqlite"
    file.write_bytes(b"this is not a database at all, whatever its name says" * 50)
    with pytest.raises(CorruptError) as caught:
        Ledger.open(file)
    assert caught.value.code == "corrupt_ledger"
    with pytest.raises(StorageError) as other:
        Ledger.open(tmp_path)
    assert other.value.code == "not_writable"
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(StorageError) as third:
        Ledger.open(blocked / "l.sqlite")
    assert third.value.code == "not_writable"


def test_a_newer_schema_is_left_alone(file: Path) -> None:
    Ledger.open(file).close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError) as caught:
        Ledger.open(file)
    assert caught.value.code == "newer_ledger"


def test_a_closed_ledger_is_an_error_of_ours(file: Path) -> None:
    ledger = Ledger.open(file)
    ledger.close()
    with pytest.raises(StorageError) as caught:
        ledger.rows()
    assert caught.value.code == "storage"
