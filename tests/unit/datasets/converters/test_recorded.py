"""SvelteBench's files to rows: by date, model and task, whatever order the files come in."""

import json

import pytest

from metier.datasets.converters import canonical_lines
from metier.datasets.converters.recorded import MOST_ERROR, svelte_bench
from metier.datasets.converters.upstream import UpstreamBytes
from metier.errors import InputError


def file(name, *tests):
    return UpstreamBytes(f"benchmarks/{name}", json.dumps(tests).encode())


def case(task, *samples, model="m", used=False):
    return {
        "testName": task,
        "modelId": model,
        "context": {"used": used},
        "samples": [
            {"code": code, "success": not errors, "errors": errors} for code, errors in samples
        ],
    }


LATE = file("benchmark-results-2026-01-02T10-00-00.000Z.json", case("a", ("x", [])))
EARLY = file(
    "v1/v1-benchmark-results-with-context-2025-05-03T20-51-11.669Z.json",
    case("b", ("y", ["\x1b[31mred\x1b[39m " + "z" * 400, "second"]), ("w", []), used=True),
    case("a", ("v", []), used=True),
)


def test_rows_stand_by_date_model_and_task_and_keep_upstreams_order_inside():
    rows = list(svelte_bench([LATE, EARLY]))
    assert [(row["date"], row["task"], row["answer"]) for row in rows] == [
        ("2025-05-03", "a", "v"),
        ("2025-05-03", "b", "y"),
        ("2025-05-03", "b", "w"),
        ("2026-01-02", "a", "x"),
    ]
    assert [row["docs_in_prompt"] for row in rows] == [True, True, True, False]
    failed = rows[1]
    assert failed["passed"] is False
    assert failed["error"].startswith("red zzz")
    assert len(failed["error"]) == MOST_ERROR
    assert list(failed) == [
        "date", "model", "docs_in_prompt", "task", "passed", "answer", "error",
    ]  # fmt: skip


def test_a_file_without_a_date_is_named():
    with pytest.raises(InputError) as caught:
        list(canonical_lines("svelte-bench-json-v1", [file("merged.json")]))
    assert caught.value.code == "bad_upstream"
    assert "merged.json" in caught.value.message


def test_prompts_are_one_object_by_task():
    files = [
        UpstreamBytes("src/tests/derived-by/prompt.md", b"by\n"),
        UpstreamBytes("src/tests/derived/prompt.md", b"d\n"),
    ]
    (line,) = canonical_lines("svelte-bench-prompts-v1", files)
    assert line == b'{\n "derived": "d\\n",\n "derived-by": "by\\n"\n}'
