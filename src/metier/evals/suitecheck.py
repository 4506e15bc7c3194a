"""What an executed eval can show, and whether it is sound, before anybody is asked.

It knows a suite, its self-test and, where there are any, results; it executes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from metier.errors import UnavailableError
from metier.evals.checking import DISCORDANT_SHARES
from metier.evals.likeness import Alike, alike
from metier.evals.selftest import Proof, SelfTest
from metier.evals.tables import Table
from metier.evals.tasks import Suite


@dataclass(frozen=True, slots=True)
class Strength:
    """What so many items in so many clusters can show. Differences are shares of 1.

    Attributes:
        items: Tasks that are scored, times samples.
        clusters: Groups that hang together.
        largest_cluster: Items of the largest.
        detectable: Share of items on which two systems differ, to the smallest difference that
            comes out as WIN or LOSS with 80 % power, items counted as independent.
        detectable_worst: The same if the items of a cluster are all alike.
        smallest_win: The least difference that can ever be a WIN: six items one way, in six
            clusters; ``None`` with fewer than six clusters.
    """

    items: int
    clusters: int
    largest_cluster: int
    detectable: Mapping[str, float]
    detectable_worst: Mapping[str, float]
    smallest_win: float | None

    def sentence(self) -> str:
        """For people, before a run."""
        if self.smallest_win is None:
            return (
                f"{self.items} items in {self.clusters} clusters: with fewer than six clusters no "
                "WIN or LOSS can be given."
            )
        ends = [self.detectable["0.2"], self.detectable_worst["0.2"]]
        low, high = (f"{end * 100:.0f}" if end < 1.0 else None for end in ends)
        if low is None:
            return (
                f"{self.items} items in {self.clusters} clusters show nothing where two systems "
                "differ on a fifth of them."
            )
        reach = f"{low} points" if low == high else f"{low} to {high} points"
        if high is None:
            reach = f"{low} points at best, and nothing if each cluster is one thing"
        return (
            f"{self.items} items in {self.clusters} clusters: where two systems differ on a fifth "
            f"of them, the smallest difference that shows is {reach}."
        )


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing in which a suite is not sound: the task, its toolchain, the answer and why."""

    task: str
    toolchain: str | None
    answer: str
    why: str
    found: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Saturation:
    """What the tables on this machine say of the tasks.

    Attributes:
        entries: Bases with parts that were asked.
        recorded: How many of them were recorded answers.
        passed_by_all: Tasks that every entry passed, every time: saturated.
        passed_by_none: Tasks that no entry ever passed: the floor.
        telling: All other tasks that some entry has scored.
    """

    entries: int
    recorded: int
    passed_by_all: tuple[str, ...]
    passed_by_none: tuple[str, ...]
    telling: int


@dataclass(frozen=True, slots=True)
class SuiteCheck:
    """What ``check_suite`` found.

    Attributes:
        name: The suite's.
        title: For people.
        fingerprint: Of the eval.
        tasks: How many.
        by_cluster: Tasks of each cluster.
        by_toolchain: Tasks that name each toolchain.
        mutants: How many, over all tasks.
        judged: Judgements that stand behind this.
        frozen: Tasks whose reference fails; all others are scored.
        survivors: Mutants that pass.
        unjudged: Answers on which the judge itself failed.
        unsteady: References that passed at the second attempt only.
        few_mutants: Tasks with fewer mutants than the suite asks for.
        missing: Toolchains that are not installed, so not tried.
        alike: Pairs of tasks with nearly the same prompt.
        strength: What it can show.
        saturation: Of the tables that are kept here, ``None`` if there are none.
        dated: Oldest and newest date.
        seconds: Wall seconds of the self-test.
        judge_ms: Median milliseconds of a judgement; ``None`` if all was known.
        warnings: Sentences for people.
    """

    name: str
    title: str
    fingerprint: str
    tasks: int
    by_cluster: Mapping[str, int]
    by_toolchain: Mapping[str, int]
    mutants: int
    judged: int
    frozen: tuple[Wrong, ...]
    survivors: tuple[Wrong, ...]
    unjudged: tuple[Wrong, ...]
    unsteady: tuple[str, ...]
    few_mutants: Mapping[str, int]
    missing: Mapping[str, str]
    alike: tuple[Alike, ...]
    strength: Strength | None
    saturation: Saturation | None
    dated: tuple[str, str]
    seconds: float
    judge_ms: float | None
    warnings: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether every reference passes, and every mutant of enough mutants fails."""
        return not (self.frozen or self.survivors or self.unjudged or self.few_mutants)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping; ``sound`` is among it."""
        return {**asdict(self), "sound": self.sound}


