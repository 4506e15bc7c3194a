from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.coding import SourceFile
from metier.tools.python import checking
from metier.tools.python.checking import MOST_CHARACTERS, Reader


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def test_files_are_checked_each_by_itself(reader: Reader) -> None:
    files = [
        SourceFile("a.py", "x = 1\n"),
        SourceFile("b.py", "def f(:\n"),
        SourceFile("notes.md", "def f(:\n"),
    ]
    found = reader.check(files)
    assert not found.ok
    assert [(one.path, one.line) for one in found.diagnostics] == [("b.py", 1)]
    assert found.diagnostics[0].explanation
    assert reader.check(files[:1]).ok


HOSTILE = {
    "a megabyte": "x = 1\n" * 160_000,
    "zero bytes": "x = 1\0\n",
    "half a character": "x = '\udfff'",
    "brackets": "(" * 900_000,
    "deep": "x=" + "-" * 500_000 + "1",
    "attributes": "x=a" + ".b" * 300_000,
    "an import": "__import__('os').system('touch /tmp/executed-by-check')\n",
    "tabs": "\t" * 900_000,
    "only a fence": "```",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_read_and_never_executed(reader: Reader, name: str) -> None:
    found = reader.check([SourceFile("a.py", HOSTILE[name])])
    assert all(one.message for one in found.diagnostics)
    assert not Path("/tmp/executed-by-check").exists()
    assert reader.check([SourceFile("a.py", "x = 1\n")]).ok


def test_a_text_that_takes_too_long_is_given_up(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SECONDS_A_FILE", 0.5)
    found = reader.check([SourceFile("a.py", "import " + ".".join(["a"] * 200_000))])
    assert [one.code for one in found.diagnostics] == ["too_slow"]
    monkeypatch.undo()
    assert reader.check([SourceFile("a.py", "x = 1\n")]).ok


def test_a_text_that_is_too_long_is_not_read(reader: Reader) -> None:
    found = reader.check([SourceFile("a.py", "#" * (MOST_CHARACTERS + 1))])
    assert [one.code for one in found.diagnostics] == ["file_too_large"]


def test_it_starts_again_after_it_was_closed() -> None:
    reader = Reader()
    assert reader.check([SourceFile("a.py", "x = 1\n")]).ok
    reader.close()
    assert reader.check([SourceFile("a.py", "x = 1\n")]).ok
    reader.close()
    reader.close()
