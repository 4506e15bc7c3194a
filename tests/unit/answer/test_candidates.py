"""Candidates: what counts as sound, which is taken, and how mended code goes back into a text."""

from __future__ import annotations

from metier.answer.candidates import Bench, Candidate, choose, spliced
from metier.answer.plan import Budget
from metier.answer.trace import Trace
from metier.coding import Behaviour, Checked, Diagnostic, Judged, SourceFile
from metier.conversing import Draft
from metier.errors import UnavailableError
from small_tool import PythonParser, code

WRONG = Checked(False, (Diagnostic("x", "wrong"),))


def candidate(number: int, checked: Checked | None, standing: str | None = None) -> Candidate:
    judged = Judged(standing) if standing else None
    return Candidate(number, "", Draft(""), checked=checked, judged=judged)


def test_passes_before_compiles_before_first() -> None:
    broken, compiles = candidate(1, WRONG), candidate(2, Checked(True))
    fails, passes = candidate(3, Checked(True), "failed"), candidate(4, Checked(True), "passed")
    assert choose([broken, fails, passes, compiles]) is passes
    assert choose([broken, fails, compiles]) is compiles
    assert choose([broken, candidate(5, WRONG)]) is broken
    assert [one.sound for one in (broken, compiles, fails, passes)] == [False, True, False, True]
    assert candidate(1, None).sound


def test_a_judge_that_failed_is_not_a_pass() -> None:
    unscored = candidate(1, Checked(True), "unscored")
    assert not unscored.sound
    assert unscored.rank == 1


class NoJudge(PythonParser):
    def judge(self, files, behaviour) -> Judged:
        raise UnavailableError("There is no sandbox.", code="no_sandbox")


def test_without_a_sandbox_nothing_is_judged_and_it_is_said() -> None:
    trace = Trace(Budget())
    bench = Bench((NoJudge(),), trace, behaviour=Behaviour("python", "a.py"))
    found = bench.look(1, Draft(code("x = 1")))
    assert found.judged is not None
    assert found.judged.standing == "unscored"
    assert any("no sandbox" in step.summary for step in trace.steps)


def test_the_tool_that_finds_most_code_checks() -> None:
    class Other(PythonParser):
        def files_of(self, answer):
            return (SourceFile("a.txt", answer),) if "other" in answer else ()

    python, other = PythonParser(), Other(name="other")
    bench = Bench((python, other), Trace(Budget()))
    assert bench.look(1, Draft(code("x = 1"))).tool is python
    assert bench.look(2, Draft("other words" * 20)).tool is other
    assert bench.look(3, Draft("only words")).tool is None


def test_an_answer_gets_the_name_that_a_behaviour_mounts() -> None:
    draft = Draft(code("def one():\n    return 1"))
    options = {"call": "one()", "expected": 1}
    behaviour = Behaviour("python", "numbers.py", options=options)
    found = Bench((PythonParser(),), Trace(Budget()), behaviour=behaviour).look(1, draft)
    assert [file.path for file in found.files] == ["numbers.py"]
    assert found.sound


def test_half_a_repair_is_taken_if_less_is_wrong() -> None:
    two = code("retrun 1 +") + code("def f():\n    retrun 1")
    found = Bench((PythonParser(),), Trace(Budget())).look(1, Draft(two))
    assert found.checked is not None
    assert len(found.checked.errors) == 1
    assert "return 1\n" in found.text
    assert found.applied == (("spelling", "Wrote return."),)


def test_mended_files_go_back_where_they_were() -> None:
    before = [SourceFile("a.py", "x = (1\n"), SourceFile("b.py", "y = 2\n")]
    after = [SourceFile("a.py", "x = (1)\n"), SourceFile("b.py", "y = 2\n")]
    text = "First:\n```python\nx = (1\n```\nthen\n```python\ny = 2\n```\n"
    assert spliced(text, before, after) == text.replace("x = (1", "x = (1)")


def test_files_that_stand_differently_in_the_text_are_found_or_added() -> None:
    before, after = [SourceFile("a.py", "\nx = (1\n\n")], [SourceFile("a.py", "x = (1)\n")]
    assert spliced("```\nx = (1\n```", before, after) == "```\nx = (1)\n```"
    added = spliced("Something else.", before, after)
    assert added.startswith("Something else.\n")
    assert "`a.py`\n\n```py\nx = (1)\n```" in added
