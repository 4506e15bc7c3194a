"""The self-test: references pass, mutants fail, what is known is not asked again."""

from dataclasses import replace
from pathlib import Path

import pytest

from judging import WordTool, suite, task
from metier.coding import Behaviour, SourceFile
from metier.errors import StorageError, UnavailableError
from metier.evals.selftest import SelfTest, self_test
from metier.evals.tasks import Mutant, Suite
from metier.messages import Progress

TODAY = "2026-11-23"


def tried(made: Suite, tool: WordTool, folder: Path, **settings: object) -> SelfTest:
    return self_test(made, lambda _tool, _chain: tool, folder=folder, today=TODAY, **settings)  # type: ignore[arg-type]


def test_a_sound_suite(tmp_path: Path) -> None:
    said: list[Progress] = []
    tool = WordTool()
    found = tried(suite(), tool, tmp_path / "new", report=said.append)
    assert len(found.proofs) == 6
    assert not any(proof.frozen or proof.survivors or proof.unjudged for proof in found.proofs)
    assert len(tool.judged) == 36
    assert said[-1].fraction == 1.0
    assert said[-1].message == "words: 6 of 6 tasks proved"
    assert found.judge_ms == pytest.approx(1.0)


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    first = WordTool()
    before = tried(suite(), first, tmp_path)
    again = WordTool()
    after = tried(suite(), again, tmp_path)
    assert again.judged == []
    assert all(proof.cached for proof in after.proofs)
    assert [replace(one, cached=False) for one in after.proofs] == list(before.proofs)
    assert len(tried(suite(), again, tmp_path, fresh=True).proofs) == 6
    assert len(again.judged) == 36
    other = WordTool(digest="sha256:" + "2" * 64)
    tried(suite(), other, tmp_path)
    assert len(other.judged) == 36, "another toolchain proves nothing of this one"


def test_references_alone_do_not_stand_for_mutants(tmp_path: Path) -> None:
    tool = WordTool()
    assert tried(suite(), tool, tmp_path, mutants=False).proofs[0].mutants is None
    assert len(tool.judged) == 6
    tried(suite(), tool, tmp_path, mutants=False)
    assert len(tool.judged) == 6
    tried(suite(), tool, tmp_path)
    assert len(tool.judged) == 42


def test_a_failing_reference_freezes_its_task(tmp_path: Path) -> None:
    wrong = task("wrong", reference=(SourceFile("answer.txt", "nothing"),))
    made = Suite("mixed", "t", "MIT", (task("right"), wrong))
    tool = WordTool()
    found = tried(made, tool, tmp_path)
    (frozen,) = found.frozen(made).values()
    assert (frozen.task, frozen.date) == ("wrong", TODAY)
    assert frozen.reference.why == "step 1: expected has 'wrong'"
    assert sum(files[0].text == "nothing" for files in tool.judged) == 2, "it has a second chance"
    assert list(tried(made, WordTool(), tmp_path, mutants=False).frozen(made)) == ["wrong"]


def test_a_second_attempt_that_passes_freezes_nothing(tmp_path: Path) -> None:
    tool = WordTool(flaky=["word1 indeed"])
    found = tried(suite(), tool, tmp_path)
    assert not any(proof.frozen for proof in found.proofs)
    assert [proof.task for proof in found.proofs if not proof.steady] == ["word1"]


def test_survivors_and_answers_that_could_not_be_judged(tmp_path: Path) -> None:
    good = Mutant("good", "is right", (SourceFile("answer.txt", "one too"),))
    bad = Mutant("odd", "breaks the judge", (SourceFile("answer.txt", "crash"),))
    made = Suite("s", "t", "MIT", (task("one", mutants=(good, bad)),))
    (proof,) = tried(made, WordTool(broken=("crash",)), tmp_path).proofs
    assert [trial.name for trial in proof.survivors] == ["good"]
    assert [trial.why for trial in proof.unjudged] == ["the judge fell over"]


def test_steps_that_the_tool_does_not_know_are_the_tasks_fault(tmp_path: Path) -> None:
    behaviour = Behaviour("words", "answer.txt", {}, ({"sing": "one"},))
    made = Suite("s", "t", "MIT", (task("one", behaviour=behaviour),))
    (proof,) = tried(made, WordTool(), tmp_path).proofs
    assert proof.frozen
    assert proof.reference.why == "The task is not valid: step 1: there is no verb 'sing'."


def test_every_toolchain_of_a_task_is_tried(tmp_path: Path) -> None:
    tools = {name: WordTool(digest=f"sha256:{name[-1] * 64}") for name in ("words@1", "words@2")}
    made = Suite("s", "t", "MIT", (task("one", toolchains=("words@1", "words@2", "words@3")),))

    def open_tool(_name: str, chain: str | None) -> WordTool:
        if chain not in tools:
            raise UnavailableError(f"{chain} is not installed.", code="no_toolchain")
        return tools[chain]

    found = self_test(made, open_tool, folder=tmp_path, today=TODAY)
    assert [proof.toolchain for proof in found.proofs] == ["words@1", "words@2"]
    assert found.missing == {"words@3": "words@3 is not installed."}
    assert [len(tool.judged) for tool in tools.values()] == [6, 6]
    one = self_test(made, open_tool, folder=tmp_path, today=TODAY, every_toolchain=False)
    assert [proof.toolchain for proof in one.proofs] == ["words@1"]
    tools.clear()
    with pytest.raises(UnavailableError, match="is not installed"):
        self_test(made, open_tool, folder=tmp_path, today=TODAY)


def test_stopped_it_keeps_what_it_proved(tmp_path: Path) -> None:
    tool = WordTool()
    asked: list[int] = []

    def after_two() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(UnavailableError) as caught:
        tried(suite(), tool, tmp_path, cancelled=after_two, workers=1)
    assert caught.value.code == "cancelled"
    kept = len(list(tmp_path.glob("*.json")))
    assert 0 < kept < 6
    again = WordTool()
    tried(suite(), again, tmp_path)
    assert len(again.judged) == 6 * (6 - kept)


def test_a_damaged_proof_counts_as_nothing_known(tmp_path: Path) -> None:
    tried(suite(), WordTool(), tmp_path)
    for path, data in zip(
        sorted(tmp_path.glob("*.json")),
        (b"", b"[]", b'{"format":"metier.proof/1"}', b"{", b"\xff", b"null"),
        strict=True,
    ):
        path.write_bytes(data)
    tool = WordTool()
    tried(suite(), tool, tmp_path)
    assert len(tool.judged) == 36


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        tried(suite(), WordTool(), tmp_path / "file" / "proofs")
