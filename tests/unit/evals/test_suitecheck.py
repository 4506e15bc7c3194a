"""check-eval of an executed eval: soundness, and what it can show."""

import json
from pathlib import Path

import pytest

from judging import Scribe, WordTool, suite, task
from metier.coding import SourceFile
from metier.errors import UnavailableError
from metier.evals.selftest import self_test
from metier.evals.suitecheck import SuiteCheck, check_suite, refuse_if_frozen, strength
from metier.evals.tasks import Mutant, Suite
from metier.examine.bases import BaseExaminer


def checked(made: Suite, folder: Path, tool: WordTool | None = None) -> SuiteCheck:
    judge = tool or WordTool()
    tested = self_test(made, lambda _name, _chain: judge, folder=folder, today="2026-11-23")
    return check_suite(made, tested)


def test_a_sound_suite(tmp_path: Path) -> None:
    found = checked(suite(10), tmp_path)
    assert found.sound
    assert (found.tasks, found.mutants, found.judged) == (10, 50, 60)
    assert found.by_cluster == {f"pair{number}": 2 for number in range(5)}
    assert found.warnings == (
        "10 items in 5 clusters: with fewer than six clusters no WIN or LOSS can be given.",
    )
    assert json.loads(json.dumps(found.to_dict()))["sound"] is True


def test_everything_that_is_wrong_is_said(tmp_path: Path) -> None:
    good = Mutant("good", "is right", (SourceFile("answer.txt", "alive too"),))
    tasks = (
        task("alive", mutants=(good,)),
        task("frozen", reference=(SourceFile("answer.txt", "nothing"),)),
        task("crash"),
        task("twice", prompt="Write the word alive."),
    )
    made = Suite("s", "t", "MIT", tasks, least_mutants=5)
    found = checked(made, tmp_path, WordTool(broken=("crash",), flaky=["twice indeed"]))
    assert not found.sound
    assert [(wrong.task, wrong.date) for wrong in found.frozen] == [("frozen", "2026-11-23")]
    assert [(wrong.task, wrong.why) for wrong in found.survivors] == [("alive", "is right")]
    assert [wrong.task for wrong in found.unjudged] == ["crash"]
    assert found.few_mutants == {"alive": 1}
    assert found.unsteady == ("twice",)
    assert [(pair.first, pair.second) for pair in found.alike] == [("alive", "twice")]
    assert found.warnings[:6] == (
        "Frozen, because the reference fails: frozen.",
        "Wrong answers that pass: 1 of 16.",
        "Answers on which the judge failed: 1.",
        "Passed at the second attempt only: twice.",
        "Fewer than 5 mutants: alive.",
        "Pairs of tasks that ask nearly the same: 1.",
    )


def test_tasks_of_others_may_come_without_mutants(tmp_path: Path) -> None:
    made = Suite("s", "t", "MIT", (task("one", mutants=0),))
    found = checked(made, tmp_path)
    assert found.sound
    assert "There are no mutants: what the tests let through is not known." in found.warnings


def test_an_eval_is_refused_when_all_of_it_is_frozen(tmp_path: Path) -> None:
    wrong = (SourceFile("answer.txt", "nothing"),)
    made = Suite("s", "t", "MIT", (task("one", reference=wrong), task("two", reference=wrong)))
    tool = WordTool()
    tested = self_test(made, lambda _name, _chain: tool, folder=tmp_path, today="2026-11-23")
    with pytest.raises(UnavailableError) as caught:
        refuse_if_frozen(made, tested.frozen(made))
    assert caught.value.code == "frozen_eval"
    assert caught.value.details["tasks"] == ["one", "two"]
    assert check_suite(made, tested).strength is None
    refuse_if_frozen(made, {"one": tested.proofs[0]})


def test_saturation_and_floor_come_from_what_was_measured(tmp_path: Path) -> None:
    scribes = {"remote:a": Scribe("remote:a", knows=2), "remote:b": Scribe("remote:b", knows=4)}
    tool = WordTool()
    known = BaseExaminer(
        suites=tmp_path / "none",
        home=tmp_path,
        tools=lambda _name, _chain: tool,
        entrant=lambda _name, base, parts, samples: scribes[base].entrant(parts, samples=samples),
        specialist_digest=lambda _name: "sha256:" + "5" * 64,
        sandbox=lambda: "bubblewrap",
        today="2026-11-23",
        made={"words": lambda: suite(10)},
    )
    assert known.check("words").saturation is None
    known.evaluate("coder", on="words", bases=["remote:a", "remote:b"], samples=2)
    (tmp_path / "tables" / "damaged.jsonl").write_text("{")
    found = known.check("words")
    seen = found.saturation
    assert seen is not None
    assert (seen.entries, seen.recorded, seen.telling) == (8, 0, 6)
    assert seen.passed_by_all == ("word0", "word1")
    assert seen.passed_by_none == ("word8", "word9")
    assert found.warnings[-1] == (
        "Of 8 entries measured here: all pass 2 tasks, none passes 2, 6 tell entries apart."
    )


def test_strength_counts_clusters() -> None:
    alone = strength([f"c{number}" for number in range(60)])
    assert (alone.items, alone.clusters, alone.smallest_win) == (60, 60, 0.1)
    assert alone.detectable == alone.detectable_worst
    assert alone.sentence() == (
        "60 items in 60 clusters: where two systems differ on a fifth of them, the smallest "
        "difference that shows is 15 points."
    )
    grouped = strength([f"c{number % 12}" for number in range(60)])
    assert grouped.largest_cluster == 5
    assert grouped.detectable_worst["0.2"] == 1.0
    assert "at best, and nothing if each cluster is one thing" in grouped.sentence()
    often = strength([f"c{number % 12}" for number in range(60)], samples=10)
    assert often.items == 600
    assert often.detectable["0.2"] < alone.detectable["0.2"]
    assert often.detectable_worst["0.2"] == 1.0, "samples of a task add no clusters"
    large = strength([f"c{number // 2}" for number in range(120)])
    assert "is 11 to 15 points" in large.sentence()
    few = strength([f"c{number}" for number in range(8)])
    assert "show nothing where" in few.sentence()
