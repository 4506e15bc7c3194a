"""Files, findings and passages as JSON."""

from __future__ import annotations

import pytest

from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage, Reply
from metier.errors import InputError
from metier.server import codework

FILE = {"path": "a.py", "text": "x = 1"}
WRONG = Diagnostic("syntax_error", "no", path="a.py", line=2, column=3)
PASSAGE = Passage("a#b", "text", "A", ("A", "B"), "a.md", "notes", version="1", score=0.5)


def test_files_are_read() -> None:
    asked = codework.parse_files({"model": "coder", "files": [FILE]})
    assert asked.model == "coder"
    assert asked.files == (SourceFile("a.py", "x = 1"),)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"files": []}, "files"),
        ({"files": "x"}, "files"),
        ({"files": [FILE, FILE]}, "files"),
        ({"files": [FILE] * (codework.MOST_FILES + 1)}, "files"),
        ({"files": ["x"]}, "files[0].path"),
        ({"files": [{"path": "p" * 500, "text": ""}]}, "files[0].path"),
        ({"files": [{"path": "a", "text": 1}]}, "files[0].text"),
        ({"files": [{"path": "a", "text": "x" * 1_000_001}]}, "files[0].text"),
    ],
)
def test_wrong_files_are_refused_with_the_field(change, param) -> None:
    with pytest.raises(InputError) as caught:
        codework.parse_files({"model": "coder", "files": [FILE], **change})
    assert caught.value.details["param"] == param


@pytest.mark.parametrize(
    ("change", "param"),
    [({"query": " "}, "query"), ({"query": "x" * 20_000}, "query"), ({"top": 0}, "top")],
)
def test_wrong_searches_are_refused_with_the_field(change, param) -> None:
    with pytest.raises(InputError) as caught:
        codework.parse_search({"model": "notes", "query": "loops", **change})
    assert caught.value.details["param"] == param


def test_a_search_asks_for_five_passages_by_itself() -> None:
    assert codework.parse_search({"model": "notes", "query": "loops"}).top == 5


def test_findings_are_written_with_their_place() -> None:
    body = codework.checked(Checked(False, (WRONG,), 0.25))
    assert body["ok"] is False
    assert body["diagnostics"] == [
        {
            "code": "syntax_error",
            "message": "no",
            "severity": "error",
            "path": "a.py",
            "line": 2,
            "column": 3,
        }
    ]


def test_findings_are_explained_with_passages() -> None:
    body = codework.explained([(WRONG, (PASSAGE,))])
    assert body["ok"] is False
    assert body["diagnostics"][0]["passages"][0]["trail"] == ["A", "B"]


def test_repairs_are_written_with_what_they_did() -> None:
    files = (SourceFile("a.py", "x"),)

    def never(name: str, files: object) -> Checked:
        raise AssertionError("a mended file was checked already")

    after = Mended((SourceFile("a.py", "y"),), (("rule", "Wrote y."),), Checked(True))
    body = codework.mended(files, after, never, "coder")
    assert body["applied"] == [{"rule": "rule", "did": "Wrote y."}]
    assert body["files"] == [{"path": "a.py", "text": "y"}]
    assert body["ok"] is True


def test_without_a_repair_the_files_come_back_with_their_findings() -> None:
    files = (SourceFile("a.py", "x"),)
    body = codework.mended(files, None, lambda name, given: Checked(False, (WRONG,)), "coder")
    assert body["applied"] == []
    assert body["files"] == [{"path": "a.py", "text": "x"}]
    assert body["ok"] is False


def test_a_reply_carries_the_passages_whole() -> None:
    body = codework.reply(Reply("text", passages=(PASSAGE,), tokens_in=1, tokens_out=2))
    assert body["passages"][0]["text"] == "text"
    assert body["usage"]["total_tokens"] == 3
    assert body["tool_calls"] == []
