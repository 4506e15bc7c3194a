"""Recorded answers: pinned by digest, counted by task, unsound tasks left out, never measured."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import metier
from metier.errors import InputError, InternalError, NotFoundError
from metier.history import elsewhere

PACKAGED = Path(metier.__file__).parent / "histories"


def row(model: str, task: str, passed: bool, answer: str = "x", **more: Any) -> dict[str, Any]:
    return {
        "date": "2026-01-02",
        "model": model,
        "docs_in_prompt": False,
        "task": task,
        "passed": passed,
        "answer": answer,
        "error": None,
        **more,
    }


ROWS = [
    row("a", "one", True),
    row("a", "one", True),
    row("a", "one", False, "y"),
    row("a", "two", False),
    row("a", "broken", False),
    row("a", "one", True, docs_in_prompt=True),
    row("b", "broken", True),
]


def pins(tmp_path: Path, rows: list[dict[str, Any]], *, digest: bool = True) -> Path:
    """A folder of pins and, beside it, the mirror that has the rows."""
    folder, mirror = tmp_path / "pins", tmp_path / "mirror"
    folder.mkdir()
    mirror.mkdir()
    lines = "".join(json.dumps(one) + "\n" for one in rows).encode()
    (mirror / "rows.jsonl").write_bytes(lines)
    sha256 = hashlib.sha256(lines).hexdigest()
    (folder / "some.toml").write_text(
        'title = "Some"\neval = "e"\nsource = "o/n"\nlicence = "MIT"\njudged = "d"\n'
        '[left_out]\nbroken = "unsound"\n[data]\nkind = "file"\npath = "none"\n'
        'converter = "svelte-bench-json-v1"\n' + (f'rows_sha256 = "{sha256}"\n' if digest else "")
    )
    return folder


def body(tmp_path: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    folder = pins(tmp_path, rows)
    return elsewhere.take(
        elsewhere.pinned(folder, "some"),
        folder=folder,
        mirror=tmp_path / "mirror",
        cache=tmp_path / "cache",
    )


def test_a_record_is_taken_as_counts_and_holds_no_answer(tmp_path: Path) -> None:
    found = body(tmp_path, ROWS)
    assert found["recorded"] is True
    assert found["answers"] == 7
    assert found["copies"] == pytest.approx(1 / 7)
    assert "answer" not in json.dumps(found["systems"])
    plain = next(one for one in found["systems"] if one["name"] == "a" and not one["documents"])
    assert plain["tasks"] == {"broken": [0, 1, 1], "one": [2, 3, 2], "two": [0, 1, 1]}
    told = elsewhere.source_of(found, "2026-11-23T10:00:00Z")
    assert told.taken == "2026-11-23"
    assert told.left_out == (("broken", "unsound"),)


def test_points_leave_unsound_tasks_out_and_part_documents(tmp_path: Path) -> None:
    points = list(elsewhere.points_of(body(tmp_path, ROWS)))
    assert [(one.name, one.role) for one in points] == [("a", "general"), ("a", "documents")]
    first = points[0]
    assert (first.score, first.n, first.clusters) == (0.5, 4, 2)
    assert dict(first.by_cluster) == {"one": pytest.approx(2 / 3), "two": 0.0}
    assert first.recorded
    assert first.low < first.score < first.high


def test_copies_do_not_narrow_an_interval(tmp_path: Path) -> None:
    tasks = [f"t{n}" for n in range(8)]
    once = [row("a", task, n % 2 == 0) for n, task in enumerate(tasks)]
    (tmp_path / "many").mkdir()
    (tmp_path / "once").mkdir()
    (wide,) = elsewhere.points_of(body(tmp_path / "once", once))
    (copied,) = elsewhere.points_of(body(tmp_path / "many", once * 10))
    assert copied.n == 80
    assert copied.high - copied.low >= 0.9 * (wide.high - wide.low)


def test_what_is_not_there_says_what_is(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        elsewhere.pinned(PACKAGED, "none")
    assert caught.value.code == "no_history"
    assert "svelte-bench" in (caught.value.remedy or "")
    with pytest.raises(NotFoundError):
        elsewhere.pinned(PACKAGED, "../suites/svelte-bench/data")
    with pytest.raises(InternalError):
        elsewhere.pinned(pins(tmp_path, ROWS, digest=False), "some")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        body(tmp_path / "empty", [])


def test_the_packaged_record_is_pinned_and_leaves_the_unsound_task_out() -> None:
    assert elsewhere.names(PACKAGED) == ["svelte-bench"]
    found = elsewhere.pinned(PACKAGED, "svelte-bench")
    assert set(found.left_out) == {"inspect"}
    assert found.upstream == "khromov/svelte-bench at a783b5a667dd"
    assert found.part.rows_sha256 is not None
