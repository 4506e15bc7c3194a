"""A result: the outcomes of one system on one eval, one item a line, as canonical bytes.

It knows the file format (``docs/formats/result.md``); it knows no system and no question. Dates
of the run and timings stand in a separate part that the digest leaves out, so the same answers
give the same digest, however long they took.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from metier.errors import CorruptError, InputError, NotFoundError, StorageError
from metier.evals.items import read_lines, write_whole
from metier.manifest import canonical_json
from metier.messages import Outcome
from metier.reference import Digest

FORMAT = "metier.result/1"
TIMINGS_FORMAT = "metier.timings/1"
MAX_LINE_BYTES = 65_536
_FIELDS = {"id", "cluster", "outcome", "answer", "date", "tokens_in", "tokens_out"}


@dataclass(frozen=True, slots=True)
class ResultItem:
    """What one item came to.

    Attributes:
        id: The item's id.
        cluster: The item's cluster.
        outcome: 0 to 1, or "unscored", which is never 0.
        answer: Short digest of the answer's text (``answer_digest``), ``None`` if the system
            abstained or could not answer.
        date: ISO date of the item, if known.
        tokens_in: Tokens of the question, 0 where nothing is counted.
        tokens_out: Tokens of the answer.
    """

    id: str
    cluster: str
    outcome: Outcome
    answer: str | None = None
    date: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def abstained(self) -> bool:
        """Scored although no answer was given."""
        return self.answer is None and self.outcome != "unscored"

    def fields(self) -> dict[str, Any]:
        """The fields of its line; empty ones are left out."""
        outcome: Any = self.outcome
        if isinstance(outcome, float) and outcome.is_integer():
            outcome = int(outcome)
        optional = {
            "cluster": None if self.cluster == self.id else self.cluster,
            "answer": self.answer,
            "date": self.date,
            "tokens_in": self.tokens_in or None,
            "tokens_out": self.tokens_out or None,
        }
        kept = {name: value for name, value in optional.items() if value is not None}
        return {"id": self.id, "outcome": outcome, **kept}


@dataclass(frozen=True, slots=True)
class Timings:
    """When and how fast: the part that the digest leaves out.

    Attributes:
        date: ISO date and time of the run's end, UTC.
        seconds: Item id to wall seconds.
        machine: Where it ran, as facts for people.
    """

    date: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)

    def median_ms(self) -> float | None:
        """Median milliseconds of an item, or ``None`` if nothing was timed."""
        ordered = sorted(value for value in self.seconds.values() if value > 0.0)
        if not ordered:
            return None
        half = len(ordered) // 2
        middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0
        return middle * 1000.0


@dataclass(frozen=True)
class Result:
    """The outcomes of one system on one eval.

    Attributes:
        system: Digest of the system, ``sha256:…``.
        system_name: What people call it.
        eval_fingerprint: Fingerprint of the eval.
        scorer: Name of the scorer, every setting included.
        toolchain: Name to version of what can change an outcome.
        items: Sorted by id.
        timings: Not part of the digest.
    """

    system: str
    system_name: str
    eval_fingerprint: str
    scorer: str
    items: tuple[ResultItem, ...]
    toolchain: Mapping[str, str] = field(default_factory=dict)
    timings: Timings | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.items, key=lambda item: item.id))
        object.__setattr__(self, "items", ordered)
        if len({item.id for item in ordered}) != len(ordered) or not ordered:
            raise InputError("A result needs items, each with an id of its own.", code="bad_result")
        Digest.parse(self.system)
        Digest.parse(self.eval_fingerprint)

    def header(self) -> dict[str, Any]:
        """The first line: who answered which eval, scored how, with what."""
        return {
            "format": FORMAT,
            "system": self.system,
            "system_name": self.system_name,
            "eval": self.eval_fingerprint,
            "scorer": self.scorer,
            "items": len(self.items),
            "toolchain": dict(self.toolchain),
        }

    def to_bytes(self) -> bytes:
        """Canonical bytes: the header, then one item a line, sorted by id."""
        lines = [self.header(), *(item.fields() for item in self.items)]
        return b"\n".join(canonical_json(line) for line in lines) + b"\n"

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of ``to_bytes``."""
        return str(Digest.of(self.to_bytes()))

    @property
    def scored(self) -> tuple[ResultItem, ...]:
        """The items that have an outcome."""
        return tuple(item for item in self.items if item.outcome != "unscored")

    def timings_bytes(self) -> bytes:
        """The separate part: the result's digest, the date and seconds by item, as JSON."""
        timings = self.timings or Timings(date="")
        seconds = {key: round(value, 6) for key, value in timings.seconds.items()}
        return canonical_json(
            {
                "format": TIMINGS_FORMAT,
                "result": self.digest,
                "date": timings.date,
                "machine": dict(timings.machine),
                "seconds": seconds,
            }
        )


