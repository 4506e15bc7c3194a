"""Putting tasks to a base: every task answered, the answer executed, all of it journaled.

It knows what answers (``Entrant``) and what judges (a tool) only by what they say. An answer that
passes counts 1, one that fails 0; where nothing can be said of the answer (the service was down,
the toolchain is missing, the task is frozen, the judge fell over) the item is unscored, never 0.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from metier.coding import Judged, SourceFile, Tool
from metier.conversing import Reply
from metier.errors import InputError, MetierError, UnavailableError
from metier.evals.journal import append, damaged, journal_line, locked, whole_lines
from metier.evals.placing import placed
from metier.evals.results import Result, ResultItem, answer_digest
from metier.evals.running import never
from metier.evals.selftest import ToolFor
from metier.evals.tasks import SCORER, Suite, Task
from metier.manifest import canonical_json
from metier.messages import Outcome, Progress, Report, silent
from metier.reference import Digest

FORMAT = "metier.answers/1"
MOST_IN_A_ROW = 5
"""Replies that may fail one after the other before the rest of the tasks is not asked."""


@dataclass(frozen=True)
class Entrant:
    """A base with some of a specialist's parts: one row of the table.

    Attributes:
        base: ``remote:NAME``, ``replay:FILE`` …
        base_digest: Of what determines the base's answers.
        parts: Of the specialist, ``docs``, ``tools`` …; empty for the base alone.
        settings: Everything else that can change an answer, as JSON: the policy's settings, the
            digests of prompt, packs and tools.
        reply: Answers a task; the second argument counts samples from 1, the third says when to
            stop. Called by many threads.
        recorded: Whether the base's answers were recorded elsewhere: plumbing, no measurement.
        cost_class: What a person pays for it.
        askers: Tasks that it is asked side by side, at most.
    """

    base: str
    base_digest: str
    parts: tuple[str, ...]
    settings: Mapping[str, Any]
    reply: Callable[[Task, int, Callable[[], bool]], Reply]
    recorded: bool = False
    cost_class: str = "this machine"
    askers: int = 8

    @property
    def name(self) -> str:
        """The base and its parts, for people."""
        return " + ".join((self.base, *self.parts))

    @property
    def digest(self) -> str:
        """``sha256:…`` over everything that can change an answer."""
        said = {"base": self.base_digest, "parts": list(self.parts), "settings": self.settings}
        return str(Digest.of(canonical_json(said)))


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one task, once.

    Attributes:
        item: As the result keeps it.
        why: Why it failed or is unscored; empty if it passed.
        text: The answer, empty where there was none.
        files: Its files, as they were judged.
        seconds: Wall seconds until the answer was there.
        judge_seconds: Wall seconds of the judgement; 0 for a copy of an answer judged before.
        spent: Money, or ``None`` where no price is known.
        reason: Why it is unscored, in a word: ``frozen``, ``toolchain``, ``answer`` (the base gave
            none), ``not asked`` or ``judge``; ``None`` if it is scored.
        final: Whether asking again would change nothing; else a later run asks again.
    """

    item: ResultItem
    why: str = ""
    text: str = ""
    files: tuple[SourceFile, ...] = ()
    seconds: float = 0.0
    judge_seconds: float = 0.0
    spent: float | None = None
    reason: str | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of all tasks: the result, and beside it what its digest leaves out."""

    result: Result
    answered: tuple[Answered, ...] = field(repr=False)


@dataclass(frozen=True)
class Rules:
    """How an executed eval is run.

    Attributes:
        tools: Gives a tool on a toolchain.
        frozen: Ids of tasks that are not asked, with the reason.
        toolchain: Name to version or digest of what can change an outcome; in the result.
        samples: Answers to each task.
        workers: Tasks that are answered and judged side by side.
    """

    tools: ToolFor
    frozen: Mapping[str, str] = field(default_factory=dict)
    toolchain: Mapping[str, str] = field(default_factory=dict)
    samples: int = 1
    workers: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.samples <= 1_000:
            raise InputError(
                f"{self.samples} samples of each task are not possible.",
                code="bad_samples",
                remedy="Ask for 1 to 1,000.",
            )


def run_entrant(
    entrant: Entrant,
    suite: Suite,
    rules: Rules,
    *,
    journal: Path,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> Ran:
    """Answer and judge every task; what the journal holds already is not asked again.

    A run that was killed and run again ends in the same bytes as one that was not. The journal
    stays, so that a further base or part costs only its own answers.

    Args:
        entrant: What answers.
        suite: What is asked.
        rules: How.
        journal: File of this entrant on this suite; made if it is not there.
        report: Receives progress with the time left.
        cancelled: Asked often; stops the run.

    Raises:
        UnavailableError: ``cancelled``; what was answered is kept.
        StorageError: The journal cannot be written, or another process holds it.
        CorruptError: A line of the journal other than the last is damaged.
    """
    asked = [(task, sample) for task in suite.tasks for sample in range(1, rules.samples + 1)]
    with locked(journal) as file:
        book = _Book(file, journal, entrant, suite, rules)
        work = _Work(entrant, rules, book, cancelled)
        pace = _Pace(report, entrant.name, len(asked))
        known = {
            (task.id, sample): found
            for task, sample in asked
            if (found := work.known(task, sample)) is not None
        }
        pace.before = len(known)
        pace.tell(len(known))
        todo = [one for one in asked if (one[0].id, one[1]) not in known]
        for key, answered in work.through(todo):
            known[key] = answered
            pace.tell(len(known))
    ordered = tuple(known[task.id, sample] for task, sample in asked)
    result = Result(
        system=entrant.digest,
        system_name=entrant.name,
        eval_fingerprint=suite.fingerprint,
        scorer=SCORER,
        items=tuple(one.item for one in ordered),
        toolchain=dict(rules.toolchain),
    )
    return Ran(result, tuple(sorted(ordered, key=lambda one: one.item.id)))


def journal_name(entrant: Entrant, suite: Suite, toolchain: Mapping[str, str]) -> str:
    """The file name of the journal: the digests of what answers, what is asked, what judges."""
    names = (entrant.digest, suite.fingerprint, str(Digest.of(canonical_json(dict(toolchain)))))
    return f"{'-'.join(Digest.parse(name).short for name in names)}.answers.jsonl"


def item_id(task: str, sample: int, samples: int) -> str:
    """``counter``, or ``counter#2`` where each task is answered several times."""
    return task if samples == 1 else f"{task}#{sample}"


