"""Findings: facts as rows, problems as paragraphs, never more than a screen."""

from __future__ import annotations

from metier.cli.findings import finding_lines


def test_facts_are_rows_and_problems_paragraphs() -> None:
    found = {
        "items": 1200,
        "sealed": True,
        "share": 0.123456,
        "nothing": None,
        "by_kind": {"exact": 3},
        "labels": ["a", "b", "c", "d", "e", "f"],
        "problems": ["one", {"what": "two.", "where": "row 2", "remedy": "Mend it."}],
    }
    assert [line.plain for line in finding_lines(found, 80)] == [
        "items    1,200",
        "sealed   yes",
        "share    0.1235",
        "by kind  exact 3",
        "labels   a, b, c, d, e, …",
        "2 problems:",
        "  one",
        "  row 2: two. What to do: Mend it.",
    ]


def test_many_problems_stay_on_a_screen() -> None:
    lines = finding_lines({"problems": [f"problem {n}" for n in range(1000)]}, 80)
    assert len(lines) == 22
    assert lines[-1].plain == "  and 980 more; see them with --json."
