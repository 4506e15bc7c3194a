"""Problems: what, where and how to mend it, never more than a screen."""

from __future__ import annotations

from metier.cli.findings import problem_lines, problems_found


def test_a_problem_is_a_paragraph() -> None:
    problems = [
        {"what": "the bytes differ", "where": "blob ab", "remedy": "Make it again."},
        {"what": "one.", "where": "", "remedy": None},
    ]
    assert [line.plain for line in problem_lines(problems, 80)] == [
        "  blob ab: the bytes differ. What to do: Make it again.",
        "  one.",
    ]


def test_many_problems_stay_on_a_screen() -> None:
    lines = problem_lines([{"what": f"problem {n}"} for n in range(1000)], 80)
    assert len(lines) == 21
    assert lines[-1].plain == "  and 980 more; see them with --json."


def test_how_many() -> None:
    assert problems_found([]) == "no problems"
    assert problems_found([{}]) == "1 problem"
    assert problems_found([{}] * 1200) == "1,200 problems"
