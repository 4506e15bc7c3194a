from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from metier.datasets.converters import UpstreamBytes, canonical_lines, coding_item
from metier.errors import InputError

HUMANEVAL = {
    "task_id": "HumanEval/7",
    "prompt": (
        "import math\n\n\ndef half(x):\n    return x / 2\n\n\n"
        'def both(x, y):\n    """ Add.\n    >>> both(1, 2)\n    3\n    """\n'
    ),
    "entry_point": "both",
    "canonical_solution": "    return x + y\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert candidate(1, 2) == 3\n",
}
MBPP = {
    "text": "Write a function to add.",
    "code": "def both(x, y):\r\n\treturn x + y",
    "task_id": 12,
    "test_setup_code": "",
    "test_list": ["assert both(1, 2) == 3", "assert both(0, 0) == 0", "assert both(1, 1) == 2"],
    "challenge_test_list": ["assert both(2, 2) == 4"],
}


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_humaneval_is_unpacked_and_left_as_it_is() -> None:
    content = lines(HUMANEVAL, {**HUMANEVAL, "prompt": "ü"})
    file = UpstreamBytes("HumanEval.jsonl.gz", gzip.compress(content, mtime=0))
    assert b"".join(canonical_lines("humaneval-jsonl-gz-v1", [file])) == content


@pytest.mark.parametrize(
    "content",
    [
        b"nonsense",
        gzip.compress(lines({"a": 1}), mtime=0),
        gzip.compress(lines(HUMANEVAL), mtime=0)[:-9],
    ],
)
def test_a_broken_humaneval_is_refused(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        list(canonical_lines("humaneval-jsonl-gz-v1", [UpstreamBytes("x.gz", content)]))
    assert caught.value.code == "bad_upstream"


def test_mbpp_gets_upstreams_splits() -> None:
    numbers = [1, 10, 11, 510, 511, 600, 601, 974]
    file = UpstreamBytes("mbpp.jsonl", lines(*({**MBPP, "task_id": one} for one in numbers)))
    rows = [json.loads(line) for line in canonical_lines("mbpp-jsonl-v1", [file])]
    names = ["prompt", "prompt", "test", "test", "valid", "valid", "train", "train"]
    assert [row["split"] for row in rows] == names
    assert rows[0] == {**MBPP, "task_id": 1, "split": "prompt"}
    with pytest.raises(InputError):
        list(
            canonical_lines("mbpp-jsonl-v1", [UpstreamBytes("x", lines({**MBPP, "task_id": 975}))])
        )


def test_a_row_of_humaneval_is_an_item() -> None:
    item = coding_item(HUMANEVAL)
    assert (item.id, item.entry, item.names) == ("humaneval/7", "both", ("both",))
    assert item.prelude == item.setup == "import math\n\n\ndef half(x):\n    return x / 2\n"
    assert item.tests[0].endswith("check(both)\n")
    assert item.reference.endswith("    return x + y\n")
    assert HUMANEVAL["prompt"].strip() in item.prompt
    assert item.date == "2021-07-07"


def test_a_row_of_mbpp_is_an_item() -> None:
    item = coding_item({**MBPP, "split": "test"})
    assert (item.id, item.entry, item.names, item.split) == ("mbpp/12", "both", ("both",), "test")
    assert len(item.tests) == 4
    assert item.reference == "def both(x, y):\n\treturn x + y\n"
    assert "assert both(0, 0) == 0" in item.prompt
    assert "2, 2" not in item.prompt
    assert item.options()["tests"] == list(item.tests)


def test_a_name_of_pythons_own_is_the_answers_where_it_defines_it() -> None:
    row = {**MBPP, "code": "def sum(a, b):\n    return a", "test_list": ["assert sum(1, 2) == 1"]}
    item = coding_item({**row, "challenge_test_list": [], "split": "test"})
    assert (item.entry, item.names) == ("sum", ("sum",))


@pytest.mark.parametrize(
    "row", [{}, {**MBPP, "code": "def (", "split": "x"}, {**HUMANEVAL, "entry_point": "other"}]
)
def test_what_is_no_task_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        coding_item(row)
    assert caught.value.code == "bad_upstream"
