"""What a table shows: rows in groups, what each part adds, how the bases differ, and the caveats.

It knows the outcomes in a table and computes the rest from them; it runs nothing. Entries that
cannot be told apart stand in one group, and no other order is claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from metier.card import Cost, Evidence, Score, Verdict
from metier.errors import InputError
from metier.evals.comparing import Role, compare
from metier.evals.suitecheck import Strength, strength
from metier.evals.summary import mean_score
from metier.evals.tables import Entry, Table, median_seconds

RECORDED = "Recorded answers: plumbing, not a measurement of this machine."
LEVEL = 0.05
OLD = 365
"""Days after which tasks that are public may be in any base's training data."""

Kind = Literal["part", "base"]


@dataclass(frozen=True, slots=True)
class Spending:
    """What the answers of an entry took; means are over the answers that were given.

    Attributes:
        cost_class: What a person pays.
        answers: How many were given.
        tokens_in: Mean tokens of a question with everything around it.
        tokens_out: Mean tokens of an answer, all candidates and repairs.
        seconds: Median wall seconds, ``None`` where the timings are not there.
        spent: Money for all answers, ``None`` where no price is known.
    """

    cost_class: str
    answers: int
    tokens_in: float
    tokens_out: float
    seconds: float | None
    spent: float | None


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One row as it is shown.

    Attributes:
        number: The entry's number in the table, from 1.
        group: From 1; entries of one group cannot be told apart from its first.
        name: Base and parts.
        base: The base.
        parts: The parts; empty for the base alone.
        recorded: Whether the answers were recorded elsewhere.
        score: Share of scored items that passed, with its interval; unscored items beside it.
        unscored: Why items are unscored, in a word, to how many.
        copies: Answers that are the same as another to the same task.
        cost: What it took.
        added: Against the base alone; ``None`` for the base alone, or where nothing compares.
    """

    number: int
    group: int
    name: str
    base: str
    parts: tuple[str, ...]
    recorded: bool
    score: Score
    unscored: Mapping[str, int]
    copies: int
    cost: Spending
    added: Evidence | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison that answers a question.

    ``kind`` is ``part`` (what was added to the same base) or ``base`` (the same parts over
    another); ``question`` says it for people. ``adjusted_p`` allows for all comparisons of the
    table (Holm).
    """

    kind: Kind
    first: int
    second: int
    question: str
    evidence: Evidence
    adjusted_p: float


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is shown of a table, on the terminal, over HTTP and on the page.

    Attributes:
        rows: By group, within it by score.
        comparisons: What each part adds, then how the bases differ.
        strength: What so many items can show.
        saturated: Tasks that every entry passes.
        floored: Tasks that no entry passes.
        telling: Tasks on which entries differ.
        recorded: Whether some answers were recorded elsewhere.
        notes: Sentences for people, the gravest first.
    """

    rows: tuple[FoundRow, ...]
    comparisons: tuple[Compared, ...]
    strength: Strength | None
    saturated: int
    floored: int
    telling: int
    recorded: bool
    notes: tuple[str, ...]

    def to_dict(self, table: Table) -> dict[str, Any]:
        """JSON-serialisable mapping of the table with its findings."""
        from dataclasses import asdict

        return {
            "specialist": table.specialist,
            "eval": table.eval,
            "title": table.title,
            "fingerprint": table.fingerprint,
            "table": table.digest,
            "date": table.date,
            "command": table.command,
            "samples": table.samples,
            "frozen": dict(table.frozen),
            "toolchain": dict(table.toolchain),
            "machine": dict(table.machine),
            "recorded": self.recorded,
            "rows": [
                {
                    **{name: getattr(row, name) for name in ("number", "group", "name", "base")},
                    "parts": list(row.parts),
                    "recorded": row.recorded,
                    "score": row.score.model_dump(mode="json"),
                    "unscored": dict(row.unscored),
                    "copies": row.copies,
                    "cost": asdict(row.cost),
                    "added": None if row.added is None else row.added.model_dump(mode="json"),
                }
                for row in self.rows
            ],
            "comparisons": [
                {
                    "kind": one.kind,
                    "first": one.first,
                    "second": one.second,
                    "question": one.question,
                    "adjusted_p": one.adjusted_p,
                    "evidence": one.evidence.model_dump(mode="json"),
                }
                for one in self.comparisons
            ],
            "strength": None if self.strength is None else asdict(self.strength),
            "saturated": self.saturated,
            "floored": self.floored,
            "telling": self.telling,
            "notes": list(self.notes),
        }


def findings(table: Table) -> Findings:
    """What the table shows; the same table gives the same findings."""
    from metier.stats import groups, holm

    entries = table.entries
    scores = [mean_score(entry.result) for entry in entries]
    order = sorted(
        range(len(entries)),
        key=lambda one: (scores[one].n == 0, -scores[one].value, entries[one].name),
    )
    pairs = {
        (one, two): found
        for place, one in enumerate(order)
        for two in order[place + 1 :]
        if (found := _evidence(table, one, two)) is not None
    }
    p_values = [found.difference.p_value for found in pairs.values()]
    adjusted = dict(zip(pairs, holm([1.0 if p is None else p for p in p_values]), strict=True))
    grouped = groups(
        len(order), lambda one, two: adjusted.get((order[one], order[two]), 1.0) < LEVEL
    )
    rows = [
        _row(table, number, group, scores[number])
        for number, group in zip(order, grouped, strict=True)
    ]
    comparisons = _comparisons(table, adjusted)
    saturated, floored, telling = _outcomes(entries)
    clusters = _clusters(entries, table.samples)
    reach = strength(clusters, samples=table.samples) if clusters else None
    return Findings(
        rows=tuple(sorted(rows, key=lambda row: row.group)),
        comparisons=comparisons,
        strength=reach,
        saturated=saturated,
        floored=floored,
        telling=telling,
        recorded=table.recorded,
        notes=_notes(table, rows, comparisons, (saturated, floored, telling), reach),
    )


def _evidence(table: Table, first: int, second: int) -> Evidence | None:
    """The first entry against the second, or ``None`` if no item is scored in both."""
    one, two = table.entries[first], table.entries[second]
    role: Role = "base" if one.base == two.base and not two.parts else "other"
    try:
        return compare(
            one.result,
            two.result,
            against=role,
            command=table.command,
            date=table.date,
            costs=(cost_of(one), cost_of(two)),
        )
    except InputError as error:
        if error.code != "nothing_to_compare":
            raise
        return None


def cost_of(entry: Entry) -> Cost:
    """What an answer of an entry costs: its class, median milliseconds, money where known."""
    seconds = median_seconds(entry)
    return Cost(
        cost_class=entry.cost_class,
        ms_per_text=None if seconds is None else seconds * 1000.0,
        spent=sum(entry.spent.values()) if entry.spent else None,
    )


def _row(table: Table, number: int, group: int, score: Score) -> FoundRow:
    entry = table.entries[number]
    alone = _find(table, entry.base, ())
    given = [item for item in entry.result.items if item.answer is not None]
    spent = [entry.spent.get(item.id) for item in given]
    priced = [money for money in spent if money is not None]
    answers = len(given)
    tasks = {(item.id.rpartition("#")[0] or item.id, item.answer) for item in given}
    return FoundRow(
        number=number + 1,
        group=group,
        name=entry.name,
        base=entry.base,
        parts=entry.parts,
        recorded=entry.recorded,
        score=score,
        unscored=dict(sorted(Counter(entry.reasons.values()).items())),
        copies=answers - len(tasks),
        cost=Spending(
            cost_class=entry.cost_class,
            answers=answers,
            tokens_in=sum(item.tokens_in for item in given) / max(1, answers),
            tokens_out=sum(item.tokens_out for item in given) / max(1, answers),
            seconds=median_seconds(entry),
            spent=sum(priced) if priced and len(priced) == len(spent) else None,
        ),
        added=None if alone is None or alone == number else _evidence(table, number, alone),
    )


def _comparisons(table: Table, adjusted: Mapping[tuple[int, int], float]) -> tuple[Compared, ...]:
    """What each part adds to each base, alone and on top of the others; then base by base."""
    found: list[Compared] = []

    def add(kind: Kind, first: int | None, second: int | None, question: str) -> None:
        if first is None or second is None:
            return
        evidence = _evidence(table, first, second)
        if evidence is None:
            return
        p = adjusted.get((first, second), adjusted.get((second, first), 1.0))
        found.append(Compared(kind, first + 1, second + 1, question, evidence, p))

    bases = list(dict.fromkeys(entry.base for entry in table.entries))
    for base in bases:
        own = [entry.parts for entry in table.entries if entry.base == base]
        for parts in sorted(own, key=len):
            if parts:
                question = f"What {' and '.join(parts)} add{'s' if len(parts) == 1 else ''}"
                first, second = _find(table, base, parts), _find(table, base, ())
                add("part", first, second, f"{question} to {base}")
            for part in parts if len(parts) > 1 else ():
                fewer = tuple(one for one in parts if one != part)
                question = f"What {part} adds to {base} + {' + '.join(fewer)}"
                add("part", _find(table, base, parts), _find(table, base, fewer), question)
    for parts in sorted({entry.parts for entry in table.entries}, key=lambda one: (-len(one), one)):
        having = [base for base in bases if _find(table, base, parts) is not None]
        for place, base in enumerate(having):
            for other in having[place + 1 :]:
                with_ = f" with {' and '.join(parts)}" if parts else " alone"
                first, second = _find(table, base, parts), _find(table, other, parts)
                add("base", first, second, f"{base} against {other}, both{with_}")
    return tuple(found)


def _find(table: Table, base: str, parts: tuple[str, ...]) -> int | None:
    for number, entry in enumerate(table.entries):
        if (entry.base, entry.parts) == (base, parts):
            return number
    return None


def _outcomes(entries: Sequence[Entry]) -> tuple[int, int, int]:
    """Items that all entries pass, that none passes, and on which they differ."""
    if not entries:
        return 0, 0, 0
    rows = zip(*(entry.result.items for entry in entries), strict=True)
    outcomes = ([item.outcome for item in row if item.outcome != "unscored"] for row in rows)
    scored = [values for values in outcomes if values]
    every = sum(all(value == 1.0 for value in values) for values in scored)
    none = sum(all(value == 0.0 for value in values) for values in scored)
    return every, none, len(scored) - every - none


def _clusters(entries: Sequence[Entry], samples: int) -> list[str]:
    """The cluster of each task that some entry has scored."""
    found: dict[str, str] = {}
    for entry in entries:
        for item in entry.result.scored:
            name = item.id.rpartition("#")[0] if samples > 1 else item.id
            found[name] = item.cluster
    return list(found.values())


def _notes(
    table: Table,
    rows: Sequence[FoundRow],
    comparisons: Sequence[Compared],
    outcomes: tuple[int, int, int],
    found: Strength | None,
) -> tuple[str, ...]:
    said: list[str] = []
    if table.recorded:
        said.append(RECORDED)
    if table.frozen:
        names = ", ".join(sorted(table.frozen))
        said.append(f"Frozen and unscored, because the reference fails: {names}.")
    for row in rows:
        waiting = {name: count for name, count in row.unscored.items() if name != "frozen"}
        if waiting:
            counts = ", ".join(f"{name} {count}" for name, count in waiting.items())
            said.append(
                f"{row.name}: {sum(waiting.values())} items unscored ({counts}); run the command "
                "again to ask for these only."
            )
    if found is not None:
        said.append(found.sentence())
    newest = max(
        (item.date or "" for one in table.entries for item in one.result.items), default=""
    )
    if newest and (date.fromisoformat(table.date) - date.fromisoformat(newest[:10])).days > OLD:
        said.append(
            f"The newest task was published on {newest[:10]}: a base that was trained later may "
            "have seen all of them."
        )
    every, none, telling = outcomes
    total = every + none + telling
    if len(rows) > 1 and total and every + none >= 0.5 * total:
        said.append(
            f"Every entry passes {every} items and none passes {none}: only {telling} of {total} "
            "tell entries apart."
        )
    short = [one for one in comparisons if _underpowered(one)]
    if short:
        needed = [one.evidence.difference.needed_n for one in short]
        most = max((n for n in needed if n is not None), default=None)
        reach = f"; up to {most:,} items would settle them" if most is not None else ""
        said.append(
            f"Underpowered: {len(short)} of {len(comparisons)} comparisons{reach}. That is no "
            "sign that the entries are alike."
        )
    fragile = sum(_fragile(one) for one in comparisons)
    if fragile:
        said.append(
            f"{fragile} of {len(comparisons)} comparisons show a difference by themselves but not "
            f"after allowing for all of them: they part no groups."
        )
    if len(rows) > 2:
        said.append(
            f"The best of {len(rows)} entries was picked on these very items: on others expect "
            "a little less."
        )
    return tuple(said)


def _underpowered(one: Compared) -> bool:
    return one.evidence.difference.verdict is Verdict.UNDERPOWERED


def _fragile(one: Compared) -> bool:
    decided = one.evidence.difference.verdict in (Verdict.WIN, Verdict.LOSS)
    return decided and one.adjusted_p >= LEVEL
