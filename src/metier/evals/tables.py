"""The table of an executed eval as a file that can be shared, and scored again by anybody.

It knows the file format (``docs/formats/table.md``); ``findings`` says what the table shows. Three
files: the table, whose bytes do not depend on how fast or in how many pieces it was run; timings;
and the answers, which stay private unless somebody gives them away.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from metier.coding import SourceFile
from metier.errors import CorruptError, InputError, NotFoundError
from metier.evals.items import read_lines, write_whole
from metier.evals.results import Result, ResultItem, answer_digest, parse_result_item
from metier.evals.tasks import SCORER
from metier.manifest import canonical_json
from metier.reference import Digest

FORMAT = "metier.table/1"
TIMINGS_FORMAT = "metier.table-timings/1"
ANSWERS_FORMAT = "metier.table-answers/1"
MAX_LINE_BYTES = 8_000_000
_HEADER = ("specialist", "specialist_digest", "eval", "title", "fingerprint", "command", "date")


@dataclass(frozen=True)
class Entry:
    """One row: a base with some of the specialist's parts.

    Attributes:
        base: ``remote:NAME``, ``replay:FILE`` …
        base_digest: Of what determines the base's answers.
        parts: ``docs``, ``tools`` …; empty for the base alone.
        settings: What else can change an answer, as JSON.
        recorded: Whether the answers were recorded elsewhere.
        cost_class: What a person pays.
        result: The outcomes.
        spent: Item id to money, where a price is known.
        reasons: Item id to why it is unscored, in a word.
        seconds: Item id to wall seconds until the answer was there; not in the file's digest.
        judge_seconds: Item id to wall seconds of the judgement; not in the file's digest.
    """

    base: str
    base_digest: str
    parts: tuple[str, ...]
    settings: Mapping[str, Any]
    recorded: bool
    cost_class: str
    result: Result
    spent: Mapping[str, float] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)
    judge_seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The base and its parts, for people."""
        return " + ".join((self.base, *self.parts))

    def fields(self, number: int) -> dict[str, Any]:
        """The line of the entry."""
        return {
            "entry": number,
            "base": self.base,
            "base_digest": self.base_digest,
            "parts": list(self.parts),
            "settings": dict(self.settings),
            "recorded": self.recorded,
            "cost_class": self.cost_class,
            "system": self.result.system,
            "result": self.result.digest,
        }


@dataclass(frozen=True)
class Table:
    """Bases under a specialist on one eval.

    Attributes:
        specialist: Its name.
        specialist_digest: Of what is installed under it.
        eval: Name of the eval.
        title: The eval's, for people.
        fingerprint: The eval's.
        command: What repeats it.
        date: ISO date of the run.
        samples: Answers to each task.
        frozen: Task id to why it is frozen, with the date.
        toolchain: Name to version or digest of what judged, the sandbox among it.
        machine: Class of the machine, no more than a stranger may know.
        entries: The rows, as they were asked for.
    """

    specialist: str
    specialist_digest: str
    eval: str
    title: str
    fingerprint: str
    command: str
    date: str
    samples: int
    frozen: Mapping[str, str]
    toolchain: Mapping[str, str]
    machine: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @property
    def recorded(self) -> bool:
        """Whether some of the answers were recorded elsewhere."""
        return any(entry.recorded for entry in self.entries)

    def to_bytes(self) -> bytes:
        """Canonical bytes: the header, a line for each entry, then one for each item."""
        header: dict[str, Any] = {name: getattr(self, name) for name in _HEADER}
        header |= {
            "format": FORMAT,
            "scorer": SCORER,
            "samples": self.samples,
            "frozen": dict(self.frozen),
            "toolchain": dict(self.toolchain),
            "machine": dict(self.machine),
            "entries": len(self.entries),
            "recorded": self.recorded,
        }
        lines = [header, *(one.fields(number) for number, one in self._numbered())]
        for number, entry in self._numbered():
            for item in entry.result.items:
                more = {"spent": entry.spent.get(item.id), "reason": entry.reasons.get(item.id)}
                kept = {name: value for name, value in more.items() if value is not None}
                lines.append({"entry": number, **item.fields(), **kept})
        return b"\n".join(canonical_json(line) for line in lines) + b"\n"

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of ``to_bytes``."""
        return str(Digest.of(self.to_bytes()))

    def timings_bytes(self) -> bytes:
        """Seconds by entry and item, as JSON, with the digest of the table."""
        return canonical_json(
            {
                "format": TIMINGS_FORMAT,
                "table": self.digest,
                "entries": [
                    {"seconds": dict(one.seconds), "judge_seconds": dict(one.judge_seconds)}
                    for one in self.entries
                ],
            }
        )

    def _numbered(self) -> list[tuple[int, Entry]]:
        return list(enumerate(self.entries, start=1))


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as the private part keeps it; ``entry`` counts from 1."""

    entry: int
    id: str
    text: str
    files: tuple[SourceFile, ...]
    why: str

    def fields(self) -> dict[str, Any]:
        """Its line."""
        return {
            "entry": self.entry,
            "id": self.id,
            "text": self.text,
            "files": {file.path: file.text for file in self.files},
            "why": self.why,
        }


def median_seconds(entry: Entry) -> float | None:
    """Median wall seconds of an answer, or ``None`` if nothing was timed."""
    timed = [value for value in entry.seconds.values() if value > 0.0]
    return statistics.median(timed) if timed else None


def timings_path(path: Path) -> Path:
    """Where the timings stand: ``x.jsonl`` has ``x.timings.json``."""
    return path.with_name(f"{path.name.removesuffix('.jsonl')}.timings.json")


