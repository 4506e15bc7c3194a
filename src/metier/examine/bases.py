"""Executed evals: which base makes a specialist good, and what each of its parts adds.

It knows where tasks come from (the package, a converter, a folder of the user's) and in which
order things are asked; how a base answers and how a tool judges are handed in.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metier.errors import CorruptError, InputError, NotFoundError, StorageError, UnavailableError
from metier.evals.executing import Answered, Entrant, Ran, Rules, journal_name, run_entrant
from metier.evals.findings import Findings, findings
from metier.evals.journal import unwritable
from metier.evals.rescoring import Rescored, judged_with, rescore
from metier.evals.running import discard, never
from metier.evals.selftest import ToolFor, self_test
from metier.evals.suitecheck import SuiteCheck, check_suite, refuse_if_frozen, strength
from metier.evals.tables import Entry, KeptAnswer, Table, read_answers, read_table, write_table
from metier.evals.taskfiles import HEADER, read_suite
from metier.evals.tasks import Suite
from metier.messages import Progress, Report, silent
from metier.reference import Digest

GENERAL = "remote:general"
"""The base that is the general model."""
EntrantFor = Callable[[str, str, tuple[str, ...], int], Entrant]
"""Specialist, base, parts and samples to what answers; raises InputError for a part that the
specialist lacks, NotFoundError or UnavailableError for a base that cannot be asked."""


@dataclass(frozen=True, slots=True)
class Examination:
    """A table with what it shows, and the file that holds it."""

    table: Table
    findings: Findings
    path: Path

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {**self.findings.to_dict(self.table), "file": str(self.path)}


@dataclass(frozen=True)
class BaseExaminer:
    """What assembly hands to an executed eval.

    Attributes:
        suites: Folder of the packaged suites, one folder each.
        home: Folder for self-tests (``proofs``), journals and tables.
        tools: Gives a tool on a toolchain.
        entrant: Gives what answers for a specialist, a base and parts.
        specialist_digest: Name of a specialist to the digest of what is installed under it.
        sandbox: Names the sandbox that answers are executed in; raises UnavailableError
            (``no_sandbox``) where there is none.
        today: ISO date.
        machine: Class of this machine, for a table that is shared.
        version: Metier's own.
        made: Suites that are made from the data of others, by name: ``python``.
        workers: Threads that wait for judgements: as many as there are cores.
        askers: Tasks that a base is asked side by side.
    """

    suites: Path
    home: Path
    tools: ToolFor
    entrant: EntrantFor
    specialist_digest: Callable[[str], str]
    sandbox: Callable[[], str]
    today: str
    machine: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    made: Mapping[str, Callable[[], Suite]] = field(default_factory=dict)
    workers: int = 2
    askers: int = 2

    @property
    def proofs(self) -> Path:
        """Where self-tests are kept."""
        return self.home / "proofs"

    @property
    def tables(self) -> Path:
        """Where tables are kept, by digest."""
        return self.home / "tables"

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
        return check_suite(suite, tested, self.kept_tables())

    def kept_tables(self) -> list[Table]:
        """The tables that are kept here; damaged ones are left out."""
        found = []
        for path in sorted(self.tables.glob("*.jsonl")):
            if not path.name.endswith(".answers.jsonl"):
                with suppress(CorruptError):
                    found.append(read_table(path))
        return found

    def evaluate(  # noqa: PLR0913  one argument per flag of 'metier eval'
        self,
        name: str,
        *,
        on: str,
        bases: Sequence[str],
        with_: Sequence[str] = ("docs", "tools"),
        against: Sequence[str] = (),
        samples: int = 1,
        budget: float | None = None,
        fresh: bool = False,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Examination:
        """Put the tasks to every base: alone, with each part, and with all of them.

        References that were not proved on this toolchain are proved first; a task whose
        reference fails is unscored. What was answered before, by the same base with the same
        parts on the same tasks and toolchain, is not asked again.

        Args:
            name: The specialist.
            on: The eval's name or folder.
            bases: ``remote:NAME``, ``replay:FILE`` …
            with_: Parts whose contribution is asked for.
            against: Rivals that are asked alone, as bases are named.
            samples: Answers to each task.
            budget: Wall seconds after which the run stops, to be gone on with.
            fresh: Whether to ask everything again.
            report: Receives progress with the time left.
            cancelled: Stops the run; what was answered is kept.

        Raises:
            InputError: No base, a part or base that is named twice, or one that is not there.
            UnavailableError: ``frozen_eval``, ``no_sandbox``, ``no_toolchain`` where no task
                can be judged, ``cancelled``, ``budget_spent``.
        """
        suite = self.suite_of(on)
        rules = Rules(self.tools, samples=samples, workers=self.askers)
        variants = _variants(with_)
        entrants = [
            self.entrant(name, base, parts, samples)
            for base in _different("base", bases)
            for parts in variants
        ]
        rivals = [self.entrant(name, rival, (), samples) for rival in against if rival not in bases]
        named = [one.base for one in entrants[:: len(variants)]]
        _different("base", [*named, *(one.base for one in rivals)])
        entrants += rivals
        sandbox = self.sandbox()
        stop = _Stop(budget, cancelled)
        why = self._frozen(suite, report, stop)
        clusters = [task.cluster for task in suite.tasks if task.id not in why]
        report(Progress("eval", strength(clusters, samples=samples).sentence(), 0.0))
        toolchain = {**judged_with(suite, self.tools), "sandbox": sandbox, "metier": self.version}
        rules = replace(rules, frozen=why, toolchain=toolchain)
        ran = [
            self._run(entrant, suite, rules, fresh, _part_of(report, number, len(entrants)), stop)
            for number, entrant in enumerate(entrants)
        ]
        table = Table(
            specialist=name,
            specialist_digest=self.specialist_digest(name),
            eval=suite.name,
            title=suite.title,
            fingerprint=suite.fingerprint,
            command=_command(name, suite.name, (named, against), with_, samples),
            date=self.today,
            samples=samples,
            frozen=why,
            toolchain=toolchain,
            machine=dict(self.machine),
            entries=tuple(_entry(one, two) for one, two in zip(entrants, ran, strict=True)),
        )
        return Examination(table, findings(table), self._keep(table, ran))

    def verify(
        self,
        path: Path,
        *,
        on: str | None = None,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Rescored:
        """Check a table's file and judge its answers again, if they stand beside it.

        Args:
            path: The table.
            on: The folder of its tasks; by default the eval that it names.
            report: Receives progress.
            cancelled: Stops the work.

        Raises:
            CorruptError: The file is not what was written (``bad_table``).
            InputError: ``other_eval``: these are not its tasks.
        """
        table = read_table(path)
        suite = self.suite_of(on or table.eval)
        return rescore(
            table,
            read_answers(path, table),
            suite,
            self.tools,
            workers=self.workers,
            report=report,
            cancelled=cancelled,
        )

    def _frozen(self, suite: Suite, report: Report, stop: _Stop) -> dict[str, str]:
        """Tasks whose reference fails here, with why and since when; all of them are refused."""
        try:
            tested = self_test(
                suite,
                self.tools,
                folder=self.proofs,
                today=self.today,
                mutants=False,
                every_toolchain=False,
                workers=self.workers,
                report=report,
                cancelled=stop,
            )
        except UnavailableError as error:
            if error.code == "cancelled" and stop.spent:
                raise stop.error() from error
            raise
        frozen = tested.frozen(suite)
        refuse_if_frozen(suite, frozen)
        return {task: f"{one.reference.why} ({one.date})" for task, one in frozen.items()}

    def _run(
        self,
        entrant: Entrant,
        suite: Suite,
        rules: Rules,
        fresh: bool,
        report: Report,
        stop: _Stop,
    ) -> Ran:
        journals = self.home / "journals"
        try:
            journals.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(journals, error) from error
        journal = journals / journal_name(entrant, suite, rules.toolchain)
        if fresh:
            discard(journal)
        try:
            return run_entrant(
                entrant, suite, rules, journal=journal, report=report, cancelled=stop
            )
        except UnavailableError as error:
            if error.code == "cancelled" and stop.spent:
                raise stop.error() from error
            raise

    def _keep(self, table: Table, ran: Sequence[Ran]) -> Path:
        """Write the table under its digest; raises StorageError."""
        try:
            self.tables.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The folder {self.tables} cannot be made: {error.strerror}."
            ) from error
        path = self.tables / f"{Digest.parse(table.digest).hex}.jsonl"
        answers = tuple(
            KeptAnswer(number, one.item.id, one.text, one.files, one.why)
            for number, several in enumerate(ran, start=1)
            for one in several.answered
            if one.item.answer is not None
        )
        write_table(path, table, answers)
        return path


class _Stop:
    """Asked often: whether the caller, or the budget, says stop."""

    def __init__(self, budget: float | None, cancelled: Callable[[], bool]) -> None:
        self._budget, self._cancelled = budget, cancelled
        self._end = None if budget is None else time.monotonic() + budget

    def __call__(self) -> bool:
        return self.spent or self._cancelled()

    @property
    def spent(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def error(self) -> UnavailableError:
        return UnavailableError(
            f"The budget of {self._budget:g} seconds ended before all was answered.",
            code="budget_spent",
            remedy="Run the same command again; it goes on from there.",
            retryable=True,
        )


def _variants(with_: Sequence[str]) -> list[tuple[str, ...]]:
    """The base alone, with each part, with all of them."""
    parts = _different("part", with_) if with_ else []
    alone = [(), *((part,) for part in parts)]
    return [*alone, tuple(parts)] if len(parts) > 1 else alone


def _different(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        raise InputError(
            f"No {what} is named.",
            code=f"no_{what}",
            remedy="Name one with '--base remote:NAME'." if what == "base" else None,
        )
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"Two {what}s are called {name!r}.", code=f"same_{what}")
    return list(names)


def _part_of(report: Report, number: int, count: int) -> Report:
    """Progress of one entry as progress of all."""

    def tell(progress: Progress) -> None:
        inside = progress.fraction or 0.0
        left = progress.seconds_left
        if left is not None and inside < 1.0:
            left *= (count - number - inside) / (1.0 - inside)
        report(replace(progress, fraction=(number + inside) / count, seconds_left=left))

    return tell


def _command(
    name: str,
    on: str,
    asked: tuple[Sequence[str], Sequence[str]],
    with_: Sequence[str],
    samples: int,
) -> str:
    """What repeats the table; no path of this machine."""
    bases = "".join(f" --base {base}" for base in asked[0])
    rivals = "".join(f" --against {_short(rival)}" for rival in asked[1])
    parts = f" --with {','.join(with_)}" if with_ else ""
    several = f" --samples {samples}" if samples > 1 else ""
    return f"metier eval {name} --on {on}{bases}{rivals}{parts}{several}"


def _short(rival: str) -> str:
    return "general" if rival == GENERAL else rival


def _entry(entrant: Entrant, ran: Ran) -> Entry:
    def by_id(value: Callable[[Answered], Any]) -> dict[str, Any]:
        pairs = ((one.item.id, value(one)) for one in ran.answered)
        return {name: found for name, found in pairs if found is not None}

    return Entry(
        base=entrant.base,
        base_digest=entrant.base_digest,
        parts=entrant.parts,
        settings=dict(entrant.settings),
        recorded=entrant.recorded,
        cost_class=entrant.cost_class,
        result=ran.result,
        spent=by_id(lambda one: one.spent),
        reasons=by_id(lambda one: one.reason),
        seconds=by_id(lambda one: round(one.seconds, 6)),
        judge_seconds=by_id(lambda one: round(one.judge_seconds, 6)),
    )