class _Book:
    """The journal as a table from task and sample to what came of it."""

    def __init__(
        self, file: BinaryIO, path: Path, entrant: Entrant, suite: Suite, rules: Rules
    ) -> None:
        self._file, self._path, self._rules = file, path, rules
        self._lock = threading.Lock()
        self.kept: dict[tuple[str, int], dict[str, Any]] = {}
        header = {
            "format": FORMAT,
            "system": entrant.digest,
            "eval": suite.fingerprint,
            "toolchain": dict(rules.toolchain),
        }
        lines = whole_lines(file)
        if not lines:
            append(file, path, header)
        elif journal_line(path, 1, lines[0]) != header:
            raise InputError(
                f"The journal {path} belongs to another run.",
                code="other_journal",
                remedy="Give this run a journal of its own, or delete that one.",
            )
        for number, line in enumerate(lines[1:], start=2):
            fields = journal_line(path, number, line)
            try:
                self.kept[str(fields["task"]), int(fields["sample"])] = fields
                self._parse(fields, "")
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise damaged(path, number, "a field is missing or wrong") from error

    def get(self, task: Task, sample: int) -> Answered | None:
        """What is known, or ``None``."""
        fields = self.kept.get((task.id, sample))
        return None if fields is None else self._parse(fields, task.cluster, task.date)

    def put(self, task: Task, sample: int, answered: Answered) -> None:
        """Keep what came of a task."""
        item = answered.item
        fields = {
            "task": task.id,
            "sample": sample,
            "outcome": item.outcome,
            "answer": item.answer,
            "tokens_in": item.tokens_in,
            "tokens_out": item.tokens_out,
            "why": answered.why,
            "text": answered.text,
            "files": {file.path: file.text for file in answered.files},
            "seconds": round(answered.seconds, 6),
            "judge_seconds": round(answered.judge_seconds, 6),
            "spent": answered.spent,
        }
        with self._lock:
            append(self._file, self._path, fields)

    def _parse(self, fields: Mapping[str, Any], cluster: str, date: str | None = None) -> Answered:
        task, sample = str(fields["task"]), int(fields["sample"])
        outcome = float(fields["outcome"])
        if outcome not in (0.0, 1.0):
            raise ValueError(outcome)
        item = ResultItem(
            id=item_id(task, sample, self._rules.samples),
            cluster=cluster,
            outcome=outcome,
            answer=fields["answer"],
            date=date,
            tokens_in=int(fields["tokens_in"]),
            tokens_out=int(fields["tokens_out"]),
        )
        files = tuple(SourceFile(path, text) for path, text in fields["files"].items())
        spent = fields["spent"]
        return Answered(
            item,
            why=str(fields["why"]),
            text=str(fields["text"]),
            files=files,
            seconds=float(fields["seconds"]),
            judge_seconds=float(fields["judge_seconds"]),
            spent=None if spent is None else float(spent),
        )


