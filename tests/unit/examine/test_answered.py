"""Answers that are asked once and found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from metier.errors import CorruptError, InternalError, StorageError
from metier.evals.items import Eval, seal
from metier.examine.answered import Answered, Answers
from metier.messages import Answer, Example

SEALED = seal([Example(f"text {number}", "ab"[number % 2]) for number in range(12)])
TOOLS = {"numpy": "2"}


@dataclass
class Always:
    """Says ``a``, counts, and cannot answer some texts."""

    name: str = "always"
    digest: str = "sha256:" + "ab" * 32
    fails: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        self.asked += texts
        return [Answer("a", 0.001, error="no" if text == self.fails else None) for text in texts]


def opened(folder: Path, system: Always, sealed: Eval = SEALED):
    return Answers.opened(folder, system, sealed, TOOLS)


def test_an_item_is_asked_once_whatever_the_order(tmp_path: Path) -> None:
    system = Always()
    with opened(tmp_path, system) as answers:
        answers.ask(SEALED.items[4:6])
    with opened(tmp_path, system) as answers:
        assert len(answers) == 2
        assert answers.of(SEALED.items[0]) is None
        kept = answers.of(SEALED.items[5])
        assert kept is not None
        assert (kept.item.outcome, kept.seconds) == (0.0, 0.001)
        answers.ask(SEALED.items[:1])
    assert system.asked == ["text 4", "text 5", "text 0"]


def test_what_could_not_be_answered_is_asked_again_next_time(tmp_path: Path) -> None:
    system = Always(fails="text 1")
    with opened(tmp_path, system) as answers:
        fresh = answers.ask(SEALED.items[:2])
        assert [one.item.outcome for one in fresh] == [1.0, "unscored"]
        assert answers.of(SEALED.items[1]) is not None
    with opened(tmp_path, system) as answers:
        assert answers.of(SEALED.items[1]) is None


def test_other_systems_and_evals_have_journals_of_their_own(tmp_path: Path) -> None:
    other = seal([Example("else", "a"), Example("more", "b")])
    for system, sealed in (
        (Always(), SEALED),
        (Always(digest="sha256:" + "cd" * 32), SEALED),
        (Always(), other),
    ):
        with opened(tmp_path, system, sealed) as answers:
            assert len(answers) == 0
            answers.ask(sealed.items[:1])
    assert len(list(tmp_path.iterdir())) == 3


def test_a_torn_line_is_cut_off_and_a_damaged_one_refused(tmp_path: Path) -> None:
    system = Always()
    with opened(tmp_path, system) as answers:
        answers.ask(SEALED.items[:1])
        answers.ask(SEALED.items[1:2])
    (journal,) = tmp_path.iterdir()
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-7])
    with opened(tmp_path, system) as answers:
        assert len(answers) == 1
    for damage in (b'{"items": 3}\n', b'{"items": [{"id": "x"}]}\n', b"[]\n"):
        journal.write_bytes(whole + damage)
        with pytest.raises(CorruptError), opened(tmp_path, system):
            pass


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    system = Always()
    with opened(tmp_path, system), pytest.raises(StorageError) as raised, opened(tmp_path, system):
        pass
    assert raised.value.code == "journal_busy"


def test_a_system_that_swallows_an_item_is_a_defect(tmp_path: Path) -> None:
    class Swallows(Always):
        def answer(self, texts: Sequence[str]) -> list[Answer]:
            return []

    with opened(tmp_path, Swallows()) as answers, pytest.raises(InternalError):
        answers.ask(SEALED.items[:1])


def test_an_item_that_nobody_answered_is_unscored() -> None:
    assert Answered.silent(SEALED.items[0]).item.outcome == "unscored"
