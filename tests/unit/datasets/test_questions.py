"""What a file of examples is: labels or answers, and which rows are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metier.datasets.questions import Sheet, read_sheet
from metier.errors import InputError


def sheet(tmp_path: Path, rows: list[dict[str, Any]], name: str = "mine.jsonl") -> Sheet:
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return read_sheet(path)


def test_texts_with_labels(tmp_path: Path) -> None:
    found = sheet(tmp_path, [{"text": f"t{n}", "label": "ab"[n % 2]} for n in range(10)])
    assert (found.kind, found.question, found.answer) == ("labels", "text", "label")
    assert found.labels == ("a", "b")
    assert found.to_dict()["rows"] == 10


@pytest.mark.parametrize("question", ["question", "prompt", "instruction"])
def test_questions_with_answers(tmp_path: Path, question: str) -> None:
    found = sheet(tmp_path, [{question: f"{n} + 1?", "answer": n + 1} for n in range(8)])
    assert (found.kind, found.question, found.answer) == ("answers", question, "answer")
    assert found.examples[3].label == "4"
    assert found.labels == ()


def test_answers_that_repeat_are_answers_still(tmp_path: Path) -> None:
    rows = [{"question": f"q{n}", "answer": "yes" if n % 2 else "no"} for n in range(8)]
    assert sheet(tmp_path, rows).kind == "answers"


def test_outputs_are_labels_if_few_and_answers_if_many(tmp_path: Path) -> None:
    few = [{"input": f"q{n}", "output": "ab"[n % 2]} for n in range(10)]
    many = [{"input": f"q{n}", "output": f"the answer {n}"} for n in range(10)]
    assert sheet(tmp_path, few).kind == "labels"
    assert sheet(tmp_path, many).kind == "answers"


def test_a_worked_answer_ends_in_what_counts(tmp_path: Path) -> None:
    found = sheet(tmp_path, [{"question": "?", "answer": "He has 3 + 4 = 7.\n#### 7"}] * 2)
    assert [example.label for example in found.examples] == ["7", "7"]
    assert "2 worked answers" in found.notes[-1]


def test_csv_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("question,answer,group\nOne?,1,a\nTwo?,2,a\n", "utf-8")
    found = read_sheet(path)
    assert (found.kind, found.format, found.group) == ("answers", "csv", "group")
    assert [example.group for example in found.examples] == ["a", "a"]


def test_only_held_out_rows_are_asked(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "label": "ab"[n % 2], "split": "train"} for n in range(6)]
    rows += [{"text": f"s{n}", "label": "ab"[n % 2], "split": "test"} for n in range(4)]
    found = sheet(tmp_path, rows)
    assert len(found.examples) == 4
    assert "Only the 4 rows" in found.notes[-1]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"question": "", "answer": "1"}, "the question"),
        ({"question": "?", "answer": ""}, "the answer"),
        ({"question": "?", "answer": None}, "the answer"),
        ({"question": "?", "answer": ["1"]}, "the answer"),
        ({"question": "?", "answer": "x" * 1_001}, "1,001 characters"),
        ({"question": "\ud800", "answer": "1"}, "surrogate"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what) as raised:
        sheet(tmp_path, [{"question": "?", "answer": "1"}, row])
    assert raised.value.details["problems"][0]["row"] == 2


def test_rows_that_are_neither_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        sheet(tmp_path, [{"height": n, "width": n} for n in range(5)])
    assert raised.value.remedy == "Call the columns 'text' and 'label', or 'question' and 'answer'."


def test_bytes_are_read_too() -> None:
    found = read_sheet(b'{"question": "One?", "answer": "1"}\n', name="pasted")
    assert (found.source, found.kind) == ("pasted", "answers")
