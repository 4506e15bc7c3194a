"""The journal's file; test_running.py and test_executing.py test what stands in it."""

from pathlib import Path

import pytest

from metier.errors import CorruptError, StorageError
from metier.evals.journal import append, journal_line, locked, whole_lines


def test_whole_lines_and_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with locked(path) as file:
        append(file, path, {"b": "\r\u2028", "a": 1})
        append(file, path, {"c": 2})
    with path.open("ab") as torn:
        torn.write(b'{"d":')
    with locked(path) as file:
        lines = whole_lines(file)
        assert [journal_line(path, 1, line) for line in lines] == [
            {"a": 1, "b": "\r\u2028"},
            {"c": 2},
        ]
        append(file, path, {"e": 3})
    assert path.read_bytes().endswith(b'{"c":2}\n{"e":3}\n')


def test_one_process_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with locked(path), pytest.raises(StorageError) as caught, locked(path):
        pass
    assert caught.value.code == "journal_busy"
    with pytest.raises(StorageError), locked(tmp_path / "none" / "journal"):
        pass


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff"])
def test_a_line_that_was_not_written_so(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(CorruptError) as caught:
        journal_line(tmp_path / "journal", 7, line)
    assert "line 7" in caught.value.message
