"""The self-test of an executed eval: every reference passes, every mutant fails.

It knows tasks and what a tool said of their answers, and keeps that by digest, so that nothing is
proved twice; it does not know how a tool judges. A reference that fails freezes its task: in every
eval it is unscored from then on, until task or tool change.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from metier.coding import Judged, SourceFile, Stage, Standing, Tool
from metier.errors import InputError, StorageError, UnavailableError
from metier.evals.items import write_whole
from metier.evals.running import never
from metier.evals.tasks import Suite, Task
from metier.manifest import canonical_json
from metier.messages import Progress, Report, silent
from metier.reference import Digest

FORMAT = "metier.proof/1"
REFERENCE = "reference"

ToolFor = Callable[[str, str | None], Tool]
"""The tool of a name on a toolchain (``None``: it needs none), kept open by whoever gives it;
raises UnavailableError if the toolchain is not installed. A tool may be asked by many threads."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the tool said of one answer.

    Attributes:
        name: ``reference``, or the mutant's.
        standing: ``passed``, ``failed`` or ``unscored``.
        stage: Where it stopped.
        step: Number of the step that failed.
        why: The tool's sentence.
        seconds: Wall seconds.
    """

    name: str
    standing: Standing
    stage: Stage | None = None
    step: int | None = None
    why: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one task on one toolchain.

    Attributes:
        task: The task's id.
        task_digest: Of the whole task.
        toolchain: ``svelte@5``, or ``None``.
        tool_digest: Of the tool with its toolchain.
        date: ISO date on which it was found.
        reference: The trial of the reference.
        steady: Whether the reference needed no second attempt.
        mutants: Their trials; ``None`` if only the reference was tried.
        cached: Whether it was known before.
    """

    task: str
    task_digest: str
    toolchain: str | None
    tool_digest: str
    date: str
    reference: Trial
    steady: bool = True
    mutants: tuple[Trial, ...] | None = None
    cached: bool = False

    @property
    def frozen(self) -> bool:
        """Whether the reference fails, so that the task says nothing about anybody's answer."""
        return self.reference.standing == "failed"

    @property
    def survivors(self) -> tuple[Trial, ...]:
        """Mutants that passed."""
        return tuple(one for one in self.mutants or () if one.standing == "passed")

    @property
    def unjudged(self) -> tuple[Trial, ...]:
        """Answers on which the judge failed."""
        trials = (self.reference, *(self.mutants or ()))
        return tuple(one for one in trials if one.standing == "unscored")

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping, as it is kept."""
        return {
            "format": FORMAT,
            "task": self.task,
            "task_digest": self.task_digest,
            "toolchain": self.toolchain,
            "tool_digest": self.tool_digest,
            "date": self.date,
            "reference": _fields(self.reference),
            "steady": self.steady,
            "mutants": None if self.mutants is None else [_fields(one) for one in self.mutants],
        }


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What a self-test came to.

    Attributes:
        proofs: By task and toolchain, in their order.
        missing: Toolchains that are not installed, with the sentence why.
        seconds: Wall seconds.
    """

    proofs: tuple[Proof, ...]
    missing: Mapping[str, str]
    seconds: float

    def frozen(self, suite: Suite) -> dict[str, Proof]:
        """The frozen tasks by id: the reference fails on the toolchain that an eval runs on."""
        runs_on = {task.id: task.runs_on for task in suite.tasks}
        return {
            proof.task: proof
            for proof in self.proofs
            if proof.frozen and runs_on[proof.task] == proof.toolchain
        }

    @property
    def judge_ms(self) -> float | None:
        """Median milliseconds of a judgement that was made, not remembered."""
        fresh = [
            trial.seconds
            for proof in self.proofs
            if not proof.cached
            for trial in (proof.reference, *(proof.mutants or ()))
        ]
        return statistics.median(fresh) * 1000.0 if fresh else None


@dataclass(frozen=True, slots=True)
class _Job:
    task: Task
    toolchain: str | None
    tool: Tool


