"""Running an eval: the journal, real kills, locks, and byte-identical results."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import metier
from metier.errors import (
    CorruptError,
    InputError,
    InternalError,
    MetierError,
    StorageError,
    UnavailableError,
)
from metier.evals.items import Eval, seal
from metier.evals.results import answer_digest
from metier.evals.running import discard, journal_path, run, run_to_end
from metier.evals.scoring import Accuracy
from metier.messages import Answer, Example, Progress


class Keyed:
    """A real system: the answer is a function of the text."""

    def __init__(self, *, fail_at: int | None = None, digest: str = "a" * 64) -> None:
        self.asked: list[list[str]] = []
        self.fail_at = fail_at
        self._digest = digest

    @property
    def name(self) -> str:
        return "keyed"

    @property
    def digest(self) -> str:
        return f"sha256:{self._digest}"

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        if self.fail_at is not None and len(self.asked) >= self.fail_at:
            raise UnavailableError("The peer is gone.", retryable=True)
        self.asked.append(list(texts))
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Answer:
        key = hashlib.sha256(text.encode()).digest()[0]
        if key < 10:
            return Answer(None, error="too long")
        if key < 30:
            return Answer(None, seconds=0.001)
        label = "even" if key % 2 else "odd"
        return Answer(label, seconds=key / 1e5, tokens_in=key, tokens_out=1)


def eval_of(items: int) -> Eval:
    return seal(
        [
            Example(f"text {i}", "even" if i % 3 else "odd", group=f"g{i // 4}", row=i)
            for i in range(1, items + 1)
        ]
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "run.journal.jsonl"


def test_a_run_scores_every_item_once(journal: Path) -> None:
    system, sealed = Keyed(), eval_of(100)
    found = run(system, sealed, journal=journal, batch=16, toolchain={"metier": "0.1.0"})
    assert [text for batch in system.asked for text in batch] == [
        item.text for item in sealed.items
    ]
    assert [len(batch) for batch in system.asked] == [16] * 6 + [4]
    assert {item.id for item in found.items} == {item.id for item in sealed.items}
    assert found.system == system.digest
    assert found.eval_fingerprint == sealed.fingerprint
    assert found.toolchain == {"metier": "0.1.0"}
    by_id = {item.id: item for item in found.items}
    for item in sealed.items:
        answer, kept = system._one(item.text), by_id[item.id]
        assert kept.outcome == Accuracy().score(item, answer)
        assert kept.cluster == item.cluster
        if answer.text is not None:
            assert kept.answer == answer_digest(answer.text)
            assert (kept.tokens_in, kept.tokens_out) == (answer.tokens_in, 1)
    assert any(item.outcome == "unscored" for item in found.items)
    assert any(item.abstained for item in found.items)
    assert found.timings is not None
    assert set(found.timings.seconds) == set(by_id)


def test_a_finished_journal_is_read_not_asked_again(journal: Path) -> None:
    sealed = eval_of(50)
    first = run(Keyed(), sealed, journal=journal, batch=8)
    again = Keyed()
    second = run(again, sealed, journal=journal, batch=8)
    assert again.asked == []
    assert second.to_bytes() == first.to_bytes()
    assert second.timings is not None
    assert first.timings is not None
    assert second.timings.seconds == first.timings.seconds
    discard(journal)
    discard(journal)
    assert not journal.exists()


def test_a_failure_of_the_system_keeps_what_was_answered(journal: Path) -> None:
    sealed = eval_of(100)
    whole = run(Keyed(), sealed, journal=journal.with_name("other"), batch=10)
    with pytest.raises(UnavailableError, match="peer is gone"):
        run(Keyed(fail_at=4), sealed, journal=journal, batch=10)
    resumed = Keyed()
    found = run(resumed, sealed, journal=journal, batch=10)
    assert len(resumed.asked) == 6
    assert found.to_bytes() == whole.to_bytes()


def test_the_batch_borders_are_those_of_the_journal(journal: Path) -> None:
    sealed = eval_of(100)
    with pytest.raises(UnavailableError):
        run(Keyed(fail_at=2), sealed, journal=journal, batch=10)
    resumed = Keyed()
    run(resumed, sealed, journal=journal, batch=64)
    assert [len(batch) for batch in resumed.asked] == [10] * 8


def test_a_journal_cut_at_any_byte_gives_the_same_result(journal: Path) -> None:
    sealed = eval_of(30)
    whole = run(Keyed(), sealed, journal=journal, batch=4).to_bytes()
    content = journal.read_bytes()
    for cut in [*range(0, len(content), 131), len(content) - 1, len(content)]:
        journal.write_bytes(content[:cut])
        assert run(Keyed(), sealed, journal=journal, batch=4).to_bytes() == whole, cut
        assert [line.split(b'"seconds"')[0] for line in journal.read_bytes().splitlines()] == [
            line.split(b'"seconds"')[0] for line in content.splitlines()
        ]


@pytest.mark.parametrize("field", ["system", "eval", "scorer", "toolchain"])
def test_a_journal_of_another_run_is_refused(journal: Path, field: str) -> None:
    sealed = eval_of(20)
    run(Keyed(), sealed, journal=journal, toolchain={"numpy": "2"})
    content = journal.read_bytes()
    system, other = Keyed(), sealed
    toolchain = {"numpy": "2"}
    if field == "system":
        system = Keyed(digest="b" * 64)
    elif field == "toolchain":
        toolchain = {"numpy": "3"}
    elif field == "eval":
        other = Eval((replace(sealed.items[0], label="odd one"), *sealed.items[1:]))
    else:
        # The scorer is part of the fingerprint, so the eval differs as well and is named.
        other = Eval(sealed.items, scorer=Accuracy("oos").name)
        field = "eval"
    with pytest.raises(InputError, match=f"belongs to another {field}") as caught:
        run(system, other, journal=journal, toolchain=toolchain)
    assert caught.value.code == "other_journal"
    assert journal.read_bytes() == content


@pytest.mark.parametrize(
    ("line", "replacement", "message"),
    [
        (0, b"[]", "line 1: it is not a JSON object"),
        (1, b"{oops", "line 2: it is not JSON"),
        (1, b"\xff", "line 2: it is not JSON"),
        (1, b'{"batch":0}', "line 2: it does not hold the items"),
        (1, b'{"batch":0,"items":[]}', "line 2: it does not hold the items"),
        (2, None, "line 3: it does not hold item"),
    ],
)
def test_a_damaged_journal_is_named(
    journal: Path, line: int, replacement: bytes | None, message: str
) -> None:
    sealed = eval_of(30)
    run(Keyed(), sealed, journal=journal, batch=10)
    lines = journal.read_bytes().splitlines()
    lines[line] = lines[1] if replacement is None else replacement
    journal.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(CorruptError) as caught:
        run(Keyed(), sealed, journal=journal, batch=10)
    assert message in caught.value.message
    assert caught.value.remedy


def test_a_journal_without_a_batch_size_is_damaged(journal: Path) -> None:
    sealed = eval_of(5)
    run(Keyed(), sealed, journal=journal)
    journal.write_bytes(journal.read_bytes().replace(b'"batch":64', b'"batch":0', 1))
    with pytest.raises(CorruptError, match="batch size"):
        run(Keyed(), sealed, journal=journal)


def test_the_wrong_scorer_and_bad_batches_are_refused(journal: Path) -> None:
    sealed = eval_of(5)
    with pytest.raises(InputError, match="scored by 'accuracy'"):
        run(Keyed(), sealed, journal=journal, scorer=Accuracy("oos"))
    with pytest.raises(InputError, match="batch of 0"):
        run(Keyed(), sealed, journal=journal, batch=0)
    with pytest.raises(InputError, match="no scorer 'bleu'"):
        run(Keyed(), Eval(sealed.items, scorer="bleu"), journal=journal)
    assert not journal.exists()


def test_a_system_that_loses_answers_is_a_defect(journal: Path) -> None:
    class Short(Keyed):
        def answer(self, texts: Sequence[str]) -> list[Answer]:
            return super().answer(texts)[:-1]

    with pytest.raises(InternalError, match="gave 4 answers to 5 texts"):
        run(Short(), eval_of(5), journal=journal)


def test_cancelling_stops_between_batches_and_resumes(journal: Path) -> None:
    sealed, system = eval_of(40), Keyed()
    with pytest.raises(MetierError) as caught:
        run(
            system,
            sealed,
            journal=journal,
            batch=10,
            cancelled=lambda: len(system.asked) == 2,
        )
    assert caught.value.code == "cancelled"
    assert "after 20 of 40 items" in caught.value.message
    resumed = Keyed()
    run(resumed, sealed, journal=journal, batch=10)
    assert len(resumed.asked) == 2


def test_progress_has_rate_and_time_left(journal: Path) -> None:
    told: list[Progress] = []
    run(Keyed(), eval_of(100), journal=journal, batch=25, report=told.append)
    assert [step.fraction for step in told] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert told[0].seconds_left is None
    assert all(step.seconds_left is not None for step in told[1:])
    assert told[-1].seconds_left == 0.0
    assert told[-1].message.startswith("keyed: 100 of 100 items, ")
    assert told[-1].message.endswith(" a second")
    again: list[Progress] = []
    run(Keyed(), eval_of(100), journal=journal, batch=25, report=again.append)
    assert [step.message for step in again] == ["keyed: 100 of 100 items, resumed"]


def test_an_unwritable_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        run(Keyed(), eval_of(3), journal=tmp_path / "missing" / "x.jsonl")


def test_journals_are_named_by_both_digests(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "sha256:" + "a" * 64, "sha256:" + "b" * 64)
    assert path == tmp_path / f"{'a' * 12}-{'b' * 12}.journal.jsonl"


SCRIPT = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from metier.evals.items import read_eval
    from metier.evals.results import write_result
    from metier.evals.running import run
    from metier.messages import Answer

    class Slow:
        name = "slow"
        digest = "sha256:" + "c" * 64

        def answer(self, texts):
            time.sleep(0.002)
            return [Answer(str(sum(map(ord, text)) % 5), seconds=time.monotonic() % 1)
                    for text in texts]

    folder = Path(sys.argv[1])
    result = run(Slow(), read_eval(folder / "eval.jsonl"), journal=folder / sys.argv[2], batch=7)
    write_result(folder / "result.jsonl", result)
    """
)


