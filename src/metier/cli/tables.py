"""A table of bases under a specialist, and the check of an executed eval, as people read them.

It lays out what ``evals.findings`` and ``evals.suitecheck`` found; entries that cannot be told
apart stand between the same rules. It computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from metier.cli.terminal import Line, Signs, aligned, wrapped
from metier.cli.verdicts import Comparison, evidence_bars, verdict_text
from metier.cli.wording import (
    NOT_MEASURED,
    count,
    counted,
    date,
    duration,
    percent,
    points,
    span,
)
from metier.evals.findings import Findings, FoundRow
from metier.evals.tables import Table

_PROSE = 92
_MOST_LISTED = 10


def table_lines(table: Table, found: Findings, width: int, signs: Signs) -> list[Text]:
    """The whole table: rows by group, what each part adds, how the bases differ, the caveats."""
    tasks = len(
        {item.id.partition("#")[0] for entry in table.entries for item in entry.result.items}
    )
    title = Text(f"{table.specialist} on {table.eval}", style="bold")
    title.append(f"  {counted(tasks, 'task')}, {date(table.date)}", style="")
    lines = [title, *_rows(found.rows, width, signs)]
    parts = [one for one in found.comparisons if one.kind == "part"]
    bases = [one for one in found.comparisons if one.kind == "base"]
    for heading, several in (("What each part adds", parts), ("One base or the other", bases)):
        if several:
            rows = [Comparison(one.question, one.evidence.difference) for one in several]
            lines += [Text(), Text(heading, style="dim"), *evidence_bars(rows, width, signs)]
    lines.append(Text())
    for note in found.notes:
        lines += wrapped(note, min(width, _PROSE))
    return lines


def kept_lines(path: Path, table: Table, shared: Path | None) -> list[Line]:
    """Where the table is, and how somebody else checks it."""
    lines: list[Line] = [Text(f"Table {table.digest[:19]} in {shared or path}", style="dim")]
    if shared is None:
        lines.append(Text("Give it away:  the same command with --to FILE", style="dim"))
    else:
        lines.append(Text(f"Check it:  metier verify --table {shared}", style="dim"))
    return lines


def check_lines(found: Mapping[str, Any], width: int) -> list[Text]:
    """Whether an executed eval is sound, and what it can show."""
    oldest, newest = found["dated"]
    rows: list[tuple[str, str]] = [
        ("tasks", f"{count(found['tasks'])} in {counted(len(found['by_cluster']), 'cluster')}"),
        ("dated", date(oldest) if oldest == newest else f"{date(oldest)} to {date(newest)}"),
        ("mutants", count(found["mutants"])),
        ("toolchains", ", ".join(f"{name} ({n})" for name, n in found["by_toolchain"].items())),
        ("judged", _judged(found)),
    ]
    titled: list[list[Line]] = [[Text(title, style="dim"), said] for title, said in rows if said]
    lines = [Text(f"{found['name']}", style="bold") + Text(f"  {found['title']}")]
    lines += aligned(titled, "ll", indent=2)
    for heading, key in (
        ("Frozen: the reference fails", "frozen"),
        ("Mutants that pass", "survivors"),
        ("The judge failed", "unjudged"),
    ):
        lines += _wrongs(heading, found[key], width)
    for warning in found["warnings"]:
        lines += wrapped(f"Warning: {warning}", min(width, _PROSE), indent="  ")
    told = "Sound: every reference passes and every mutant fails."
    if not found["sound"]:
        told = "Not sound: see above. Frozen tasks are not scored until they are mended."
    if found["missing"]:
        missing = ", ".join(found["missing"])
        lines += wrapped(f"Not tried, because not installed: {missing}.", min(width, _PROSE))
        lines.append(Text(f"  metier doctor --install {next(iter(found['missing']))}", "bold"))
    return [*lines, Text(told, style="bold")]


def _rows(rows: Sequence[FoundRow], width: int, signs: Signs) -> list[Text]:
    header: list[Line] = [
        Text(title, style="dim")
        for title in ("group", "", "passed", "95 %", "n", "over base alone", "tokens", "s", "cost")
    ]
    cells = [header, *(_cells(row, signs) for row in rows)]
    if not any(row.added for row in rows):
        cells = [[*row[:5], *row[6:]] for row in cells]
    sides = "rlrlrlrrl" if any(row.added for row in rows) else "rlrlrrrl"
    lines = aligned(cells, sides, indent=2)
    if max(line.cell_len for line in lines) > width:
        lines = aligned([row[:-3] for row in cells], sides[:-3], indent=2)
    ruled = [lines[0]]
    group = rows[0].group if rows else 0
    for row, line in zip(rows, lines[1:], strict=True):
        if row.group != group:
            ruled.append(Text("  " + "-" * min(width - 2, max(one.cell_len for one in lines) - 2)))
            ruled[-1].stylize("dim")
        group = row.group
        ruled.append(line)
    return ruled


def _cells(row: FoundRow, signs: Signs) -> list[Line]:
    over = Text("")
    if row.added is not None:
        difference = row.added.difference
        over = Text(f"{points(difference.difference):>5} ")
        over.append_text(verdict_text(difference.verdict, signs, small=difference.small))
    spent = row.cost
    name = Text(row.name, style="bold")
    if row.recorded:
        name.append("  recorded", style="dim")
    unscored = sum(row.unscored.values())
    scored = f"{row.score.n}" + (f" (+{unscored} unscored)" if unscored else "")
    return [
        str(row.group),
        name,
        percent(row.score.value) if row.score.n else NOT_MEASURED,
        f"[{span(row.score.interval)}]" if row.score.interval and row.score.n else "",
        scored,
        over,
        count(round(spent.tokens_in + spent.tokens_out)),
        f"{spent.seconds:.1f}" if spent.seconds is not None else "",
        spent.cost_class if spent.spent is None else f"{spent.cost_class}, {spent.spent:.2f} spent",
    ]


def _judged(found: Mapping[str, Any]) -> str:
    answers = counted(found["judged"], "answer")
    if found["judge_ms"] is None:
        return f"{answers}, known from before; --fresh judges again"
    took = f"in {duration(found['seconds'])}, {found['judge_ms']:.0f} ms each (median)"
    return f"{answers} {took}"


def _wrongs(heading: str, wrongs: Sequence[Mapping[str, Any]], width: int) -> list[Text]:
    if not wrongs:
        return []
    lines = [Text(f"{heading}: {len(wrongs)}", style="bold")]
    for one in wrongs[:_MOST_LISTED]:
        where = f" on {one['toolchain']}" if one["toolchain"] else ""
        told = f"{one['task']}{where}, {one['answer']}: {one['why'] or one['found']}"
        lines += [Text("  ") + line for line in wrapped(told, min(width, _PROSE) - 2, indent="  ")]
    if len(wrongs) > _MOST_LISTED:
        lines.append(Text(f"  and {len(wrongs) - _MOST_LISTED} more; --json lists all"))
    return lines