def answer_digest(text: str) -> str:
    """The first twelve hexadecimal digits of the SHA-256 of an answer's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def timings_path(path: Path) -> Path:
    """Where the timings of a result file stand: ``x.jsonl`` has ``x.timings.json``."""
    return path.with_name(f"{path.name.removesuffix('.jsonl')}.timings.json")


def write_result(path: Path, result: Result) -> None:
    """Write the result and, if there are any, its timings beside it; raises StorageError."""
    if result.timings is not None:
        write_whole(timings_path(path), result.timings_bytes())
    write_whole(path, result.to_bytes())


def read_result(path: Path, *, timed: bool = True) -> Result:
    """Read a result and, if ``timed``, the timings beside it that are there and belong to it.

    Raises NotFoundError if there is no such file, and CorruptError (code ``bad_result``) naming
    the line that is wrong.
    """
    try:
        lines = list(read_lines(path, MAX_LINE_BYTES))
    except NotFoundError:
        raise
    except InputError as error:
        raise CorruptError(error.message, code="bad_result", remedy=_REMEDY) from error
    if not lines or lines[0][1].get("format") != FORMAT:
        raise _bad(f"{path}, line 1: not the header of a result")
    header = lines[0][1]
    items = [parse_result_item(fields, f"{path}, line {number}") for number, fields in lines[1:]]
    if header.get("items") != len(items):
        raise _bad(f"{path} has {len(items)} items, its header says {header.get('items')}")
    try:
        result = Result(
            system=header["system"],
            system_name=header["system_name"],
            eval_fingerprint=header["eval"],
            scorer=header["scorer"],
            items=tuple(items),
            toolchain=header["toolchain"],
        )
    except (KeyError, InputError) as error:
        raise _bad(f"{path}, line 1: the header is not complete ({error})") from error
    if timed:
        timings = _read_timings(timings_path(path), result.digest)
        object.__setattr__(result, "timings", timings)
    return result


def parse_result_item(fields: Mapping[str, Any], where: str) -> ResultItem:
    """One line's fields to an item; raises CorruptError (code ``bad_result``)."""
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        raise _bad(f"{where}: unknown field {unknown[0][:80]!r}")
    name, outcome = fields.get("id"), fields.get("outcome")
    if not isinstance(name, str) or not name:
        raise _bad(f"{where}: the id is missing")
    texts = [fields.get(key) for key in ("cluster", "answer", "date")]
    counts = [fields.get(key, 0) for key in ("tokens_in", "tokens_out")]
    if any(value is not None and not isinstance(value, str) for value in texts):
        raise _bad(f"{where}: cluster, answer and date are text")
    if any(not isinstance(value, int) or value < 0 for value in counts):
        raise _bad(f"{where}: tokens are whole numbers")
    return ResultItem(
        id=name,
        cluster=fields.get("cluster", name),
        outcome=_parse_outcome(outcome, where),
        answer=fields.get("answer"),
        date=fields.get("date"),
        tokens_in=counts[0],
        tokens_out=counts[1],
    )


def _parse_outcome(value: Any, where: str) -> Outcome:
    if value == "unscored":
        return "unscored"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"{where}: the outcome is neither a number nor 'unscored'")
    if not (math.isfinite(value) and 0.0 <= value <= 1.0):
        raise _bad(f"{where}: the outcome is not between 0 and 1")
    return float(value)


def _read_timings(path: Path, digest: str) -> Timings | None:
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path} cannot be read: {error}.",
            remedy="Delete it; the result stands without its timings.",
        ) from error
    if not isinstance(document, dict) or document.get("result") != digest:
        return None
    seconds = document.get("seconds", {})
    return Timings(
        date=str(document.get("date", "")),
        seconds={str(key): float(value) for key, value in seconds.items()},
        machine=document.get("machine", {}),
    )


_REMEDY = "Run the eval again; see docs/formats/result.md for the format."


def _bad(message: str) -> CorruptError:
    return CorruptError(f"{message}.", code="bad_result", remedy=_REMEDY)