def start(folder: Path, journal: str) -> "subprocess.Popen[bytes]":
    source = str(Path(metier.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), journal],
        env={**os.environ, "PYTHONPATH": source},
        stderr=subprocess.PIPE,
    )


def test_kills_at_random_moments_do_not_change_a_byte(tmp_path: Path) -> None:
    sealed = seal([Example(f"text {i}", str(i % 5), row=i) for i in range(1, 1_401)])
    (tmp_path / "eval.jsonl").write_bytes(sealed.to_bytes())
    with start(tmp_path, "whole") as process:
        assert process.wait(120) == 0
    whole = (tmp_path / "result.jsonl").read_bytes()
    (tmp_path / "result.jsonl").unlink()
    generator = random.Random(5)
    journal = tmp_path / "killed"
    kills = 0
    while kills < 12:
        before = journal.stat().st_size if journal.exists() else 0
        with start(tmp_path, "killed") as process:
            while process.poll() is None:
                if journal.exists() and journal.stat().st_size != before:
                    break
                time.sleep(0.001)
            time.sleep(generator.uniform(0.0, 0.03))
            process.send_signal(signal.SIGKILL)
            if process.wait(60) == 0:
                # This machine held us up for so long that the run ended: begin again.
                journal.unlink()
                (tmp_path / "result.jsonl").unlink()
                continue
            assert process.returncode == -signal.SIGKILL
        kills += 1
    assert not (tmp_path / "result.jsonl").exists()
    with start(tmp_path, "killed") as process:
        assert process.wait(120) == 0
    assert (tmp_path / "result.jsonl").read_bytes() == whole


