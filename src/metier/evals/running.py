"""Questioning a system: every item once, journaled, resumable after ``kill -9``.

It knows ``messages.System`` and the journal; it knows nothing of how a system answers. A journal
holds whole batches, one line each, forced to disk before the next batch is asked. A run that was
killed starts again at the first batch that is not in the journal, with the same batch borders,
and ends in the same bytes as a run that was not.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from metier.errors import InputError, InternalError, UnavailableError
from metier.evals.items import Eval, EvalItem
from metier.evals.journal import append, damaged, journal_line, locked, unwritable, whole_lines
from metier.evals.results import Result, ResultItem, Timings, answer_digest, parse_result_item
from metier.evals.scoring import Scorer, scorer_from_name
from metier.manifest import canonical_json
from metier.messages import Progress, Report, System, silent
from metier.reference import Digest

FORMAT = "metier.journal/1"
DEFAULT_BATCH = 64


def never() -> bool:
    """A ``cancelled`` for callers that do not cancel."""
    return False


@dataclass(frozen=True, slots=True)
class Timed:
    """One item with its outcome, and the seconds that its answer took."""

    item: ResultItem
    seconds: float


def journal_path(
    folder: Path, system: str, eval_fingerprint: str, toolchain: Mapping[str, str] | None = None
) -> Path:
    """The journal of one system on one eval: a name made of both digests.

    With a toolchain its digest is in the name too: after an upgrade a run begins anew, and does
    not stumble over the journal of the one before.
    """
    names = [Digest.parse(system).short, Digest.parse(eval_fingerprint).short]
    if toolchain is not None:
        names.append(Digest.of(canonical_json(dict(toolchain))).short)
    return folder / f"{'-'.join(names)}.journal.jsonl"


def run(
    system: System,
    sealed: Eval,
    *,
    journal: Path,
    batch: int = DEFAULT_BATCH,
    toolchain: Mapping[str, str] | None = None,
    scorer: Scorer | None = None,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> Result:
    """Answer every item and score it; resumes from ``journal`` if it holds answers already.

    The journal stays when the run is done, so that nothing is lost before the result is written;
    ``discard`` it then.

    Args:
        system: What is questioned.
        sealed: The eval.
        journal: File of this run; made if it is not there.
        batch: Texts per call of the system. A journal keeps the size that it was begun with.
        toolchain: Name to version of what can change an outcome; part of the result's digest.
        scorer: A plugin's, of the name that the eval has. By default the built-in one.
        report: Receives progress with the rate and the time left.
        cancelled: Asked before each batch.

    Raises:
        InputError: ``other_scorer``; ``other_journal``: it belongs to another system or eval.
        StorageError: It cannot be written; ``journal_busy``: another process holds it.
        CorruptError: A line of the journal other than the last is damaged.
        UnavailableError: ``cancelled``; what was answered is in the journal.
        MetierError: Whatever the system raises; what was answered is in the journal.
    """
    judge = scorer or scorer_from_name(sealed.scorer)
    if judge.name != sealed.scorer:
        raise InputError(
            f"The eval is scored by {sealed.scorer!r}, not by {judge.name!r}.", code="other_scorer"
        )
    if batch < 1:
        raise InputError(f"A batch of {batch} texts is not possible.", code="bad_batch")
    header: dict[str, Any] = {
        "format": FORMAT,
        "system": system.digest,
        "eval": sealed.fingerprint,
        "scorer": sealed.scorer,
        "toolchain": dict(toolchain or {}),
        "batch": batch,
    }
    with locked(journal) as file:
        size, answered = _resume(file, journal, header, sealed)
        pace = _Pace(report, system.name, total=len(sealed.items), before=len(answered))
        pace.tell(len(answered))
        for start in range(len(answered), len(sealed.items), size):
            if cancelled():
                raise _cancelled(len(answered), len(sealed.items))
            fresh = ask(system, judge, sealed.items[start : start + size])
            append(file, journal, {"batch": start // size, "items": _lines(fresh)})
            answered.extend(fresh)
            pace.tell(len(answered))
    return _result(system, sealed, answered, header["toolchain"])


def run_to_end(
    system: System,
    sealed: Eval,
    *,
    journals: Path,
    batch: int,
    toolchain: Mapping[str, str],
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
    keep: bool = False,
) -> Result:
    """``run`` with a journal of its own under ``journals``, which is gone once the run is done.

    With ``keep`` it stays, for answers that cost money and are not filed yet.
    """
    try:
        journals.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(journals, error) from error
    journal = journal_path(journals, system.digest, sealed.fingerprint, toolchain)
    result = run(
        system,
        sealed,
        journal=journal,
        batch=batch,
        toolchain=toolchain,
        report=report,
        cancelled=cancelled,
    )
    if not keep:
        discard(journal)
    return result


def discard(journal: Path) -> None:
    """Remove a journal whose result was written. Removing one that is gone is no error."""
    journal.unlink(missing_ok=True)


def _result(
    system: System, sealed: Eval, answered: Sequence[Timed], toolchain: Mapping[str, str]
) -> Result:
    return Result(
        system=system.digest,
        system_name=system.name,
        eval_fingerprint=sealed.fingerprint,
        scorer=sealed.scorer,
        items=tuple(one.item for one in answered),
        toolchain=toolchain,
        timings=Timings(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds={one.item.id: one.seconds for one in answered},
            machine={"cores": os.cpu_count() or 1, "system": platform.platform()},
        ),
    )


def ask(system: System, scorer: Scorer, items: Sequence[EvalItem]) -> list[Timed]:
    """Put items to a system and score what it says, in their order.

    Raises:
        InternalError: It gave another number of answers (``answer_count``).
        MetierError: Whatever the system raises.
    """
    answers = system.answer([item.text for item in items])
    if len(answers) != len(items):
        raise InternalError(
            f"{system.name} gave {len(answers)} answers to {len(items)} texts.",
            code="answer_count",
        )
    answered = []
    for item, answer in zip(items, answers, strict=True):
        outcome = scorer.score(item, answer)
        text = None if answer.error is not None else answer.text
        kept = ResultItem(
            id=item.id,
            cluster=item.cluster,
            outcome=outcome,
            answer=None if text is None or outcome == "unscored" else answer_digest(text),
            date=item.date,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
        )
        answered.append(Timed(kept, round(answer.seconds, 6)))
    return answered


def _lines(answered: Sequence[Timed]) -> list[dict[str, Any]]:
    return [{**one.item.fields(), "seconds": one.seconds} for one in answered]


def _resume(
    file: BinaryIO, journal: Path, header: dict[str, Any], sealed: Eval
) -> tuple[int, list[Timed]]:
    """The batch size and the answers that the journal holds; a torn last line is cut off."""
    lines = whole_lines(file)
    if not lines:
        append(file, journal, header)
        return int(header["batch"]), []
    found = journal_line(journal, 1, lines[0])
    for field in ("format", "system", "eval", "scorer", "toolchain"):
        if found.get(field) != header[field]:
            raise InputError(
                f"The journal {journal} belongs to another {field}: {found.get(field)!r}, "
                f"not {header[field]!r}.",
                code="other_journal",
                remedy="Give this run a journal of its own, or delete that one.",
            )
    size = found.get("batch")
    if not isinstance(size, int) or size < 1:
        raise damaged(journal, 1, "the batch size is missing")
    answered: list[Timed] = []
    for number, line in enumerate(lines[1:], start=2):
        expected = sealed.items[len(answered) : len(answered) + size]
        answered.extend(_journal_batch(journal, number, line, expected))
    return size, answered


def _journal_batch(
    journal: Path, number: int, line: bytes, expected: Sequence[EvalItem]
) -> list[Timed]:
    rows = journal_line(journal, number, line).get("items")
    if not isinstance(rows, list) or len(rows) != len(expected) or not rows:
        raise damaged(journal, number, "it does not hold the items that come next")
    answered = []
    for item, row in zip(expected, rows, strict=True):
        fields = dict(row) if isinstance(row, dict) else {}
        seconds = fields.pop("seconds", 0.0)
        kept = parse_result_item(fields, f"{journal}, line {number}")
        if kept.id != item.id or not isinstance(seconds, int | float):
            raise damaged(journal, number, f"it does not hold item {item.id!r} in its place")
        answered.append(Timed(kept, float(seconds)))
    return answered


class _Pace:
    """Progress with rate and time left, measured on the items that this process answered."""

    def __init__(self, report: Report, name: str, *, total: int, before: int) -> None:
        self._report, self._name = report, name
        self._total, self._before = total, before
        self._started = time.monotonic()

    def tell(self, done: int) -> None:
        elapsed = time.monotonic() - self._started
        fresh = done - self._before
        rate = fresh / elapsed if fresh and elapsed > 0.0 else None
        message = f"{self._name}: {done:,} of {self._total:,} items"
        if rate is not None:
            message += f", {rate:,.0f} a second" if rate >= 10 else f", {rate:.1f} a second"
        elif self._before:
            message += ", resumed"
        self._report(
            Progress(
                stage="eval",
                message=message,
                fraction=done / self._total,
                seconds_left=(self._total - done) / rate if rate else None,
                data={"done": done, "total": self._total, "resumed": self._before},
            )
        )


def _cancelled(done: int, total: int) -> UnavailableError:
    return UnavailableError(
        f"The eval was stopped after {done:,} of {total:,} items.",
        code="cancelled",
        remedy="Run the same command again; it goes on from there.",
        retryable=True,
    )