def answers_path(path: Path) -> Path:
    """Where the answers stand: ``x.jsonl`` has ``x.answers.jsonl``."""
    return path.with_name(f"{path.name.removesuffix('.jsonl')}.answers.jsonl")


def write_table(path: Path, table: Table, answers: tuple[KeptAnswer, ...] | None = None) -> None:
    """Write the table, its timings and, if given, its answers; each whole or not at all."""
    if answers is not None:
        lines: list[dict[str, Any]] = [{"format": ANSWERS_FORMAT, "table": table.digest}]
        lines.extend(answer.fields() for answer in answers)
        write_whole(answers_path(path), b"\n".join(canonical_json(line) for line in lines) + b"\n")
    write_whole(timings_path(path), table.timings_bytes())
    write_whole(path, table.to_bytes())


def read_table(path: Path) -> Table:
    """Read a table and check it: every entry's outcomes have the digest that is written there.

    Timings are read if they are there and belong to it.

    Raises NotFoundError if there is no such file, and CorruptError (code ``bad_table``) naming
    what is wrong.
    """
    try:
        lines = list(read_lines(path, MAX_LINE_BYTES))
    except NotFoundError:
        raise
    except InputError as error:
        raise _bad(error.message.rstrip(".")) from error
    if not lines or lines[0][1].get("format") != FORMAT:
        raise _bad(f"{path}, line 1: not the header of a table")
    header = lines[0][1]
    try:
        table = _parse(header, lines[1:], path)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise _bad(f"{path} is not complete ({error})") from error
    return _timed(table, timings_path(path))


def read_answers(path: Path, table: Table) -> tuple[KeptAnswer, ...]:
    """The answers beside a table, or none where they were not given.

    Raises CorruptError (code ``bad_table``) if they belong to another table, or an answer does
    not have the digest that the table says.
    """
    beside = answers_path(path)
    if not beside.is_file():
        return ()
    lines = [fields for _, fields in read_lines(beside, MAX_LINE_BYTES)]
    if not lines or lines[0].get("table") != table.digest:
        raise _bad(f"{beside} holds the answers of another table")
    said = {
        (number, item.id): item.answer
        for number, entry in enumerate(table.entries, start=1)
        for item in entry.result.items
    }
    found = []
    for fields in lines[1:]:
        try:
            files = tuple(SourceFile(name, text) for name, text in fields["files"].items())
            one = KeptAnswer(fields["entry"], fields["id"], fields["text"], files, fields["why"])
        except (KeyError, AttributeError) as error:
            raise _bad(f"{beside}: an answer is not complete ({error})") from error
        if said.get((one.entry, one.id)) != answer_digest(one.text):
            raise _bad(f"{beside}: the answer to {one.id} is not the one that was judged")
        found.append(one)
    return tuple(found)


def _parse(header: Mapping[str, Any], lines: list[tuple[int, dict[str, Any]]], path: Path) -> Table:
    count = int(header["entries"])
    heads = [fields for _, fields in lines[:count]]
    items: dict[int, list[ResultItem]] = {number: [] for number in range(1, count + 1)}
    spent: dict[int, dict[str, float]] = {number: {} for number in items}
    reasons: dict[int, dict[str, str]] = {number: {} for number in items}
    for number, fields in lines[count:]:
        rest = dict(fields)
        entry = int(rest.pop("entry"))
        money, reason = rest.pop("spent", None), rest.pop("reason", None)
        item = parse_result_item(rest, f"{path}, line {number}")
        items[entry].append(item)
        if money is not None:
            spent[entry][item.id] = float(money)
        if reason is not None:
            reasons[entry][item.id] = str(reason)
    entries = tuple(
        _entry(head, number, header, tuple(items[number]), (spent[number], reasons[number]))
        for number, head in enumerate(heads, start=1)
    )
    return Table(
        **{name: str(header[name]) for name in _HEADER},
        samples=int(header["samples"]),
        frozen=dict(header["frozen"]),
        toolchain=dict(header["toolchain"]),
        machine=dict(header["machine"]),
        entries=entries,
    )


def _entry(
    head: Mapping[str, Any],
    number: int,
    header: Mapping[str, Any],
    items: tuple[ResultItem, ...],
    beside: tuple[dict[str, float], dict[str, str]],
) -> Entry:
    parts = tuple(str(part) for part in head["parts"])
    result = Result(
        system=head["system"],
        system_name=" + ".join((head["base"], *parts)),
        eval_fingerprint=header["fingerprint"],
        scorer=SCORER,
        items=items,
        toolchain=dict(header["toolchain"]),
    )
    if head["entry"] != number or head["result"] != result.digest:
        raise ValueError(f"the outcomes of entry {number} are not those that it was written with")
    return Entry(
        base=str(head["base"]),
        base_digest=str(head["base_digest"]),
        parts=parts,
        settings=dict(head["settings"]),
        recorded=bool(head["recorded"]),
        cost_class=str(head["cost_class"]),
        result=result,
        spent=beside[0],
        reasons=beside[1],
    )


def _timed(table: Table, path: Path) -> Table:
    """The table with its timings; those of another table, or none that can be read, are left."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return table
    if not isinstance(document, dict) or document.get("table") != table.digest:
        return table
    for entry, timed in zip(table.entries, document["entries"], strict=False):
        object.__setattr__(entry, "seconds", dict(timed["seconds"]))
        object.__setattr__(entry, "judge_seconds", dict(timed["judge_seconds"]))
    return table


def _bad(message: str) -> CorruptError:
    return CorruptError(
        f"{message}.",
        code="bad_table",
        remedy="Take the original file, or run the eval again; see docs/formats/table.md.",
    )
