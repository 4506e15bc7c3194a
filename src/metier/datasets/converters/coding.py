"""Coding tasks with tests: HumanEval and MBPP, upstream files to rows and rows to items.

The rows are upstream's own lines (MBPP's with the split of its README), so that a mirror of them
is found by its digest. An item is the same task in one form for both: what is asked, what must
hold, what passes. It executes nothing and reads Python only as syntax.
"""

from __future__ import annotations

import ast
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from metier.datasets.converters.upstream import UpstreamBytes, bad_upstream

MAX_UNPACKED = 64 << 20
"""A larger file is not unpacked."""
HUMANEVAL_DATE = "2021-07-07"
"""Day of the commit that published HumanEval."""
MBPP_DATE = "2021-08-16"
"""Day of the paper that published MBPP (arXiv 2108.07732)."""
_HUMANEVAL_FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
_MBPP_FIELDS = ("text", "code", "task_id", "test_setup_code", "test_list", "challenge_test_list")
_Found = TypeVar("_Found")
_MBPP_SPLITS = ((10, "prompt"), (510, "test"), (600, "valid"), (974, "train"))


@dataclass(frozen=True, slots=True)
class CodingItem:
    """One coding task.

    Attributes:
        id: ``humaneval/0``, ``mbpp/601``.
        prompt: What a base is asked, in Markdown.
        tests: Tests in Python, each to be run by itself, in order, in one module.
        setup: Code that runs before the tests, among their names.
        prelude: Code that runs before the answer, among its names: what the prompt gives.
        entry: Name of the function that the answer defines.
        names: Names that the tests take from the answer.
        reference: A file that passes, unless upstream's task is defective.
        cluster: Tasks that ask for the same thing share it.
        date: When the task was published.
        split: Upstream's split.
    """

    id: str
    prompt: str
    tests: tuple[str, ...]
    setup: str
    prelude: str
    entry: str
    names: tuple[str, ...]
    reference: str
    cluster: str
    date: str
    split: str

    def options(self) -> dict[str, Any]:
        """What the python tool's ``asserts`` harness is told."""
        return {
            "tests": list(self.tests),
            "setup": self.setup,
            "prelude": self.prelude,
            "names": list(self.names),
        }


def humaneval(files: Sequence[UpstreamBytes]) -> Iterator[bytes]:
    """The lines of ``HumanEval.jsonl.gz``, unpacked and otherwise as they are."""
    for file in files:
        try:
            unpacker = zlib.decompressobj(wbits=31)
            content = unpacker.decompress(file.content, MAX_UNPACKED)
        except zlib.error as error:
            raise bad_upstream(file.path, f"it is not gzip ({error})") from error
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise bad_upstream(file.path, "it is cut off, or larger than expected")
        for line in content.splitlines(keepends=True):
            _fields(json.loads(line), _HUMANEVAL_FIELDS, file.path)
            yield line


def mbpp(files: Sequence[UpstreamBytes]) -> Iterator[bytes]:
    """The lines of ``mbpp.jsonl``, each with upstream's split by its number, in ASCII."""
    for file in files:
        for line in file.text().splitlines():
            row = json.loads(line)
            _fields(row, _MBPP_FIELDS, file.path)
            split = _first(name for last, name in _MBPP_SPLITS if row["task_id"] <= last)
            yield json.dumps({**row, "split": split}).encode() + b"\n"


def coding_item(row: Mapping[str, Any]) -> CodingItem:
    """The item of one row of HumanEval or MBPP, told apart by their fields.

    Raises:
        InputError: Code ``bad_upstream``: it is neither.
    """
    try:
        return _of_humaneval(row) if "entry_point" in row else _of_mbpp(row)
    except (KeyError, TypeError, ValueError, SyntaxError, AttributeError) as error:
        raise bad_upstream(
            str(row.get("task_id")), f"the row is no coding task ({type(error).__name__}: {error})"
        ) from error


def _of_humaneval(row: Mapping[str, Any]) -> CodingItem:
    """HumanEval: the prompt is the beginning of the file that the answer completes.

    What stands before the function (imports, functions that it may use) is given to the answer and,
    apart from it, to the tests: an answer that redefines what the tests use changes nothing.
    """
    prompt, entry = row["prompt"], row["entry_point"]
    before = _before(prompt, entry)
    reference = prompt + row["canonical_solution"]
    text = (
        f"Complete this Python function. Answer with the whole file: imports, what is given, and "
        f"`{entry}`.\n\n```python\n{prompt.strip()}\n```"
    )
    return CodingItem(
        id=f"humaneval/{row['task_id'].rpartition('/')[2]}",
        prompt=text,
        tests=(f"{row['test']}\n\ncheck({entry})\n",),
        setup=before,
        prelude=before,
        entry=entry,
        names=(entry,),
        reference=reference,
        cluster=f"humaneval/{entry}",
        date=HUMANEVAL_DATE,
        split="test",
    )


def _before(prompt: str, entry: str) -> str:
    """What a prompt gives before the function that is asked for."""
    tree = ast.parse(prompt + "    pass\n")
    lines = prompt.split("\n")
    asked = _first(
        node
        for node in reversed(tree.body)
        if isinstance(node, ast.FunctionDef) and node.name == entry
    )
    return "\n".join(lines[: asked.lineno - 1]).strip("\n") + "\n"


def _first(found: Iterator[_Found]) -> _Found:
    """The first of them; raises ValueError if there is none."""
    for one in found:
        return one
    raise ValueError("nothing fits")


def _of_mbpp(row: Mapping[str, Any]) -> CodingItem:
    """MBPP: a sentence, three assertions, of which upstream's prompt shows all."""
    code = _lines(row["code"])
    tests = tuple(_lines(test).strip() + "\n" for test in row["test_list"])
    more = tuple(_lines(test).strip() + "\n" for test in row["challenge_test_list"] if test.strip())
    given = _defined(code)
    called = [name for test in tests for name in _called(test)]
    entry = _first(name for name in called if name in given)
    names = sorted(set(_read(tests + more + (_lines(row["test_setup_code"]),))) & given)
    shown = "\n".join(test.strip() for test in tests)
    text = (
        f"{_lines(row['text']).strip()}\n\nYour code must satisfy these tests:\n\n"
        f"```python\n{shown}\n```"
    )
    return CodingItem(
        id=f"mbpp/{row['task_id']}",
        prompt=text,
        tests=tests + more,
        setup=_lines(row["test_setup_code"]),
        prelude="",
        entry=entry,
        names=tuple(names),
        reference=code,
        cluster=f"mbpp/{entry.lower()}",
        date=MBPP_DATE,
        split=row["split"],
    )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n" if text.strip() else ""


def _defined(code: str) -> set[str]:
    """Names that the top level of a file binds."""
    found: set[str] = set()
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found.update(each.id for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update((each.asname or each.name).split(".")[0] for each in node.names)
    return found


def _called(test: str) -> list[str]:
    """Names that a test calls, those it compares with last left first."""
    return [
        node.func.id
        for node in ast.walk(ast.parse(test))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def _read(codes: Sequence[str]) -> Iterator[str]:
    for code in codes:
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield node.id


def _fields(row: Any, fields: Sequence[str], path: str) -> None:
    if not isinstance(row, dict) or any(name not in row for name in fields):
        raise bad_upstream(path, f"a line lacks one of {', '.join(fields)}")
