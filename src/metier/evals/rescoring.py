"""Scoring a table again: the kept answers go to the tools once more.

It knows a table, its answers and the tasks; it asks no base. What differs is listed, not mended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from metier.coding import Judged
from metier.errors import InputError, UnavailableError
from metier.evals.running import never
from metier.evals.selftest import ToolFor
from metier.evals.tables import KeptAnswer, Table
from metier.evals.tasks import Suite, Task
from metier.messages import Outcome, Progress, Report, silent


@dataclass(frozen=True, slots=True)
class Differing:
    """An answer that is judged otherwise now."""

    entry: str
    id: str
    was: Outcome
    found: str
    why: str


@dataclass(frozen=True, slots=True)
class Rescored:
    """What came of scoring again.

    Attributes:
        table: Digest of the table.
        judged: Answers that were judged again.
        differing: Those that came out otherwise.
        kept_back: Scored items whose answers were not given, so that they cannot be judged.
        other_toolchain: What judged then and now, where that is not the same.
    """

    table: str
    judged: int
    differing: tuple[Differing, ...]
    kept_back: int
    other_toolchain: tuple[tuple[str, str, str], ...]

    @property
    def same(self) -> bool:
        """Whether everything that could be judged came out as it was."""
        return not self.differing

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {**asdict(self), "same": self.same}


def rescore(
    table: Table,
    answers: Sequence[KeptAnswer],
    suite: Suite,
    tools: ToolFor,
    *,
    workers: int = 2,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> Rescored:
    """Judge every kept answer again and compare.

    Raises:
        InputError: ``other_eval``: the table is of other tasks.
        UnavailableError: ``cancelled``; or a toolchain is not installed.
    """
    if suite.fingerprint != table.fingerprint:
        raise InputError(
            f"The table is of the eval {table.fingerprint}; {suite.name} is {suite.fingerprint}.",
            code="other_eval",
            remedy="Take the tasks that the table was made with.",
        )
    tasks = {task.id: task for task in suite.tasks}
    outcomes = {
        (number, item.id): item.outcome
        for number, entry in enumerate(table.entries, start=1)
        for item in entry.result.items
    }
    scored = {key for key, outcome in outcomes.items() if outcome != "unscored"}
    todo = [one for one in answers if (one.entry, one.id) in scored]

    def again(one: KeptAnswer) -> Judged:
        if cancelled():
            raise UnavailableError("Scoring again was stopped.", code="cancelled", retryable=True)
        task: Task = tasks[one.id.partition("#")[0]]
        if not one.files:
            return Judged("failed", "extract", "there is no code in the answer")
        return tools(task.tool, task.runs_on).judge(one.files, task.behaviour)

    differing: list[Differing] = []
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        for number, (one, judged) in enumerate(zip(todo, pool.map(again, todo), strict=True), 1):
            was = outcomes[one.entry, one.id]
            if judged.standing != ("passed" if was == 1.0 else "failed"):
                name = table.entries[one.entry - 1].name
                differing.append(Differing(name, one.id, was, judged.standing, judged.why))
            message = f"{number:,} of {len(todo):,} answers judged again"
            report(Progress("eval", message, number / len(todo)))
    return Rescored(
        table=table.digest,
        judged=len(todo),
        differing=tuple(differing),
        kept_back=len(scored) - len(todo),
        other_toolchain=_other(table, suite, tools),
    )


def judged_with(suite: Suite, tools: ToolFor) -> dict[str, str]:
    """Name to digest of every tool on its toolchain that judges the suite's tasks.

    Toolchains that are not installed are left out: their tasks are unscored.
    """
    found: dict[str, str] = {}
    missing: set[str] = set()
    for task in suite.tasks:
        name = f"{task.tool} on {task.runs_on}" if task.runs_on else task.tool
        if name in found or name in missing:
            continue
        try:
            found[name] = tools(task.tool, task.runs_on).digest
        except UnavailableError:
            missing.add(name)
    return found


def _other(table: Table, suite: Suite, tools: ToolFor) -> tuple[tuple[str, str, str], ...]:
    now = judged_with(suite, tools)
    return tuple(
        (name, then, now.get(name, "not installed"))
        for name, then in table.toolchain.items()
        if then.startswith("sha256:") and now.get(name) != then
    )
