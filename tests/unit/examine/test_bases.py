"""Executed evals by name or folder, and their self-test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import metier
from judging import Scribe, WordTool, suite
from metier.coding import SourceFile
from metier.errors import CorruptError, InputError, NotFoundError, UnavailableError
from metier.evals.executing import Entrant
from metier.evals.tables import read_table
from metier.examine.bases import BaseExaminer, Examination
from metier.messages import Progress

SUITES = Path(metier.__file__).parent / "suites"
TASK = """
id = "hello"
title = "A greeting"
cluster = "greetings"
prompt = "Write the word hello."
behaviour = { kind = "words", steps = [{ has = "hello" }] }
reference = { "answer.txt" = "hello you" }
mutants = [
  { why = "another word", find = "hello", replace = "goodbye" },
]
"""


def examiner(
    home: Path, tool: WordTool | None = None, scribes: Mapping[str, Scribe] | None = None
) -> BaseExaminer:
    judge = tool or WordTool()
    known = scribes or {}

    def entrant(name: str, base: str, parts: tuple[str, ...], samples: int) -> Entrant:
        if base not in known:
            raise NotFoundError(f"There is no base {base!r}.", code="no_base")
        return known[base].entrant(parts, samples=samples)

    return BaseExaminer(
        suites=SUITES,
        home=home,
        tools=lambda _name, _chain: judge,
        entrant=entrant,
        specialist_digest=lambda _name: "sha256:" + "5" * 64,
        sandbox=lambda: "bubblewrap",
        today="2026-11-23",
        machine={"cores": 2},
        version="0.0",
        made={"python": lambda: suite(name="python")},
    )


def my_tasks(folder: Path) -> Path:
    folder.mkdir()
    header = 'title = "Mine"\nlicence = "MIT"\ntool = "words"\ndate = 2026-11-23\n'
    (folder / "suite.toml").write_text(header)
    (folder / "hello.toml").write_text(TASK)
    return folder


def test_evals_by_name_and_by_folder(tmp_path: Path) -> None:
    known = examiner(tmp_path)
    assert known.names() == ["python", "react", "svelte"]
    assert known.suite_of("svelte").name == "svelte"
    assert known.suite_of("python").name == "python"
    mine = my_tasks(tmp_path / "mine")
    assert known.suite_of(str(mine)).name == "mine"
    assert known.holds("svelte")
    assert known.holds("python")
    assert known.holds(str(mine))
    assert not known.holds(str(tmp_path))


@pytest.mark.parametrize("name", ["svelt", "", "nothing-like-it"])
def test_a_name_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        examiner(tmp_path).suite_of(name)
    assert caught.value.code == "no_eval"
    assert "python, react, svelte" in str(caught.value.remedy)
    if name == "svelt":
        assert "Did you mean svelte?" in caught.value.message


def test_a_folder_of_the_users_is_checked(tmp_path: Path) -> None:
    mine = my_tasks(tmp_path / "mine")
    tool = WordTool()
    known = examiner(tmp_path, tool)
    found = known.check(str(mine))
    assert not found.sound
    assert found.few_mutants == {"hello": 1}
    assert found.survivors == ()
    known.check(str(mine))
    assert len(tool.judged) == 2
    known.check(str(mine), fresh=True)
    assert len(tool.judged) == 4
    (mine / "hello.toml").write_text(TASK.replace("prompt", "promt"))
    with pytest.raises(InputError, match=r"hello.toml: promt: there is no such field"):
        known.check(str(mine))


def asked(
    home: Path, *scribes: Scribe, tool: WordTool | None = None, **settings: object
) -> Examination:
    known = {scribe.base: scribe for scribe in scribes}
    return examiner(home, tool, known).evaluate(
        "coder",
        on="python",
        bases=list(known),
        **settings,  # type: ignore[arg-type]
    )


def test_every_base_alone_with_each_part_and_with_all(tmp_path: Path) -> None:
    said: list[Progress] = []
    one, two = Scribe("remote:one", knows=1), Scribe("remote:two", knows=3)
    found = asked(tmp_path, one, two, report=said.append)
    assert [entry.name for entry in found.table.entries] == [
        "remote:one", "remote:one + docs", "remote:one + tools", "remote:one + docs + tools",
        "remote:two", "remote:two + docs", "remote:two + tools", "remote:two + docs + tools",
    ]  # fmt: skip
    shares = [
        round(sum(item.outcome for item in entry.result.items)) for entry in found.table.entries
    ]  # type: ignore[misc]
    assert shares == [1, 3, 3, 5, 3, 5, 5, 6]
    assert found.table.command == (
        "metier eval coder --on python --base remote:one --base remote:two --with docs,tools"
    )
    assert found.table.toolchain == {
        "words on words@1": "sha256:" + "1" * 64,
        "sandbox": "bubblewrap",
        "metier": "0.0",
    }
    fractions = [step.fraction for step in said if step.data.get("entry")]
    assert fractions == sorted(fractions, key=lambda one: one or 0.0)
    assert fractions[-1] == 1.0
    assert any("6 items in 3 clusters" in step.message for step in said), "size before the run"
    assert json.loads(json.dumps(found.to_dict()))["file"] == str(found.path)
    assert read_table(found.path) == found.table


def test_a_further_base_costs_its_own_answers_only(tmp_path: Path) -> None:
    one, two = Scribe("remote:one"), Scribe("remote:two")
    first = asked(tmp_path, one)
    assert len(one.asked) == 24
    both = asked(tmp_path, one, two)
    assert (len(one.asked), len(two.asked)) == (24, 24)
    assert both.table.entries[0].result.digest == first.table.entries[0].result.digest
    asked(tmp_path, one, fresh=True)
    assert len(one.asked) == 48


def test_which_parts_are_asked_for(tmp_path: Path) -> None:
    names = [entry.parts for entry in asked(tmp_path, Scribe(), with_=()).table.entries]
    assert names == [()]
    names = [entry.parts for entry in asked(tmp_path, Scribe(), with_=("docs",)).table.entries]
    assert names == [(), ("docs",)]
    three = asked(tmp_path, Scribe(), with_=("prompt", "docs", "tools")).table.entries
    assert [len(entry.parts) for entry in three] == [0, 1, 1, 1, 3]


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    known = examiner(tmp_path, scribes={"remote:scribe": Scribe()})
    for settings, code in (
        ({"bases": []}, "no_base"),
        ({"bases": ["remote:scribe", "remote:scribe"]}, "same_base"),
        ({"bases": ["remote:scribe"], "with_": ("docs", "docs")}, "same_part"),
        ({"bases": ["remote:none"]}, "no_base"),
        ({"bases": ["remote:scribe"], "samples": 0}, "bad_samples"),
    ):
        with pytest.raises(InputError) as caught:
            known.evaluate("coder", on="python", **settings)  # type: ignore[arg-type]
        assert caught.value.code == code


def test_frozen_tasks_are_unscored_and_named_and_all_of_them_refused(tmp_path: Path) -> None:
    known = examiner(tmp_path, scribes={"remote:scribe": Scribe(knows=10)})
    some = suite(name="python")
    wrong = (SourceFile("answer.txt", "nothing"),)
    tasks = list(some.tasks)
    object.__setattr__(tasks[2], "reference", wrong)
    known.made["python"] = lambda: some  # type: ignore[index]
    found = known.evaluate("coder", on="python", bases=["remote:scribe"], with_=())
    assert found.table.frozen == {"word2": "step 1: expected has 'word2' (2026-11-23)"}
    (row,) = found.findings.rows
    assert (row.score.n, row.score.unscored, row.unscored) == (5, 1, {"frozen": 1})
    assert "Frozen and unscored, because the reference fails: word2." in found.findings.notes
    for one in tasks:
        object.__setattr__(one, "reference", wrong)
    with pytest.raises(UnavailableError) as caught:
        known.evaluate("coder", on="python", bases=["remote:scribe"])
    assert caught.value.code == "frozen_eval"


def test_a_budget_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    scribe = Scribe()
    asked(tmp_path, Scribe("remote:other"))
    with pytest.raises(UnavailableError) as caught:
        asked(tmp_path, scribe, budget=0.0)
    assert caught.value.code == "budget_spent"
    assert asked(tmp_path, scribe, budget=60.0).table.entries


def test_recorded_answers_are_marked_everywhere(tmp_path: Path) -> None:
    found = asked(tmp_path, Scribe("replay:old.jsonl", recorded=True))
    assert found.findings.recorded
    assert found.findings.notes[0] == (
        "Recorded answers: plumbing, not a measurement of this machine."
    )
    assert all(row.recorded for row in found.findings.rows)
    header = json.loads(found.path.read_bytes().splitlines()[0])
    assert header["recorded"] is True
    assert read_table(found.path).recorded


def test_a_table_can_be_verified(tmp_path: Path) -> None:
    tool = WordTool()
    known = examiner(tmp_path, tool, {"remote:scribe": Scribe()})
    found = known.evaluate("coder", on="python", bases=["remote:scribe"])
    before = len(tool.judged)
    again = known.verify(found.path)
    assert again.same
    assert (again.judged, again.kept_back) == (24, 0)
    assert len(tool.judged) == before + 24
    text = found.path.read_text().replace('"outcome":0,', '"outcome":1,', 1)
    assert text != found.path.read_text()
    found.path.write_text(text)
    with pytest.raises(CorruptError):
        known.verify(found.path)


RUN = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from judging import Scribe
import test_bases_in_process as tests

class Slow(Scribe):
    def entrant(self, parts=(), *, samples=1):
        made = super().entrant(parts, samples=samples)
        from dataclasses import replace
        def reply(*given):
            time.sleep(0.02)
            return made.reply(*given)
        return replace(made, reply=reply)

print(tests.asked(Path(sys.argv[1]), Slow("remote:slow", knows=3)).path.name)
"""


def test_killed_at_any_time_it_ends_in_the_same_bytes(tmp_path: Path) -> None:
    whole = asked(tmp_path / "whole", Scribe("remote:slow", knows=3))
    home = tmp_path / "killed"
    script = tmp_path / "run.py"
    script.write_text(RUN)
    (tmp_path / "test_bases_in_process.py").write_text(Path(__file__).read_text())
    tests = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([*sys.path, str(tmp_path)])
    command = [sys.executable, str(script), str(home), tests]
    environment = {**os.environ, "PYTHONPATH": paths}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while _answers(home) < 5 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 5 <= _answers(home) < 24
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    ended = home / "tables" / done.stdout.strip()
    assert ended.read_bytes() == whole.path.read_bytes()


def _answers(home: Path) -> int:
    files = (home / "journals").glob("*.jsonl")
    return sum(max(0, path.read_bytes().count(b"\n") - 1) for path in files)
