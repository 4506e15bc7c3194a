"""What a table shows: groups, what parts add, and the caveats."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from judging import Scribe, WordTool, task
from metier.card import Verdict
from metier.evals.executing import Rules, run_entrant
from metier.evals.findings import RECORDED, Findings, findings
from metier.evals.results import ResultItem
from metier.evals.tables import Entry, Table
from metier.evals.tasks import Suite

SUITE = Suite(
    "words",
    "Words",
    "MIT",
    tuple(task(f"w{group}x{one}") for group in range(6) for one in range(10)),
)
BOTH = ((), ("docs",), ("tools",), ("docs", "tools"))


def table(
    folder: Path, *scribes: Scribe, parts: tuple[tuple[str, ...], ...] = BOTH, samples: int = 1
) -> Table:
    entries = []
    rules = Rules(lambda _name, _chain: WordTool(), samples=samples)
    for scribe in scribes:
        for some in parts:
            entrant = scribe.entrant(some, samples=samples)
            name = f"{scribe.base}-{'-'.join(some)}-{samples}".replace(":", "-")
            ran = run_entrant(entrant, SUITE, rules, journal=folder / name)
            entries.append(
                Entry(
                    base=scribe.base,
                    base_digest=entrant.base_digest,
                    parts=some,
                    settings={},
                    recorded=scribe.recorded,
                    cost_class=entrant.cost_class,
                    result=ran.result,
                    spent={one.item.id: one.spent for one in ran.answered if one.spent},
                    reasons={one.item.id: one.reason for one in ran.answered if one.reason},
                    seconds={one.item.id: 0.5 for one in ran.answered},
                )
            )
    return Table(
        specialist="coder",
        specialist_digest="sha256:" + "5" * 64,
        eval="words",
        title="Words",
        fingerprint=SUITE.fingerprint,
        command="metier eval coder --on words",
        date="2026-11-23",
        samples=samples,
        frozen={},
        toolchain={},
        machine={},
        entries=tuple(entries),
    )


def by_name(found: Findings) -> dict[str, tuple[float, int]]:
    return {row.name: (round(row.score.value, 2), row.group) for row in found.rows}


def test_what_parts_add_and_which_entries_stand_together(tmp_path: Path) -> None:
    made = table(tmp_path, Scribe("remote:small", knows=1, adds=3), Scribe("remote:large", knows=4))
    found = findings(made)
    assert by_name(found) == {
        "remote:large + docs + tools": (0.8, 1),
        "remote:small + docs + tools": (0.7, 1),
        "remote:large + docs": (0.6, 2),
        "remote:large + tools": (0.6, 2),
        "remote:large": (0.4, 3),
        "remote:small + docs": (0.4, 3),
        "remote:small + tools": (0.4, 3),
        "remote:small": (0.1, 4),
    }
    assert [row.group for row in found.rows] == sorted(row.group for row in found.rows)
    questions = {one.question: one for one in found.comparisons}
    assert list(questions) == [
        "What docs adds to remote:small",
        "What tools adds to remote:small",
        "What docs and tools add to remote:small",
        "What docs adds to remote:small + tools",
        "What tools adds to remote:small + docs",
        "What docs adds to remote:large",
        "What tools adds to remote:large",
        "What docs and tools add to remote:large",
        "What docs adds to remote:large + tools",
        "What tools adds to remote:large + docs",
        "remote:small against remote:large, both with docs and tools",
        "remote:small against remote:large, both with docs",
        "remote:small against remote:large, both with tools",
        "remote:small against remote:large, both alone",
    ]
    added = questions["What docs and tools add to remote:small"].evidence
    assert added.difference.verdict is Verdict.WIN
    assert added.difference.difference == pytest.approx(0.6)
    assert (added.against, added.difference.clusters) == ("base", 60)
    top = questions["remote:small against remote:large, both with docs and tools"].evidence
    assert top.difference.verdict is Verdict.LOSS
    assert top.against == "other"
    row = next(row for row in found.rows if row.name == "remote:small + docs + tools")
    assert row.added == added
    assert row.cost.spent == pytest.approx(1.8)
    assert (row.cost.answers, row.cost.tokens_out, row.cost.seconds) == (60, 20.0, 0.5)
    assert (found.saturated, found.floored, found.telling) == (6, 12, 42)
    assert any("show a difference by themselves but not" in note for note in found.notes)
    assert json.loads(json.dumps(found.to_dict(made)))["rows"][0]["group"] == 1
    assert findings(made) == found


def test_samples_count_as_one_cluster_each(tmp_path: Path) -> None:
    pair = (Scribe("remote:a", knows=4), Scribe("remote:b", knows=5))
    once = findings(table(tmp_path, *pair, parts=((),)))
    often = findings(table(tmp_path, *pair, parts=((),), samples=5))
    first, many = once.comparisons[0].evidence.difference, often.comparisons[0].evidence.difference
    assert (first.n, many.n) == (60, 300)
    assert many.clusters == first.clusters == 60
    width = [one.interval.high - one.interval.low for one in (first, many)]
    assert width[1] == pytest.approx(width[0], rel=0.1), "copies show nothing new"
    assert {row.copies for row in often.rows} == {240}
    assert {row.copies for row in once.rows} == {0}


def test_few_clusters_decide_nothing_and_say_how_many_would(tmp_path: Path) -> None:
    made = table(tmp_path, Scribe(knows=4, adds=1))
    ten = tuple(
        replace(
            entry,
            result=replace(
                entry.result,
                items=tuple(replace(item, cluster="all") for item in entry.result.items),
            ),
        )
        for entry in made.entries
    )
    found = findings(replace(made, entries=ten))
    assert {one.evidence.difference.verdict for one in found.comparisons} == {Verdict.UNDERPOWERED}
    assert {row.group for row in found.rows} == {1}
    assert "60 items in 1 clusters: with fewer than six clusters no WIN or LOSS can be given." in (
        found.notes
    )
    assert any(note.startswith("Underpowered: 5 of 5 comparisons") for note in found.notes)


def test_unscored_items_are_left_out_and_named(tmp_path: Path) -> None:
    fails = tuple(f"w0x{number}" for number in range(3))
    made = table(tmp_path, Scribe(knows=5, fails=fails), parts=((), ("docs",)))
    found = findings(made)
    row = found.rows[0]
    assert (row.score.n, row.score.unscored, row.unscored) == (57, 3, {"answer": 3})
    assert row.cost.answers == 57
    assert any("3 items unscored (answer 3); run the command again" in note for note in found.notes)


def test_an_entry_without_a_score_stands_last(tmp_path: Path) -> None:
    made = table(tmp_path, Scribe(knows=5), parts=((), ("docs",)))
    dead = replace(
        made.entries[1],
        result=replace(
            made.entries[1].result,
            items=tuple(
                ResultItem(item.id, item.cluster, "unscored")
                for item in made.entries[1].result.items
            ),
        ),
    )
    found = findings(replace(made, entries=(made.entries[0], dead)))
    assert [row.name for row in found.rows] == ["remote:scribe", "remote:scribe + docs"]
    assert found.rows[1].added is None
    assert found.comparisons == ()


def test_recorded_answers_come_first_among_the_notes(tmp_path: Path) -> None:
    found = findings(table(tmp_path, Scribe("replay:x", recorded=True), parts=((),)))
    assert found.notes[0] == RECORDED
    assert found.rows[0].recorded


def test_tasks_that_are_old_are_said_to_be(tmp_path: Path) -> None:
    made = table(tmp_path, Scribe(), parts=((),))
    assert not any("published" in note for note in findings(made).notes)
    later = findings(replace(made, date="2028-01-01"))
    assert any(
        note.startswith("The newest task was published on 2026-11-23") for note in later.notes
    )


def test_saturation_is_said(tmp_path: Path) -> None:
    found = findings(table(tmp_path, Scribe(knows=9, adds=1), parts=((), ("docs",))))
    assert (found.saturated, found.floored, found.telling) == (54, 0, 6)
    assert "Every entry passes 54 items and none passes 0: only 6 of 60 tell entries apart." in (
        found.notes
    )