class _Work:
    """One run while it is done: threads, copies, and a service that may be down."""

    def __init__(
        self, entrant: Entrant, rules: Rules, book: _Book, cancelled: Callable[[], bool]
    ) -> None:
        self._entrant, self._rules, self._book = entrant, rules, book
        self._stop = threading.Event()
        self._asked_to_stop = cancelled
        self._judged: dict[tuple[str, tuple[SourceFile, ...]], Judged] = {}
        self._in_a_row = 0
        self._down = ""
        self._slots = threading.BoundedSemaphore(max(1, entrant.askers))
        self._lock = threading.Lock()

    def known(self, task: Task, sample: int) -> Answered | None:
        """What needs no asking: frozen tasks, those without a tool, those in the journal."""
        if task.id in self._rules.frozen:
            return self._unscored(task, sample, "frozen", self._rules.frozen[task.id])
        try:
            _ = self._rules.tools(task.tool, task.runs_on).digest
        except UnavailableError as error:
            return self._unscored(task, sample, "toolchain", error.message)
        found = self._book.get(task, sample)
        if found is not None and found.files:
            passed = found.item.outcome == 1.0
            judged = Judged("passed") if passed else Judged("failed", None, found.why)
            self._judged.setdefault((task.id, found.files), judged)
        return found

    def through(
        self, todo: Sequence[tuple[Task, int]]
    ) -> Iterator[tuple[tuple[str, int], Answered]]:
        """Answers as they come, a few at a time."""
        waiting = list(reversed(todo))
        running: dict[Future[Answered], tuple[str, int]] = {}
        workers = max(1, self._rules.workers)
        with ThreadPoolExecutor(max_workers=workers) as pool:
            try:
                while waiting or running:
                    if self._asked_to_stop():
                        raise _cancelled(len(todo) - len(waiting) - len(running), len(todo))
                    while waiting and len(running) < workers:
                        task, sample = waiting.pop()
                        future = pool.submit(self._one, task, sample)
                        running[future] = (task.id, sample)
                    finished, _ = wait(running, timeout=0.25, return_when=FIRST_COMPLETED)
                    for future in finished:
                        yield running.pop(future), future.result()
            finally:
                self._stop.set()

    def _one(self, task: Task, sample: int) -> Answered:
        if self._down:
            return self._unscored(task, sample, "not asked", self._down)
        try:
            with self._slots:
                started = time.monotonic()
                reply = self._entrant.reply(task, sample, self._stopping)
                seconds = time.monotonic() - started
        except (InputError, UnavailableError) as error:
            if error.code == "cancelled":
                raise _cancelled(0, 0) from error
            self._failed(error)
            return self._unscored(task, sample, "answer", error.message)
        self._in_a_row = 0
        answered = self._judge(task, sample, reply, seconds)
        if answered.final:
            self._book.put(task, sample, answered)
        return answered

    def _judge(self, task: Task, sample: int, reply: Reply, seconds: float) -> Answered:
        tool = self._rules.tools(task.tool, task.runs_on)
        text = reply.text.encode("utf-8", "replace").decode("utf-8")
        files = placed(reply.files or tool.files_of(text), text, task.writes)
        key = (task.id, files)
        judged = self._judged.get(key)
        copy = judged is not None
        if judged is None:
            judged = _verdict(tool, files, task)
            with self._lock:
                self._judged[key] = judged
        outcomes: dict[str, Outcome] = {"passed": 1.0, "failed": 0.0, "unscored": "unscored"}
        outcome = outcomes[judged.standing]
        return Answered(
            item=ResultItem(
                id=item_id(task.id, sample, self._rules.samples),
                cluster=task.cluster,
                outcome=outcome,
                answer=answer_digest(text),
                date=task.date,
                tokens_in=reply.tokens_in,
                tokens_out=reply.tokens_out,
            ),
            why=_why(judged),
            text=text,
            files=files,
            seconds=seconds,
            judge_seconds=0.0 if copy else judged.seconds,
            spent=reply.spent,
            reason="judge" if outcome == "unscored" else None,
            final=outcome != "unscored",
        )

    def _unscored(self, task: Task, sample: int, reason: str, why: str) -> Answered:
        name = item_id(task.id, sample, self._rules.samples)
        item = ResultItem(id=name, cluster=task.cluster, outcome="unscored", date=task.date)
        return Answered(item, why=why, reason=reason, final=False)

    def _failed(self, error: MetierError) -> None:
        """After so many failures in a row the service counts as down, and is left alone."""
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= MOST_IN_A_ROW and not self._down:
                self._down = f"the base failed {MOST_IN_A_ROW} times in a row ({error.message})"

    def _stopping(self) -> bool:
        return self._stop.is_set() or self._asked_to_stop()


