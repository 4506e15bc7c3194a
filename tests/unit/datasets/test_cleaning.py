"""Rows without those that cannot be used: nothing else changes, and what was left out is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.datasets.cleaning import clean
from metier.datasets.recognising import read_examples
from metier.errors import InputError


def test_bad_rows_go_and_everything_else_stays(tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    rows = ["text,label,more", "a,x,1", "b, x ,2", ",x,3", "c,,4", "d,y,5", "e,z,6", "f,y,7", "g,y"]
    source.write_text("\n".join(rows))
    target = tmp_path / "clean.jsonl"
    cleaned = clean(source, target, text="text", label="label")
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert lines == [
        {"text": "a", "label": "x", "more": "1"},
        {"text": "b", "label": "x", "more": "2"},
        {"text": "d", "label": "y", "more": "5"},
        {"text": "f", "label": "y", "more": "7"},
    ]
    assert (cleaned.kept, cleaned.left_out, cleaned.rows) == (4, 4, (4, 5, 7, 9))
    assert cleaned.reasons == {
        "it cannot be read": 1,
        "it has no text": 1,
        "it has no label": 1,
        "it is the only one of its label": 1,
    }
    assert len(read_examples(target).examples) == 4
    assert source.read_text() == "\n".join(rows)


def test_labels_and_texts_of_other_kinds(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    values: list[dict[str, object]] = [
        *({"text": "a", "label": value} for value in (1, 1, True, "true", [1], "x" * 300)),
        {"text": 5, "label": "1"},
        {"text": "half \ud800", "label": "1"},
    ]
    source.write_text("".join(json.dumps(value) + "\n" for value in values))
    target = tmp_path / "clean.jsonl"
    cleaned = clean(source, target, text="text", label="label")
    assert (cleaned.kept, cleaned.left_out) == (4, 4)
    labels = [json.loads(line)["label"] for line in target.read_text().splitlines()]
    assert labels == ["1", "1", "true", "true"]


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("text,label\na,x\nb,y\n")
    with pytest.raises(InputError, match="no row can be used"):
        clean(source, tmp_path / "clean.jsonl", text="text", label="label")
