"""Executed evals of others: rows fetched at a commit, or from a mirror, become tasks.

It knows the file that pins them, how a row of HumanEval or MBPP becomes a task of the python tool,
and how a prompt becomes a task with the behaviour that stands beside the pins. Such tasks come
without mutants, and a reference may fail: then it is frozen like any other.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metier.coding import Behaviour, SourceFile
from metier.datasets.converters import CodingItem, coding_item
from metier.datasets.sources import resolve
from metier.errors import InternalError
from metier.evals.tasks import Suite, Task
from metier.messages import Report, silent
from metier.recipe import DataPart

PINS = "data.toml"
ENTRY = "solution.py"


def borrowed_suite(
    folder: Path, *, mirror: Path | None, cache: Path, report: Report = silent
) -> Suite:
    """The suite whose rows ``data.toml`` in a folder pins.

    Args:
        folder: Of the package: ``suites/python``. Its name is the suite's.
        mirror: A folder that is searched for the rows by their digest, or ``None``.
        cache: Where fetched rows are kept.
        report: Told what is fetched.

    Raises:
        UnavailableError: The rows are not here and cannot be fetched (``offline`` …).
        InputError: What was fetched does not have its digest (``wrong_sha256``).
        StorageError: The cache cannot be written.
    """
    pins = tomllib.loads((folder / PINS).read_text("utf-8"))
    splits = set(pins["splits"])
    tasks = tuple(
        _task(item)
        for pinned in pins["data"]
        for item in _items(pinned, folder, mirror, cache, report)
        if item.split in splits
    )
    return Suite(
        name=folder.name,
        title=pins["title"],
        licence=pins["licence"],
        tasks=tasks,
        source=pins["source"],
        least_mutants=0,
    )


def prompted_suite(
    folder: Path, *, mirror: Path | None, cache: Path, report: Report = silent
) -> Suite:
    """The suite whose prompts ``data.toml`` in a folder pins, and whose behaviour stands there.

    Args:
        folder: Of the package: ``suites/svelte-bench``; ``TASK.toml`` holds title, behaviour and
            reference of each task.
        mirror: A folder that is searched for the prompts by their digest, or ``None``.
        cache: Where fetched prompts are kept.
        report: Told what is fetched.

    Raises:
        UnavailableError: The prompts are not here and cannot be fetched (``offline`` …).
        InputError: What was fetched does not have its digest (``wrong_sha256``).
        StorageError: The cache cannot be written.
    """
    pins = tomllib.loads((folder / PINS).read_text("utf-8"))
    (pinned,) = pins["data"]
    part = _part(pinned, folder)
    rows = resolve(part, folder=folder, mirror=mirror, cache=cache, report=report)
    prompts: dict[str, str] = json.loads(rows.path.read_text("utf-8"))
    return Suite(
        name=folder.name,
        title=pins["title"],
        licence=pins["licence"],
        tasks=tuple(
            _prompted(name, prompts[name], folder, pins)
            for name in sorted(prompts)
            if name not in pins["left_out"]
        ),
        source=pins["source"],
        least_mutants=0,
    )


def _prompted(name: str, prompt: str, folder: Path, pins: Mapping[str, Any]) -> Task:
    told = tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
    behaviour, reference = told["behaviour"], told["reference"]
    return Task(
        id=name,
        title=told["title"],
        cluster=name,
        date=pins["date"].isoformat(),
        tool=pins["tool"],
        toolchains=tuple(pins["toolchains"]),
        prompt=prompt,
        behaviour=Behaviour(
            kind=behaviour["kind"],
            entry=behaviour["entry"],
            steps=tuple(behaviour["steps"]),
            options={"answer": list(reference)},
        ),
        reference=tuple(SourceFile(path, text) for path, text in reference.items()),
    )


def _part(pinned: Mapping[str, Any], folder: Path) -> DataPart:
    part = DataPart.model_validate(pinned)
    if part.rows_sha256 is None:
        raise InternalError(f"{folder / PINS} names no digest of rows.", code="bad_pins")
    return part


def _items(
    pinned: Mapping[str, Any], folder: Path, mirror: Path | None, cache: Path, report: Report
) -> Iterator[CodingItem]:
    part = _part(pinned, folder)
    rows = resolve(part, folder=folder, mirror=mirror, cache=cache, report=report)
    with rows.path.open(encoding="utf-8") as lines:
        for line in lines:
            yield coding_item(json.loads(line))


def _task(item: CodingItem) -> Task:
    return Task(
        id=item.id,
        title=f"{item.entry} ({item.id})",
        cluster=item.cluster,
        date=item.date,
        tool="python",
        toolchains=(),
        prompt=item.prompt,
        behaviour=Behaviour(kind="asserts", entry=ENTRY, options=item.options()),
        reference=(SourceFile(ENTRY, item.reference),),
    )