def test_two_processes_cannot_hold_one_journal(tmp_path: Path) -> None:
    sealed = seal([Example(f"text {i}", str(i % 5), row=i) for i in range(1, 1_401)])
    (tmp_path / "eval.jsonl").write_bytes(sealed.to_bytes())
    journal = tmp_path / "shared"
    with start(tmp_path, "shared") as process:
        while not journal.exists() or journal.stat().st_size == 0:
            assert process.poll() is None
            time.sleep(0.001)
        with pytest.raises(StorageError, match="Another process is running this eval") as caught:
            run(Keyed(), sealed, journal=journal)
        assert caught.value.code == "journal_busy"
        assert caught.value.retryable
        process.kill()
        process.wait(60)
    with pytest.raises(InputError, match="belongs to another system"):
        run(Keyed(), sealed, journal=journal)


def test_to_the_end_a_run_keeps_its_journal_only_when_told(tmp_path) -> None:
    sealed = seal([Example(f"text {number}", "a") for number in range(10)])
    settings = {"journals": tmp_path / "j", "batch": 4, "toolchain": {"x": "1"}}
    one = run_to_end(Keyed(), sealed, **settings)
    assert list((tmp_path / "j").iterdir()) == []
    kept = run_to_end(Keyed(), sealed, keep=True, **settings)
    assert len(list((tmp_path / "j").iterdir())) == 1
    again = Keyed()
    assert run_to_end(again, sealed, **settings).digest == kept.digest == one.digest
    assert again.asked == []
    assert list((tmp_path / "j").iterdir()) == []


def test_after_an_upgrade_a_run_begins_anew(tmp_path) -> None:
    """A make that was killed must not stand in the way of the next one with other libraries."""
    sealed = seal([Example(f"text {number}", "a") for number in range(10)])
    settings = {"journals": tmp_path / "j", "batch": 4}
    with pytest.raises(UnavailableError):
        run_to_end(Keyed(fail_at=1), sealed, toolchain={"x": "1"}, **settings)
    after = Keyed()
    assert len(run_to_end(after, sealed, toolchain={"x": "2"}, **settings).items) == 10
    assert sum(map(len, after.asked)) == 10
    resumed = Keyed()
    run_to_end(resumed, sealed, toolchain={"x": "1"}, **settings)
    assert sum(map(len, resumed.asked)) == 6