def _verdict(tool: Tool, files: Sequence[SourceFile], task: Task) -> Judged:
    """What the tool says; a judge that fails is asked once more."""
    if not files:
        return Judged("failed", "extract", "there is no code in the answer")
    for _attempt in range(2):
        try:
            judged = tool.judge(files, task.behaviour)
        except UnavailableError as error:
            return Judged("unscored", None, error.message)
        if judged.standing != "unscored":
            break
    return judged


def _why(judged: Judged) -> str:
    if judged.standing == "passed":
        return ""
    return f"{judged.stage}: {judged.why}" if judged.stage else judged.why


def _cancelled(done: int, total: int) -> UnavailableError:
    return UnavailableError(
        f"The eval was stopped after {done:,} of {total:,} answers.",
        code="cancelled",
        remedy="Run the same command again; it goes on from there.",
        retryable=True,
    )


class _Pace:
    """Progress with the time left, measured on the answers that this process asked for."""

    def __init__(self, report: Report, name: str, total: int) -> None:
        self._report, self._name, self._total = report, name, total
        self._started = time.monotonic()
        self.before = 0

    def tell(self, done: int) -> None:
        fresh = done - self.before
        elapsed = time.monotonic() - self._started
        message = f"{self._name}: {done:,} of {self._total:,} answers"
        if self.before and not fresh:
            message += f", {self.before:,} known from before"
        self._report(
            Progress(
                stage="eval",
                message=message,
                fraction=done / self._total,
                seconds_left=elapsed / fresh * (self._total - done) if fresh else None,
                data={"entry": self._name, "done": done, "total": self._total},
            )
        )
