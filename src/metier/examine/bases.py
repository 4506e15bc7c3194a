"""Executed evals: which base makes a specialist good, and what each of its parts adds.

It knows where tasks come from (the package, a converter, a folder of the user's) and in which
order things are asked; how a base answers and how a tool judges are handed in.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from metier.errors import NotFoundError
from metier.evals.running import never
from metier.evals.selftest import ToolFor, self_test
from metier.evals.suitecheck import SuiteCheck, check_suite
from metier.evals.taskfiles import HEADER, read_suite
from metier.evals.tasks import Suite
from metier.messages import Report, silent


@dataclass(frozen=True)
class BaseExaminer:
    """What assembly hands to an executed eval.

    Attributes:
        suites: Folder of the packaged suites, one folder each.
        proofs: Folder in which self-tests are kept.
        tools: Gives a tool on a toolchain.
        today: ISO date.
        made: Suites that are made from the data of others, by name: ``python``.
        workers: Threads that wait for judgements: as many as there are cores.
    """

    suites: Path
    proofs: Path
    tools: ToolFor
    today: str
    made: Mapping[str, Callable[[], Suite]] = field(default_factory=dict)
    workers: int = 2

    def names(self) -> list[str]:
        """The evals that have a name, sorted."""
        packaged = [path.parent.name for path in self.suites.glob(f"*/{HEADER}")]
        return sorted({*packaged, *self.made})

    def holds(self, on: str) -> bool:
        """Whether ``on`` names tasks to execute, and not labelled items. A name goes first."""
        return on in self.names() or (Path(on) / HEADER).is_file()

    def suite_of(self, on: str) -> Suite:
        """The suite that ``on`` names: ``svelte``, or a folder like ``./my-tasks``.

        Raises:
            NotFoundError: It is neither (code ``no_eval``).
            InputError: A file of it is wrong, naming file and field.
        """
        if on in self.made:
            return self.made[on]()
        if on in self.names():
            return read_suite(self.suites / on, name=on)
        if on and Path(on).is_dir():
            return read_suite(Path(on))
        near = difflib.get_close_matches(on, self.names(), n=3)
        guess = f" Did you mean {' or '.join(near)}?" if near else ""
        raise NotFoundError(
            f"{on!r} is neither an eval nor a folder of tasks.{guess}",
            code="no_eval",
            remedy=f"Name one of {', '.join(self.names())}, or a folder that holds {HEADER}.",
            details={"near": near},
        )

    def check(
        self,
        on: str,
        *,
        fresh: bool = False,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> SuiteCheck:
        """Whether every reference passes and every mutant fails, and what the eval can show.

        Args:
            on: The eval's name or folder.
            fresh: Whether to try again what is known.
            report: Receives progress with the time left.
            cancelled: Stops the work; what was proved is kept.
        """
        suite = self.suite_of(on)
        tested = self_test(
            suite,
            self.tools,
            folder=self.proofs,
            today=self.today,
            fresh=fresh,
            workers=self.workers,
            report=report,
            cancelled=cancelled,
        )
        return check_suite(suite, tested)
