"""The answers of one candidate to one eval: asked once, kept on the disk, found again.

It knows a system, a scorer and one journal; it does not know who is compared with whom, nor in
which order items are asked. Items stand in the journal by their ids, so a search with another
seed or budget finds them too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from metier.evals.items import Eval, EvalItem
from metier.evals.journal import append, damaged, journal_line, locked, unwritable, whole_lines
from metier.evals.results import ResultItem, parse_result_item
from metier.evals.running import ask, journal_path
from metier.evals.scoring import Scorer, scorer_from_name
from metier.messages import System

FORMAT = "metier.tries/1"


@dataclass(frozen=True, slots=True)
class Answered:
    """One item with its outcome: seconds of the answer, and its share of the wall time."""

    item: ResultItem
    seconds: float
    wall: float

    @classmethod
    def silent(cls, item: EvalItem) -> Answered:
        """An item that nobody answered."""
        return cls(ResultItem(item.id, item.cluster, "unscored", date=item.date), 0.0, 0.0)


class Answers:
    """What a candidate answered so far; ``opened`` holds its journal."""

    def __init__(self, system: System, scorer: Scorer, journal: Path, file: BinaryIO) -> None:
        self._system = system
        self._scorer = scorer
        self._journal = journal
        self._file = file
        self._known: dict[str, Answered] = {}

    @classmethod
    @contextmanager
    def opened(
        cls, folder: Path, system: System, sealed: Eval, toolchain: Mapping[str, str]
    ) -> Iterator[Answers]:
        """The answers of a system to an eval, with its journal held until the end.

        Raises:
            StorageError: It cannot be written, or another process holds it (``journal_busy``).
            CorruptError: A line of it is damaged.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        journal = journal_path(folder, system.digest, sealed.fingerprint, toolchain)
        with locked(journal) as file:
            found = cls(system, scorer_from_name(sealed.scorer), journal, file)
            found._read(
                {
                    "format": FORMAT,
                    "system": system.digest,
                    "eval": sealed.fingerprint,
                    "scorer": sealed.scorer,
                    "toolchain": dict(toolchain),
                },
                sealed,
            )
            yield found

    def __len__(self) -> int:
        return len(self._known)

    def of(self, item: EvalItem) -> Answered | None:
        """The answer to an item, or ``None`` if it was not asked."""
        return self._known.get(item.id)

    def ask(self, items: Sequence[EvalItem]) -> list[Answered]:
        """Ask items that were not asked, and keep their answers before returning.

        Raises:
            MetierError: Whatever the system raises; nothing is kept of these items then.
        """
        start = time.monotonic()
        timed = ask(self._system, self._scorer, items)
        wall = (time.monotonic() - start) / max(1, len(items))
        fresh = [Answered(one.item, one.seconds, round(wall, 6)) for one in timed]
        # An item that could not be answered today may be tomorrow: it is not kept.
        scored = [one for one in fresh if one.item.outcome != "unscored"]
        if scored:
            append(self._file, self._journal, {"items": [_line(one) for one in scored]})
        self._known.update((one.item.id, one) for one in fresh)
        return fresh

    def _read(self, header: dict[str, Any], sealed: Eval) -> None:
        lines = whole_lines(self._file)
        if not lines:
            append(self._file, self._journal, header)
            return
        if journal_line(self._journal, 1, lines[0]) != header:
            raise damaged(self._journal, 1, "it belongs to another system or eval")
        asked = {item.id for item in sealed.items}
        for number, line in enumerate(lines[1:], start=2):
            rows = journal_line(self._journal, number, line).get("items")
            if not isinstance(rows, list):
                raise damaged(self._journal, number, "it holds no items")
            for row in rows:
                one = _parsed(row, f"{self._journal}, line {number}")
                if one is None or one.item.id not in asked:
                    raise damaged(self._journal, number, "it holds an item that the eval lacks")
                self._known[one.item.id] = one


def _line(one: Answered) -> dict[str, Any]:
    return {**one.item.fields(), "seconds": one.seconds, "wall": one.wall}


def _parsed(row: Any, where: str) -> Answered | None:
    fields = dict(row) if isinstance(row, dict) else {}
    seconds, wall = fields.pop("seconds", None), fields.pop("wall", None)
    if not isinstance(seconds, int | float) or not isinstance(wall, int | float):
        return None
    return Answered(parse_result_item(fields, where), float(seconds), float(wall))
