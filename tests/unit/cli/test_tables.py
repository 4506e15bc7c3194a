"""The table of bases and the check of an executed eval, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from judging import Scribe, WordTool, task
from metier.cli.tables import check_lines, kept_lines, table_lines
from metier.cli.terminal import UNICODE
from metier.evals.executing import Rules, run_entrant
from metier.evals.findings import findings
from metier.evals.tables import Entry, Table
from metier.evals.tasks import Suite

SUITE = Suite(
    "words",
    "Words",
    "MIT",
    tuple(task(f"w{group}x{one}") for group in range(6) for one in range(10)),
)
CHECK: dict[str, Any] = {
    "name": "svelte", "title": "Svelte 5", "tasks": 60, "by_cluster": {"runes": 30, "load": 30},
    "by_toolchain": {"svelte@5": 60}, "mutants": 300, "judged": 360, "seconds": 90.0,
    "judge_ms": 120.0, "frozen": [], "survivors": [], "unjudged": [], "warnings": [],
    "missing": {}, "dated": ["2026-11-23", "2026-11-23"], "sound": True,
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Table:
    entries = []
    for scribe in (Scribe("remote:small", knows=1, adds=3), Scribe("remote:large", knows=4)):
        for parts in ((), ("docs",)):
            entrant = scribe.entrant(parts, samples=1)
            journal = tmp_path / f"{scribe.base}{parts}".replace(":", "-")
            rules = Rules(lambda _name, _chain: WordTool())
            ran = run_entrant(entrant, SUITE, rules, journal=journal)
            entries.append(
                Entry(
                    scribe.base, entrant.base_digest, parts, {}, scribe.recorded,
                    entrant.cost_class, ran.result,
                    seconds={one.item.id: 0.5 for one in ran.answered},
                )
            )  # fmt: skip
    return Table(
        specialist="coder", specialist_digest="sha256:" + "5" * 64, eval="words", title="Words",
        fingerprint=SUITE.fingerprint, command="x", date="2026-11-23", samples=1, frozen={},
        toolchain={}, machine={}, entries=tuple(entries),
    )  # fmt: skip


def told(table: Table, width: int = 120) -> list[str]:
    return [line.plain for line in table_lines(table, findings(table), width, UNICODE)]


def test_rows_have_score_interval_and_what_the_parts_add(made: Table) -> None:
    lines = told(made)
    assert lines[0] == "coder on words  60 tasks, 23 Nov 2026"
    helped = next(line for line in lines if line.split()[1:4] == ["remote:small", "+", "docs"])
    assert "40.0 %" in helped
    assert "▲ WIN" in helped
    assert "What each part adds" in lines
    assert "One base or the other" in lines


def test_groups_stand_between_rules(made: Table) -> None:
    lines = told(made)
    rows = [line for line in lines[1:] if "remote:" in line or set(line.strip()) == {"-"}]
    groups = len({row.group for row in findings(made).rows})
    assert sum(set(line.strip()) == {"-"} for line in rows) == groups - 1


def test_a_narrow_terminal_gets_fewer_columns(made: Table) -> None:
    rows = [line for line in told(made, 72) if line.strip()[:1].isdigit() and "remote:" in line]
    assert rows
    assert all("0.5" not in line.split()[-2:] for line in rows)


def test_where_the_table_is_and_how_it_is_given_away(made: Table) -> None:
    kept = [str(line) for line in kept_lines(Path("t.jsonl"), made, None)]
    assert kept[-1].endswith("--to FILE")
    shared = [str(line) for line in kept_lines(Path("t.jsonl"), made, Path("mine.jsonl"))]
    assert shared[-1] == "Check it:  metier verify --table mine.jsonl"


def test_a_sound_eval_says_so() -> None:
    lines = [line.plain for line in check_lines(CHECK, 92)]
    assert lines[0] == "svelte  Svelte 5"
    assert "60 in 2 clusters" in lines[1]
    assert "360 answers in 1 min 30 s, 120 ms each (median)" in "\n".join(lines)
    assert lines[-1].startswith("Sound:")


def test_what_is_wrong_is_listed_and_what_is_missing_comes_with_its_command() -> None:
    wrong = {"task": "load-1", "toolchain": "kit@2", "answer": "reference", "why": "", "found": "x"}
    found = {**CHECK, "sound": False, "frozen": [wrong] * 12, "missing": {"kit@2": "not here"}}
    text = "\n".join(line.plain for line in check_lines(found, 92))
    assert "Frozen: the reference fails: 12" in text
    assert "load-1 on kit@2, reference: x" in text
    assert "and 2 more" in text
    assert "metier doctor --install kit@2" in text
    assert text.endswith("until they are mended.")
