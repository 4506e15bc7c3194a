"""Putting tasks to a base: outcomes, unscored items, copies, and an exact resume."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from judging import Scribe, WordTool, suite, task
from metier.conversing import Reply
from metier.errors import CorruptError, InputError, StorageError, UnavailableError
from metier.evals.executing import Entrant, Ran, Rules, journal_name, run_entrant
from metier.evals.tasks import Suite
from metier.messages import Progress

SUITE = suite(10)


def ran(folder: Path, scribe: Scribe, tool: WordTool | None = None, **settings: object) -> Ran:
    judge = tool or WordTool()
    rules = Rules(
        lambda _name, _chain: judge,
        **{
            name: settings.pop(name)
            for name in ("samples", "workers", "frozen")
            if name in settings
        },  # type: ignore[arg-type]
    )
    return run_entrant(
        scribe.entrant(),
        SUITE,
        rules,
        journal=folder / "journal",
        **settings,  # type: ignore[arg-type]
    )


def outcomes(found: Ran) -> dict[str, object]:
    return {item.id: item.outcome for item in found.result.items}


def test_what_passes_counts_one_and_what_fails_none(tmp_path: Path) -> None:
    said: list[Progress] = []
    found = ran(tmp_path, Scribe(knows=4), report=said.append)
    assert outcomes(found) == {f"word{number}": float(number < 4) for number in range(10)}
    (first, *_, last) = found.answered
    assert (first.why, first.spent, first.reason) == ("", pytest.approx(0.03), None)
    assert last.why == "behaviour: step 1: expected has 'word9'"
    assert found.result.items[0].cluster == "pair0"
    assert found.result.items[0].tokens_out == 20
    assert said[-1].fraction == 1.0
    assert said[-1].message == "remote:scribe: 10 of 10 answers"


def test_samples_are_items_of_one_cluster(tmp_path: Path) -> None:
    scribe = Scribe()
    tool = WordTool()
    found = ran(tmp_path, scribe, tool, samples=3)
    assert [item.id for item in found.result.items][:4] == [
        "word0#1", "word0#2", "word0#3", "word1#1",
    ]  # fmt: skip
    assert len({item.cluster for item in found.result.items}) == 5
    assert len(scribe.asked) == 30
    assert len(tool.judged) <= 20, "a copy of an answer is not judged again"


def test_a_killed_run_ends_in_the_same_bytes(tmp_path: Path) -> None:
    killed = tmp_path / "b"
    for folder in (tmp_path / "a", killed):
        folder.mkdir()
    whole = ran(tmp_path / "a", Scribe(knows=6))
    scribe = Scribe(knows=6)
    for stop_after in (1, 2, 3, 100):
        before = len(scribe.asked)

        def stop(before: int = before, after: int = stop_after) -> bool:
            return len(scribe.asked) - before >= after

        if stop_after == 100:
            found = ran(killed, scribe, cancelled=stop, workers=1)
            break
        with pytest.raises(UnavailableError) as caught:
            ran(killed, scribe, cancelled=stop, workers=1)
        assert caught.value.code == "cancelled"
        journal = killed / "journal"
        journal.write_bytes(journal.read_bytes() + b'{"torn')
    assert found.result.to_bytes() == whole.result.to_bytes()
    asked = [name for name, _, _ in scribe.asked]
    assert len(asked) <= 10 + 3, "only what was in flight is asked twice"
    again = Scribe(knows=6)
    assert ran(killed, again).result.to_bytes() == whole.result.to_bytes()
    assert again.asked == []


def test_unscored_is_never_zero_and_is_asked_again(tmp_path: Path) -> None:
    found = ran(tmp_path, Scribe(knows=10, fails=("word3", "word5")))
    assert outcomes(found)["word3"] == "unscored"
    assert sum(item.outcome == 1.0 for item in found.result.items) == 8
    missing = found.answered[3]
    assert (missing.reason, missing.why) == ("answer", "remote:scribe does not answer.")
    mended = Scribe(knows=10)
    assert all(outcome == 1.0 for outcome in outcomes(ran(tmp_path, mended)).values())
    assert sorted(name for name, _, _ in mended.asked) == ["word3", "word5"]


def test_a_service_that_is_down_is_left_alone(tmp_path: Path) -> None:
    scribe = Scribe(fails=tuple(f"word{number}" for number in range(10)))
    found = ran(tmp_path, scribe, workers=1)
    assert set(outcomes(found).values()) == {"unscored"}
    assert len(scribe.asked) == 5
    assert [one.reason for one in found.answered].count("not asked") == 5


def test_frozen_tasks_and_missing_toolchains_are_not_asked(tmp_path: Path) -> None:
    scribe = Scribe(knows=10)
    found = ran(tmp_path, scribe, frozen={"word2": "step 1 (2026-11-23)"})
    assert outcomes(found)["word2"] == "unscored"
    assert found.answered[2].reason == "frozen"
    assert "word2" not in [name for name, _, _ in scribe.asked]

    class Missing(WordTool):
        @property
        def digest(self) -> str:  # type: ignore[override]
            raise UnavailableError("words@1 is not installed.", code="no_toolchain")

        @digest.setter
        def digest(self, value: str) -> None: ...

    other = Scribe()
    (tmp_path / "b").mkdir()
    found = ran(tmp_path / "b", other, Missing())
    assert {one.reason for one in found.answered} == {"toolchain"}
    assert other.asked == []


def test_a_judge_that_fails_scores_nobody(tmp_path: Path) -> None:
    tool = WordTool(broken=("word1",))
    found = ran(tmp_path, Scribe(knows=10), tool)
    assert outcomes(found)["word1"] == "unscored"
    assert found.answered[1].reason == "judge"
    assert len(tool.judged) == 11, "it has a second chance"


def test_an_answer_without_code_fails(tmp_path: Path) -> None:
    def reply(_task: object, _sample: int, _cancelled: object) -> Reply:
        return Reply("I would rather not \ud800.")

    entrant = replace(Scribe().entrant(), reply=reply)
    rules = Rules(lambda _name, _chain: WordTool())
    found = run_entrant(entrant, SUITE, rules, journal=tmp_path / "j")
    assert set(outcomes(found).values()) == {0.0}
    assert found.answered[0].why == "extract: there is no code in the answer"


def test_stopping_reaches_a_base_that_writes(tmp_path: Path) -> None:
    started = threading.Event()

    def reply(_task: object, _sample: int, cancelled: object) -> Reply:
        started.set()
        while not cancelled():  # type: ignore[operator]
            threading.Event().wait(0.01)
        raise InputError("Stopped before the end.", code="cancelled")

    entrant = replace(Scribe().entrant(), reply=reply)
    rules = Rules(lambda _name, _chain: WordTool())
    with pytest.raises(UnavailableError) as caught:
        run_entrant(entrant, SUITE, rules, journal=tmp_path / "j", cancelled=started.is_set)
    assert caught.value.code == "cancelled"


@pytest.mark.parametrize("askers", [1, 2])
def test_no_more_tasks_are_asked_at_once_than_the_base_takes(tmp_path: Path, askers: int) -> None:
    lock = threading.Lock()
    inside, most = [0], [0]
    base = Scribe().entrant()

    def reply(*given: object) -> Reply:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.01)
        with lock:
            inside[0] -= 1
        return base.reply(*given)  # type: ignore[arg-type]

    entrant = replace(base, reply=reply, askers=askers)
    rules = Rules(lambda _name, _chain: WordTool(), workers=4)
    run_entrant(entrant, SUITE, rules, journal=tmp_path / "j")
    assert most[0] == askers


def test_another_runs_journal_is_refused_and_a_damaged_one_named(tmp_path: Path) -> None:
    ran(tmp_path, Scribe())
    with pytest.raises(InputError) as caught:
        ran(tmp_path, Scribe(base="remote:other"))
    assert caught.value.code == "other_journal"
    journal = tmp_path / "journal"
    lines = journal.read_bytes().splitlines()
    for damage in (b"{", b'{"task":"word1"}', lines[1].replace(b'"outcome":', b'"outcome":7,"x":')):
        journal.write_bytes(b"\n".join([lines[0], damage, *lines[2:]]) + b"\n")
        with pytest.raises(CorruptError, match="line 2"):
            ran(tmp_path, Scribe())


def test_what_changes_an_answer_changes_the_digest_and_the_journals_name() -> None:
    first = Scribe().entrant()
    others: list[Entrant] = [
        Scribe(base="remote:other").entrant(),
        Scribe().entrant(("docs",)),
        replace(first, settings={"temperature": 1}),
    ]
    assert len({first.digest, *(one.digest for one in others)}) == 4
    assert first.digest == replace(first, cost_class="other").digest
    names = {
        journal_name(first, SUITE, {"a": "1"}),
        journal_name(first, SUITE, {"a": "2"}),
        journal_name(others[0], SUITE, {"a": "1"}),
        journal_name(first, Suite("s", "t", "l", (task("one"),)), {"a": "1"}),
    }
    assert len(names) == 4


@pytest.mark.parametrize("samples", [0, 1_001])
def test_samples_are_limited(samples: int) -> None:
    with pytest.raises(InputError) as caught:
        Rules(lambda _name, _chain: WordTool(), samples=samples)
    assert caught.value.code == "bad_samples"


def test_a_journal_keeps_every_answer_at_once(tmp_path: Path) -> None:
    ran(tmp_path, Scribe())
    lines = [json.loads(line) for line in (tmp_path / "journal").read_bytes().splitlines()]
    assert lines[0]["format"] == "metier.answers/1"
    assert len(lines) == 11
    assert {"text", "files", "why", "seconds"} <= set(lines[1])
    with pytest.raises(StorageError):
        ran(tmp_path / "none", Scribe())
