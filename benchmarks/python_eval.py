"""HumanEval and MBPP through the python tool: references, generic mutants, latency, throughput.

    python benchmarks/python_eval.py --mirror DIR --out FILE [--sample 60] [--mutants]

Every reference is judged once. A mutant is the reference with one generic mistake; it should fail.
What survives says what a task's tests let through, not what the judge does. With ``--kind`` the
sandbox is chosen.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
import resource
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import record

from metier.coding import Behaviour, Judged, SourceFile
from metier.datasets.converters import CodingItem, coding_item
from metier.sandbox import detect
from metier.toolchains import Toolchains
from metier.tools import Workshop
from metier.tools.python import PythonTool, open_tool

THREADS = 2
SWAPPED = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
"""Comparisons and their opposites."""


def items_of(folder: Path) -> list[CodingItem]:
    """Every task of both, as the mirror holds their rows."""
    found = []
    for name in ("humaneval.jsonl", "mbpp.jsonl"):
        with (folder / "code" / name).open(encoding="utf-8") as lines:
            found += [coding_item(json.loads(line)) for line in lines]
    return found


def mutants_of(item: CodingItem) -> Iterator[tuple[str, str]]:
    """Names and texts of the mutants that differ from the reference."""
    tree = ast.parse(item.reference)
    plain = ast.unparse(tree)
    for name, change in MUTATIONS.items():
        changed = copy.deepcopy(tree)
        entry = next(
            node
            for node in reversed(changed.body)
            if isinstance(node, ast.FunctionDef) and node.name == item.entry
        )
        change(entry)
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text != plain:
            yield name, text + "\n"


def _body(*statements: str) -> Callable[[ast.FunctionDef], None]:
    def change(entry: ast.FunctionDef) -> None:
        entry.body = [node for one in statements for node in ast.parse(one).body]

    return change


def _argument(entry: ast.FunctionDef) -> None:
    names = [argument.arg for argument in entry.args.args]
    entry.body = ast.parse(f"return {names[0] if names else None}").body


def _off_by_one(entry: ast.FunctionDef) -> None:
    """The last whole number of the function that is no index is one larger."""
    numbers = [
        node
        for node in ast.walk(entry)
        if isinstance(node, ast.Constant) and type(node.value) is int
    ]
    if numbers:
        numbers[-1].value += 1


def _swapped(entry: ast.FunctionDef) -> None:
    """The first comparison is its opposite."""
    for node in ast.walk(entry):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
            node.ops[0] = SWAPPED[type(node.ops[0])]()
            return


def _early(entry: ast.FunctionDef) -> None:
    """Loops end after their first round."""
    for node in ast.walk(entry):
        if isinstance(node, ast.For | ast.While):
            node.body.append(ast.Break())
            return


MUTATIONS: dict[str, Callable[[ast.FunctionDef], None]] = {
    "returns None": _body("return None"),
    "returns True": _body("return True"),
    "returns 0": _body("return 0"),
    "returns an empty list": _body("return []"),
    "returns its first argument": _argument,
    "returns what equals everything": _body(
        "class Yes:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0",
        "return Yes()",
    ),
    "is off by one": _off_by_one,
    "has a comparison swapped": _swapped,
    "leaves a loop early": _early,
}


def judge(tool: PythonTool, item: CodingItem, text: str, seconds: float) -> Judged:
    """The verdict on one text."""
    options = {**item.options(), "seconds": seconds}
    behaviour = Behaviour("asserts", "solution.py", options=options)
    return tool.judge([SourceFile("solution.py", text)], behaviour)


def judged(work: Sequence[tuple[CodingItem, str, float]], tool: PythonTool) -> list[Judged]:
    """All verdicts, two at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda one: judge(tool, *one), work))


def references(tool: PythonTool, items: Sequence[CodingItem]) -> dict[str, Any]:
    """How many references pass, and how fast two at a time are judged."""
    started, before = time.perf_counter(), _cpu()
    found = judged([(item, item.reference, 60) for item in items], tool)
    wall = time.perf_counter() - started
    failing = {
        item.id: one.why for item, one in zip(items, found, strict=True) if one.standing != "passed"
    }
    return {
        "items": len(items),
        "passed": len(items) - len(failing),
        "failing": failing,
        "seconds": round(wall, 1),
        "cpu_seconds": round(_cpu() - before, 1),
        "answers_per_second": round(len(items) / wall, 2),
    }


def latency(tool: PythonTool, items: Sequence[CodingItem]) -> dict[str, Any]:
    """Milliseconds of one judgement at a time, processes waiting in the pool."""
    times = []
    for item in items:
        time.sleep(0.4)  # the pool fills again
        times.append(judge(tool, item, item.reference, 60).seconds * 1000)
    return {
        "judgements": len(times),
        "median_ms": round(statistics.median(times), 1),
        "p90_ms": round(sorted(times)[len(times) * 9 // 10], 1),
    }


def mutants(tool: PythonTool, items: Sequence[CodingItem]) -> dict[str, Any]:
    """How many mutants fail, by kind and by task."""
    work = [(item, name, text) for item in items for name, text in mutants_of(item)]
    found = judged([(item, text, 5) for item, _, text in work], tool)
    made = Counter(name for _, name, _ in work)
    alive = [
        (item.id, name)
        for (item, name, _), one in zip(work, found, strict=True)
        if one.standing == "passed"
    ]
    unscored = sum(one.standing == "unscored" for one in found)
    lived = Counter(name for _, name in alive)
    return {
        "items": len(items),
        "mutants": len(work),
        "failed": len(work) - len(alive) - unscored,
        "unscored": unscored,
        "by_kind": {name: {"made": made[name], "survived": lived[name]} for name in MUTATIONS},
        "items_with_survivors": len({name for name, _ in alive}),
        "survivors": alive,
    }


def _cpu() -> float:
    """Processor seconds of this process and of its ended children."""
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


def main() -> None:
    """Judge what is asked for and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=("bubblewrap", "landlock"))
    parser.add_argument("--sample", type=int, default=60, help="tasks whose latency is measured")
    parser.add_argument("--mutants", action="store_true", help="judge mutants of every task too")
    parser.add_argument("--limit", type=int, help="a random sample of so many tasks")
    asked = parser.parse_args()
    items = items_of(asked.mirror)
    drawn = random.Random(0)
    if asked.limit:
        items = drawn.sample(items, min(asked.limit, len(items)))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tool = open_tool(
            Workshop(Toolchains(place), lambda: detect(only=asked.kind), place, pool_size=THREADS)
        )
        judge(tool, items[0], items[0].reference, 60)
        sample = drawn.sample(items, min(asked.sample, len(items)))
        results = {"latency": latency(tool, sample), "references": references(tool, items)}
        if asked.mutants:
            results["mutants"] = mutants(tool, items)
        tool.close()
    record.write(asked.out, results, seed=0)
    shown = {
        part: {k: v for k, v in found.items() if k != "survivors"}
        for part, found in results.items()
    }
    print(json.dumps(shown, indent=1))


if __name__ == "__main__":
    main()