def self_test(  # noqa: PLR0913  one argument per setting of 'metier check-eval'
    suite: Suite,
    tools: ToolFor,
    *,
    folder: Path,
    today: str,
    mutants: bool = True,
    every_toolchain: bool = True,
    fresh: bool = False,
    workers: int = 2,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> SelfTest:
    """Put references and mutants to their tools; what is known already is not asked again.

    A reference that fails is tried a second time, so that a machine under load freezes nothing;
    an answer on which the judge failed is tried again too.

    Args:
        suite: The eval.
        tools: Gives a tool on a toolchain.
        folder: Where proofs are kept, by digest of task and tool; made if it is not there.
        today: ISO date, kept with what is found.
        mutants: Whether to try the mutants; otherwise the references only.
        every_toolchain: Whether on all toolchains of a task; otherwise on its first.
        fresh: Whether to try again what is known.
        workers: Threads that wait for judgements.
        report: Receives progress with the time left.
        cancelled: Asked before each task.

    Raises:
        UnavailableError: ``cancelled``; what was proved is kept. Or no toolchain is installed.
        StorageError: The folder cannot be written.
    """
    started = time.monotonic()
    jobs, missing = _jobs(suite, tools, every_toolchain)
    _make(folder)
    known: dict[tuple[str, str | None], Proof] = {}
    for job in jobs:
        found = None if fresh else read_proof(folder, job.task, job.toolchain, job.tool.digest)
        if found is not None and (found.mutants is not None or not mutants):
            known[job.task.id, job.toolchain] = found
    todo = [job for job in jobs if (job.task.id, job.toolchain) not in known]
    pace = _Pace(report, suite.name, [_trials(job, mutants) for job in todo], len(jobs))
    pace.tell(0, 0)
    for proof in _prove_all(todo, mutants, today, workers, pace, cancelled):
        write_whole(_path(folder, proof), canonical_json(proof.to_dict()))
        known[proof.task, proof.toolchain] = proof
    ordered = tuple(known[job.task.id, job.toolchain] for job in jobs)
    return SelfTest(ordered, missing, time.monotonic() - started)


def read_proof(folder: Path, task: Task, toolchain: str | None, tool_digest: str) -> Proof | None:
    """What is known of a task on a tool, or ``None``; a damaged file counts as nothing known."""
    path = folder / _name(task.digest, tool_digest)
    try:
        values = json.loads(path.read_bytes())
        if values["format"] != FORMAT or values["task_digest"] != task.digest:
            return None
        trials = values["mutants"]
        return Proof(
            task=task.id,
            task_digest=task.digest,
            toolchain=toolchain,
            tool_digest=tool_digest,
            date=str(values["date"]),
            reference=_trial(values["reference"]),
            steady=bool(values["steady"]),
            mutants=None if trials is None else tuple(_trial(one) for one in trials),
            cached=True,
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError):
        return None


def _jobs(suite: Suite, tools: ToolFor, every_toolchain: bool) -> tuple[list[_Job], dict[str, str]]:
    """One job a task and toolchain; raises the tool's error if no toolchain is installed."""
    jobs: list[_Job] = []
    missing: dict[str, str] = {}
    last: UnavailableError | None = None
    opened: dict[tuple[str, str | None], Tool] = {}
    for task in suite.tasks:
        names: Sequence[str | None] = task.toolchains or (None,)
        for name in names if every_toolchain else names[:1]:
            if name is not None and name in missing:
                continue
            try:
                tool = opened.get((task.tool, name)) or tools(task.tool, name)
                _ = tool.digest
            except UnavailableError as error:
                last = error
                missing[name or task.tool] = error.message
                continue
            opened[task.tool, name] = tool
            jobs.append(_Job(task, name, tool))
    if not jobs and last is not None:
        raise last
    return jobs, missing


def _prove_all(
    todo: Sequence[_Job],
    mutants: bool,
    today: str,
    workers: int,
    pace: _Pace,
    cancelled: Callable[[], bool],
) -> Iterable[Proof]:
    """Proofs as they are found; a few tasks at a time, so that stopping takes seconds."""
    waiting = list(reversed(todo))
    running: dict[Future[Proof], int] = {}
    done = trials = 0
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        while waiting or running:
            if cancelled():
                raise UnavailableError(
                    f"The self-test was stopped after {done} of {len(todo)} tasks.",
                    code="cancelled",
                    remedy="Run the same command again; it goes on from there.",
                    retryable=True,
                )
            while waiting and len(running) < max(1, workers):
                job = waiting.pop()
                running[pool.submit(_prove, job, mutants, today)] = _trials(job, mutants)
            finished, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in finished:
                trials += running.pop(future)
                done += 1
                yield future.result()
                pace.tell(done, trials)


def _prove(job: _Job, mutants: bool, today: str) -> Proof:
    reference = _try(job, REFERENCE, job.task.reference)
    steady = True
    if reference.standing == "failed":
        again = _try(job, REFERENCE, job.task.reference)
        steady = again.standing == "failed"
        reference = again
    wrong = [_try(job, one.name, one.files) for one in job.task.mutants] if mutants else None
    return Proof(
        task=job.task.id,
        task_digest=job.task.digest,
        toolchain=job.toolchain,
        tool_digest=job.tool.digest,
        date=today,
        reference=reference,
        steady=steady,
        mutants=None if wrong is None else tuple(wrong),
    )


def _try(job: _Job, name: str, files: Sequence[SourceFile]) -> Trial:
    judged = _judge(job, files)
    if judged.standing == "unscored":
        judged = _judge(job, files)
    return Trial(name, judged.standing, judged.stage, judged.step, judged.why, judged.seconds)


def _judge(job: _Job, files: Sequence[SourceFile]) -> Judged:
    """The tool's verdict; steps that it does not understand are the task's fault."""
    try:
        return job.tool.judge(files, job.task.behaviour)
    except InputError as error:
        return Judged("failed", None, f"The task is not valid: {error.message}")


def _trials(job: _Job, mutants: bool) -> int:
    return 1 + (len(job.task.mutants) if mutants else 0)


def _name(task_digest: str, tool_digest: str) -> str:
    both = f"{task_digest}\n{tool_digest}".encode()
    return f"{Digest.of(both).hex}.json"


def _path(folder: Path, proof: Proof) -> Path:
    return folder / _name(proof.task_digest, proof.tool_digest)


def _fields(trial: Trial) -> dict[str, Any]:
    values = {name: getattr(trial, name) for name in trial.__slots__}
    return {name: value for name, value in values.items() if value not in (None, "")}


def _trial(fields: Mapping[str, Any]) -> Trial:
    standing = fields["standing"]
    if standing not in ("passed", "failed", "unscored"):
        raise ValueError(standing)
    return Trial(
        name=str(fields["name"]),
        standing=cast(Standing, standing),
        stage=fields.get("stage"),
        step=fields.get("step"),
        why=str(fields.get("why", "")),
        seconds=float(fields.get("seconds", 0.0)),
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be made: {error.strerror}.",
            remedy="Set METIER_HOME to a folder that this user may write.",
        ) from error
    if not os.access(folder, os.W_OK):
        raise StorageError(f"The folder {folder} cannot be written.")


class _Pace:
    """Progress with the time left, from the judgements that this process made."""

    def __init__(self, report: Report, name: str, trials: Sequence[int], tasks: int) -> None:
        self._report, self._name = report, name
        self._total, self._tasks, self._todo = sum(trials), tasks, len(trials)
        self._started = time.monotonic()

    def tell(self, done: int, trials: int) -> None:
        known = self._tasks - self._todo
        elapsed = time.monotonic() - self._started
        message = f"{self._name}: {known + done} of {self._tasks} tasks proved"
        if known and not done:
            message += f", {known} known from before"
        self._report(
            Progress(
                stage="eval",
                message=message,
                fraction=trials / self._total if self._total else 1.0,
                seconds_left=elapsed / trials * (self._total - trials) if trials else None,
                data={"done": known + done, "total": self._tasks, "judged": trials},
            )
        )
