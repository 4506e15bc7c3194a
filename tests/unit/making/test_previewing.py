"""Looking at rows: what is found, what is wrong, and never longer than a moment."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import made_up
from metier.making import previewing
from metier.making.asking import Columns
from metier.making.previewing import preview


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_rows_are_told_with_labels_split_leaks_and_time(tmp_path: Path) -> None:
    rows = made_up.rows(20)
    path = made_up.write(tmp_path / "rows.jsonl", [*rows, rows[0]])
    found = preview(path, speed=lambda texts: 0.002)
    assert found["problem"] is None
    assert (found["text"], found["label"], found["group"]) == ("text", "label", None)
    assert (found["rows"], found["whole"], found["format"]) == (81, True, "jsonl")
    assert sum(count for _, count in found["labels"]) == 81
    assert found["head"][0] == {"row": 1, "values": [rows[0]["text"], rows[0]["label"]]}
    division = found["division"]
    assert division["train"] + division["eval"] == 81
    assert found["leaks"]["part"] is False
    assert found["leaks"]["of"] == [division["train"], division["eval"]]
    assert found["expected"]["encoder_ms"] == 2.0
    json.dumps(found, allow_nan=False)


def test_other_columns_change_what_is_found(tmp_path: Path) -> None:
    lines = [{"a": f"a text {n} here", "b": "xy"[n % 2], "c": "pq"[n % 3 > 0]} for n in range(30)]
    path = made_up.write(tmp_path / "rows.jsonl", lines)
    found = preview(path)
    assert found["problem"]["code"] == "ambiguous_columns"
    assert [column["name"] for column in found["columns"]] == ["a", "b", "c"]
    assert found["columns"][1]["different"] == 2
    named = preview(path, columns=Columns("a", "c", None))
    assert named["problem"] is None
    assert dict(map(tuple, named["labels"])) == {"q": 20, "p": 10}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "empty_file"),
        ("header.csv", b"text,label\n", "no_rows"),
        ("one.csv", b"text,label\na b,x\n", "one_class"),
        ("class.csv", b"text,label\n" + b"a b,x\n" * 9, "one_class"),
        ("bytes.csv", bytes(range(256)) * 20, "binary_file"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "binary_file"),
        ("open.csv", b'text,label\n"never closed,x\n' + b"a,b\n" * 5, None),
        ("half.jsonl", b'{"text": "a \\ud800", "label": "x"}\n' * 3, "broken_characters"),
        ("lonely.csv", b"text,label\na,x\nb,x\nc,y\n", "one_example"),
    ],
)
def test_what_stops_a_make_is_said_and_never_raised(
    tmp_path: Path, name: str, content: bytes, code: str | None
) -> None:
    found = preview(written(tmp_path / name, content))
    assert found["problem"] is not None
    assert found["problem"]["remedy"]
    assert code is None or found["problem"]["code"] == code
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()


def test_bad_rows_leave_the_rest_to_be_seen(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.csv", "text,label\na,x\nb,x\n,y\nc,\nd,y\n")
    found = preview(path)
    assert [row["row"] for row in found["problem"]["details"]["problems"]] == [4, 5]
    assert (found["text"], found["label"]) == ("text", "label")
    assert dict(map(tuple, found["labels"])) == {"x": 2, "y": 2}
    assert len(found["head"]) == 5


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_odd_encodings_and_separators_are_read(tmp_path: Path, encoding: str) -> None:
    lines = "".join(f"où est le café numéro {n};{'éa'[n % 2]}\n" for n in range(40))
    found = preview(written(tmp_path / "r.csv", f"Text;Label\n{lines}".encode(encoding)))
    assert found["problem"] is None
    assert found["delimiter"] == ";"
    assert {label for label, _ in found["labels"]} == {"é", "a"}


def test_sealed_rows_of_ones_own_are_used(tmp_path: Path) -> None:
    data = made_up.write(tmp_path / "rows.jsonl", made_up.rows(10))
    sealed = made_up.write(tmp_path / "sealed.jsonl", made_up.rows(3, seed=7))
    found = preview(data, eval_file=sealed)
    assert (found["division"]["train"], found["division"]["eval"]) == (40, 12)
    other = made_up.write(tmp_path / "other.jsonl", [{"text": "x", "label": "strange"}] * 3)
    assert preview(data, eval_file=other)["problem"]["code"] == "unseen_labels"


def test_very_many_rows_are_looked_at_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "MOST_ROWS", 2_000)
    monkeypatch.setattr(previewing, "SCANNED", (500, 100))
    text = "text,label\n" + "".join(f"text number {n},{'ab'[n % 2]}\n" for n in range(200_000))
    path = written(tmp_path / "rows.csv", text + "broken,row,here\n")
    started = time.process_time()
    found = preview(path)
    assert time.process_time() - started < 5
    assert (found["rows"], found["whole"], found["problem"]) == (2_000, False, None)
    assert found["leaks"]["looked_at"] == [500, 100]
    assert found["leaks"]["part"]