def check_suite(suite: Suite, tested: SelfTest, tables: Sequence[Table] = ()) -> SuiteCheck:
    """What the self-test says, what the suite can show, and what is odd about it.

    Args:
        suite: The eval.
        tested: Its self-test.
        tables: What was measured with it, for saturation and floor; others are left out.
    """
    frozen = tested.frozen(suite)
    scored = [task.cluster for task in suite.tasks if task.id not in frozen]
    clusters = Counter(task.cluster for task in suite.tasks)
    toolchains = Counter(name for task in suite.tasks for name in task.toolchains)
    few = {
        task.id: len(task.mutants)
        for task in suite.tasks
        if len(task.mutants) < suite.least_mutants
    }
    dates = sorted(task.date for task in suite.tasks)
    why = {(task.id, mutant.name): mutant.why for task in suite.tasks for mutant in task.mutants}
    found = SuiteCheck(
        name=suite.name,
        title=suite.title,
        fingerprint=suite.fingerprint,
        tasks=len(suite.tasks),
        by_cluster=dict(sorted(clusters.items())),
        by_toolchain=dict(sorted(toolchains.items())),
        mutants=sum(len(task.mutants) for task in suite.tasks),
        judged=sum(1 + len(proof.mutants or ()) for proof in tested.proofs),
        frozen=tuple(_frozen(proof) for proof in tested.proofs if proof.frozen),
        survivors=tuple(
            Wrong(proof.task, proof.toolchain, one.name, why.get((proof.task, one.name), ""))
            for proof in tested.proofs
            for one in proof.survivors
        ),
        unjudged=tuple(
            Wrong(proof.task, proof.toolchain, one.name, one.why)
            for proof in tested.proofs
            for one in proof.unjudged
        ),
        unsteady=tuple(proof.task for proof in tested.proofs if not proof.steady),
        few_mutants=few,
        missing=dict(tested.missing),
        alike=alike(suite.tasks),
        strength=strength(scored) if scored else None,
        saturation=_saturation(suite, tables),
        dated=(dates[0], dates[-1]),
        seconds=tested.seconds,
        judge_ms=tested.judge_ms,
    )
    return _with_warnings(found, suite)


def strength(clusters: Sequence[str], *, samples: int = 1) -> Strength:
    """What an eval of one item for each cluster name in ``clusters``, times samples, can show."""
    from metier.stats import detectable_difference

    sizes = Counter(clusters)
    items = len(clusters) * samples
    worst = sum((size * samples) ** 2 for size in sizes.values()) / items
    return Strength(
        items=items,
        clusters=len(sizes),
        largest_cluster=max(sizes.values()) * samples,
        detectable={f"{d:g}": detectable_difference(items, d) for d in DISCORDANT_SHARES},
        detectable_worst={
            f"{d:g}": detectable_difference(items, d, design=worst) for d in DISCORDANT_SHARES
        },
        smallest_win=6 / items if len(sizes) >= 6 else None,
    )


def _saturation(suite: Suite, tables: Sequence[Table]) -> Saturation | None:
    """Over all entries of all tables of this eval, each system once."""
    own = [table for table in tables if table.fingerprint == suite.fingerprint]
    entries = {entry.result.system: entry for table in own for entry in table.entries}
    outcomes: dict[str, set[float]] = {}
    for entry in entries.values():
        for item in entry.result.scored:
            task = item.id.rpartition("#")[0] or item.id
            outcomes.setdefault(task, set()).add(float(item.outcome))
    if not outcomes:
        return None
    every = tuple(sorted(task for task, seen in outcomes.items() if seen == {1.0}))
    none = tuple(sorted(task for task, seen in outcomes.items() if seen == {0.0}))
    return Saturation(
        entries=len(entries),
        recorded=sum(entry.recorded for entry in entries.values()),
        passed_by_all=every,
        passed_by_none=none,
        telling=len(outcomes) - len(every) - len(none),
    )


def refuse_if_frozen(suite: Suite, frozen: Mapping[str, Proof]) -> None:
    """Refuse an eval of which every task is frozen; raises UnavailableError (``frozen_eval``)."""
    if len(frozen) < len(suite.tasks):
        return
    first = next(iter(frozen.values()))
    raise UnavailableError(
        f"The eval {suite.name!r} is frozen: the references of all {len(frozen)} tasks fail on "
        f"this toolchain. The first, {first.task}: {first.reference.why}",
        code="frozen_eval",
        remedy=f"Run 'metier check-eval {suite.name}' and mend the tasks or the toolchain.",
        details={"tasks": sorted(frozen)},
    )


def _frozen(proof: Proof) -> Wrong:
    why = "The reference fails, so the task says nothing: unscored in every eval."
    return Wrong(proof.task, proof.toolchain, "reference", why, proof.reference.why, proof.date)


def _with_warnings(check: SuiteCheck, suite: Suite) -> SuiteCheck:
    said: list[str] = []
    if check.frozen:
        names = ", ".join(sorted({wrong.task for wrong in check.frozen}))
        said.append(f"Frozen, because the reference fails: {names}.")
    if check.survivors:
        said.append(f"Wrong answers that pass: {len(check.survivors)} of {check.mutants}.")
    if check.unjudged:
        said.append(f"Answers on which the judge failed: {len(check.unjudged)}.")
    if check.unsteady:
        said.append(f"Passed at the second attempt only: {', '.join(check.unsteady)}.")
    if check.few_mutants:
        names = ", ".join(check.few_mutants)
        said.append(f"Fewer than {suite.least_mutants} mutants: {names}.")
    if not check.mutants:
        said.append("There are no mutants: what the tests let through is not known.")
    said.extend(f"Not tried: {why}" for why in check.missing.values())
    if check.alike:
        said.append(f"Pairs of tasks that ask nearly the same: {len(check.alike)}.")
    if check.strength is not None:
        said.append(check.strength.sentence())
    if (seen := check.saturation) is not None:
        recorded = f", {seen.recorded} of them recorded answers" if seen.recorded else ""
        said.append(
            f"Of {seen.entries} entries measured here{recorded}: all pass "
            f"{len(seen.passed_by_all)} tasks, none passes {len(seen.passed_by_none)}, "
            f"{seen.telling} tell entries apart."
        )
    return replace(check, warnings=tuple(said))
