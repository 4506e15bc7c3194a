"""Answers of general models that others recorded and judged: taken in, never measured here.

It knows the file that pins such a record and which figures are made of its rows. Tasks that the
file leaves out count nowhere; copies of one answer weigh nothing, because every interval counts
tasks and not answers. It opens no ledger; what it gives is a body for one.
"""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.datasets.sources import resolve
from metier.errors import InputError, InternalError, NotFoundError
from metier.messages import Report, silent
from metier.overtaking import Point, Source
from metier.recipe import DataPart

FORMAT = "metier.history/1"
_System = tuple[str, str, bool]


@dataclass(frozen=True, slots=True)
class Pinned:
    """A record that can be taken in.

    Attributes:
        name: What a command calls it.
        title: For people.
        eval: Name of the eval whose tasks were answered.
        source: Upstream's name.
        licence: Upstream's.
        judged: How its verdicts and those given here go together.
        left_out: Task to why it counts nowhere.
        part: Where the rows come from, by digest.
    """

    name: str
    title: str
    eval: str
    source: str
    licence: str
    judged: str
    left_out: Mapping[str, str]
    part: DataPart

    @property
    def upstream(self) -> str:
        """``khromov/svelte-bench at a783b5a667dd``."""
        commit = self.part.commit or next((one.commit for one in self.part.repositories), "")
        return f"{self.source} at {commit[:12]}" if commit else self.source


def pinned(folder: Path, name: str) -> Pinned:
    """The record of that name in a folder of pins.

    Raises:
        NotFoundError: There is none (code ``no_history``).
    """
    path = folder / f"{name}.toml"
    if "/" in name or "\\" in name or not path.is_file():
        known = ", ".join(names(folder))
        raise NotFoundError(
            f"There are no recorded answers {name[:80]!r}.",
            code="no_history",
            remedy=f"There are: {known or 'none'}.",
        )
    read = tomllib.loads(path.read_text("utf-8"))
    part = DataPart.model_validate(read["data"])
    if part.rows_sha256 is None:
        raise InternalError(f"{path} names no digest of rows.", code="bad_pins")
    return Pinned(
        name=name,
        title=read["title"],
        eval=read["eval"],
        source=read["source"],
        licence=read["licence"],
        judged=read["judged"],
        left_out=dict(read["left_out"]),
        part=part,
    )


def names(folder: Path) -> list[str]:
    """The records of a folder of pins."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def take(
    pins: Pinned, *, folder: Path, mirror: Path | None, cache: Path, report: Report = silent
) -> dict[str, Any]:
    """Fetch a record, or find it in the mirror, and make the body of a ledger's row of it.

    The body holds counts by system and task, no answer of anybody.

    Raises:
        UnavailableError: The rows are not here and cannot be fetched (``offline`` …).
        InputError: What was fetched does not have its digest (``wrong_sha256``).
        StorageError: The cache cannot be written.
    """
    rows = resolve(pins.part, folder=folder, mirror=mirror, cache=cache, report=report)
    with rows.path.open(encoding="utf-8") as lines:
        counted = _counted(json.loads(line) for line in lines)
    if not counted:
        raise InputError("The record holds no answer.", code="bad_upstream")
    answers = sum(n for tasks in counted.values() for _, n, _ in tasks.values())
    copies = sum(n - distinct for tasks in counted.values() for _, n, distinct in tasks.values())
    return {
        "format": FORMAT,
        "name": pins.name,
        "title": pins.title,
        "eval": pins.eval,
        "upstream": pins.upstream,
        "licence": pins.licence,
        "judged": pins.judged,
        "rows": rows.sha256,
        "answers": answers,
        "copies": copies / answers,
        "left_out": dict(pins.left_out),
        "recorded": True,
        "systems": [
            _system(key, counted[key], frozenset(pins.left_out)) for key in sorted(counted)
        ],
    }


def source_of(body: Mapping[str, Any], taken: str) -> Source:
    """Where a body's answers come from; ``taken`` is the day of its row."""
    return Source(
        name=body["name"],
        title=body["title"],
        upstream=body["upstream"],
        licence=body["licence"],
        rows=body["rows"],
        answers=body["answers"],
        copies=body["copies"],
        left_out=tuple(sorted(body["left_out"].items())),
        taken=taken[:10],
        judged=body.get("judged", ""),
    )


def points_of(body: Mapping[str, Any]) -> Iterator[Point]:
    """Every system of a body as a point, its interval clustered by task."""
    left_out = frozenset(body["left_out"])
    for system in body["systems"]:
        tasks = {task: told for task, told in system["tasks"].items() if task not in left_out}
        if not tasks:
            continue
        n = sum(told[1] for told in tasks.values())
        yield Point(
            name=system["name"],
            role="documents" if system["documents"] else "general",
            date=system["date"],
            score=sum(told[0] for told in tasks.values()) / n,
            low=system["low"],
            high=system["high"],
            n=n,
            clusters=len(tasks),
            recorded=True,
            by_cluster=tuple(sorted((task, told[0] / told[1]) for task, told in tasks.items())),
        )


def _system(key: _System, counts: Mapping[str, list[int]], left_out: Set[str]) -> dict[str, Any]:
    """One system of a body; its interval counts tasks, so that copies weigh nothing in it."""
    from metier.stats import share_interval

    date, name, documents = key
    told = [(task, right, n) for task, (right, n, _) in counts.items() if task not in left_out]
    outcomes = [float(place < right) for _, right, n in told for place in range(n)]
    clusters = [task for task, _, n in told for _ in range(n)]
    low, high = 0.0, 1.0
    if outcomes:
        ends = share_interval(outcomes, clusters)
        low, high = ends.low, ends.high
    return {
        "date": date,
        "name": name,
        "documents": documents,
        "tasks": dict(counts),
        "low": low,
        "high": high,
    }


def _counted(rows: Iterable[Mapping[str, Any]]) -> dict[_System, dict[str, list[int]]]:
    """System to task to how many passed, how many there are, how many differ."""
    passed: dict[_System, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    distinct: dict[tuple[_System, str], set[str]] = defaultdict(set)
    for row in rows:
        key = (str(row["date"]), str(row["model"]), bool(row["docs_in_prompt"]))
        task = str(row["task"])
        passed[key][task].append(bool(row["passed"]))
        distinct[key, task].add(str(row["answer"]))
    return {
        key: {
            task: [sum(told), len(told), len(distinct[key, task])]
            for task, told in sorted(tasks.items())
        }
        for key, tasks in passed.items()
    }
