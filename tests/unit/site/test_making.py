"""The words of the pages of Make."""

from __future__ import annotations

from typing import Any

import pytest

from metier.site import making

FOUND: dict[str, Any] = {
    "source": "r.csv",
    "bytes": 5_000,
    "problem": None,
    "format": "csv",
    "encoding": "utf-8-sig",
    "delimiter": ";",
    "header": False,
    "whole": False,
    "rows": 60_000,
    "text": "t",
    "label": "l",
    "columns": [{"name": name} for name in ("x", "t", "l", "d", "e", "f", "g")],
    "head": [{"row": 2, "values": ["1", "2", "3", "4", "5", "6", "7"]}],
    "labels": [[f"label {n}", 30 - n] for n in range(25)],
    "notes": ["A note."],
    "division": {"train": 1, "eval": 2_000, "given": True},
    "leaks": None,
    "expected": {"seconds": 42.0, "low": 21.0, "high": 84.0, "encoder_ms": 3.2},
}


def look(**more: Any) -> dict[str, Any]:
    return {"token": "0", "fields": {}, "files": {"data": "r.csv"}, "found": {**FOUND, **more}}


def test_an_upload_is_told_in_words() -> None:
    shown = making.looked(look())
    assert shown["facts"] == [
        "the first 60,000 rows",
        "CSV, parted by semicolon",
        "UTF-8 with a mark",
        "no line of column names",
        "5.0\u202fkB",
    ]
    assert [column["name"] for column in shown["head"]["columns"]] == ["t", "l", "x", "d", "e", "f"]
    assert shown["head"]["rows"][0]["values"] == ["2", "3", "1", "4", "5", "6"]
    assert shown["head"]["left"] == 1
    assert (shown["labels"]["total"], len(shown["labels"]["rest"])) == (25, 13)
    assert shown["labels"]["few"].startswith("4 labels have fewer than 10 rows")
    assert shown["division"].startswith("1 row to learn from; 2,000 rows sealed")
    assert shown["expected"]["about"] == "About 40\u202fs"


def test_only_faults_of_rows_can_be_left_out() -> None:
    row = {"row": 7, "place": "line 7", "what": "the text is empty"}
    fault = {"code": "empty_text", "message": "m", "remedy": "Pass --text.", "details": {}}
    told = making.looked(look(problem={**fault, "details": {"problems": [row], "count": 30}}))
    assert told["fault"]["mended"]
    assert told["fault"]["more"] == 29
    assert told["fault"]["remedy"] == "Pass text."
    assert not told["ready"]
    assert not making.looked(look(problem={**fault, "code": "binary_file"}))["fault"]["mended"]
    unknown = making.looked(look(problem=fault, label=None))
    assert not unknown["fault"]["mended"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1\u202fs"),
        (7.4, "7\u202fs"),
        (43.0, "45\u202fs"),
        (400.0, "7\u202fmin"),
        (9_000.0, "2.5\u202fh"),
    ],
)
def test_durations_are_as_rough_as_they_are_known(seconds: float, said: str) -> None:
    assert making.rounded(seconds) == said


def test_the_command_does_the_same() -> None:
    fields = {
        "name": "a b",
        "domain": "mail",
        "label": "l",
        "seed": "3",
        "drop_leaks": "true",
        "budget": "2m",
    }
    told = {**look(), "fields": fields, "files": {"data": "r.csv", "eval": "e.csv"}}
    assert making.command_of(told) == (
        "metier make --task classify --data r.csv --name 'a b' --eval e.csv "
        "--domain mail --label l --budget 2m --seed 3 --drop-leaks"
    )


def test_leaks_are_told_with_what_follows() -> None:
    report = {
        "leaked": 3, "eval_items": 100, "share": 0.03, "blocks_win": True, "part": True,
        "looked_at": [10, 20], "of": [30, 40], "duplicate_train_rows": 1,
        "conflicting_labels": 2, "rows": [], "conflicts": [], "method": "so",
    }  # fmt: skip
    shown = making.looked(look(leaks=report))["leaks"]
    assert "no WIN can be given" in shown["sentence"]
    assert "10 of 30 rows" in shown["part"]
    assert shown["duplicates"] == "1 row to learn from repeats another."
    assert shown["conflicts"] == "2 texts stand under two labels."
    clean = making.looked(look(leaks={**report, "leaked": 0, "blocks_win": False}))["leaks"]
    assert clean["sentence"] == "No leak was found among 100 eval rows."


JOB: dict[str, Any] = {
    "kind": "make",
    "name": "m",
    "state": "running",
    "position": 0,
    "progress": {"message": "x", "seconds_left": 42.0},
    "rungs": [{"name": "majority"}, {"name": "encoder", "state": "skipped", "why": "no base"}],
    "result": None,
    "notes": {"data": {"train": 5, "eval": 2}},
}


def test_a_running_job_shows_what_is_to_come() -> None:
    shown = making.job_values(JOB)
    assert shown["seconds"] == "about 40\u202fs left"
    assert next(row["title"] for row in shown["ladder"]) == "most frequent label"
    assert shown["waiting"] == [
        "words and characters + linear",
        "static embeddings + linear",
        "ensemble",
    ]
    assert shown["found"] == ["5 rows to learn from, 2 sealed as the eval."]
    assert making.job_values({**JOB, "state": "stopped"})["waiting"] == []


def test_a_job_ends_on_the_page_of_what_it_made() -> None:
    assert making.job_values(JOB)["target"] == "/specialists/m"
    pull = {**JOB, "kind": "pull", "rungs": [], "notes": {}, "result": {"name": "n"}}
    assert making.job_values(pull)["target"] == "/specialists/n"
    assert making.job_values({**pull, "next": "/x"})["target"] == "/x"
    problems = [{"what": "w", "where": "p", "remedy": None}]
    check = {**pull, "kind": "verify", "result": {"checked": 3, "problems": problems}}
    assert making.job_values(check)["checked"]["sentence"] == "3 files checked: 1 thing to mend."
