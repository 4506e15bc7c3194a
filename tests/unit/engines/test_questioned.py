"""Bases that write, put to an eval: labels by a constraint, free answers, and what fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from metier.conversing import Draft, Sampling, Turn
from metier.engines.questioned import ANSWER_INSTRUCTION, WritingSystem
from metier.engines.remote import constraint, label_in, label_instruction
from metier.errors import InputError, MetierError, UnavailableError

LABELS = ("card", "parcel")


@dataclass
class Says:
    """A generator that says what it was told to, in turn, and remembers what it was asked."""

    script: list[Any]
    asked: list[tuple[Sequence[Turn], Sampling]] = field(default_factory=list)
    name: str = "local:small"
    digest: str = "sha256:" + "ab" * 32
    servable: bool = True

    def generate(self, turns: Any, sampling: Any, *, on_text: Any = None, cancelled: Any = None):
        self.asked.append((list(turns), sampling))
        said = self.script.pop(0)
        if isinstance(said, MetierError):
            raise said
        return Draft(said, 50, 5)


def test_a_label_is_asked_for_as_of_the_general_model() -> None:
    base = Says([json.dumps({"label": "card"})])
    (answer,) = WritingSystem(base, LABELS).answer(["my card is lost"])
    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("card", 50, 5)
    ((turns, sampling),) = base.asked
    assert turns[0] == Turn("system", label_instruction(LABELS))
    assert sampling.extra == {"response_format": constraint(LABELS)}
    assert sampling.temperature == 0.0


def test_what_is_no_label_gets_a_second_chance_and_is_then_wrong() -> None:
    base = Says(["hm", '{"label": "Card"}', "hm", "still"])
    first, second = WritingSystem(base, LABELS).answer(["one", "two"])
    assert (first.text, first.tokens_in) == ("card", 100)
    assert (second.text, second.error) == ("still", None)


def test_free_answers_are_instructed_and_kept_whole() -> None:
    base = Says(["17 + 25 = 42\n42"])
    (answer,) = WritingSystem(base).answer(["17 + 25?"])
    assert answer.text == "17 + 25 = 42\n42"
    ((turns, sampling),) = base.asked
    assert turns[0].text == ANSWER_INSTRUCTION
    assert sampling.extra == {}


def test_a_specialist_has_instructions_of_its_own() -> None:
    base = Says(["x"])
    WritingSystem(base, instructed=False).answer(["q"])
    assert [turn.role for turn in base.asked[0][0]] == ["user"]


def test_one_text_that_fails_is_unscored_and_a_dead_service_ends_it() -> None:
    long = InputError("Too long.", code="prompt_too_long")
    busy = UnavailableError("Busy.", code="service_busy")
    base = Says([long, busy, "1"])
    answers = WritingSystem(base).answer(["a", "b", "c"])
    assert [answer.error for answer in answers] == ["Too long.", "Busy.", None]
    for error in (
        UnavailableError("Nobody.", code="service_unreachable"),
        InputError("No template.", code="no_template"),
    ):
        with pytest.raises(MetierError, match="No"):
            WritingSystem(Says([error])).answer(["a"])


def test_stopping_is_raised() -> None:
    base = Says([UnavailableError("Gone.", code="engine_ended")])
    with pytest.raises(UnavailableError):
        WritingSystem(base, cancelled=lambda: True).answer(["a"])


def test_another_way_of_asking_is_another_system() -> None:
    base = Says([])
    digests = {
        WritingSystem(base).digest,
        WritingSystem(base, LABELS).digest,
        WritingSystem(base, instructed=False).digest,
        WritingSystem(Says([], digest="sha256:" + "cd" * 32)).digest,
    }
    assert len(digests) == 4
    assert WritingSystem(base, parallel=4).digest in digests


def test_questions_side_by_side_keep_their_order() -> None:
    class Echo(Says):
        def generate(self, turns: Any, sampling: Any, **more: Any) -> Draft:
            return Draft(turns[-1].text)

    texts = [str(number) for number in range(20)]
    found = WritingSystem(Echo([]), parallel=4).answer(texts)
    assert [answer.text for answer in found] == texts


@pytest.mark.parametrize(
    ("reply", "label"),
    [('```json\n{"label": "card"}\n```', "card"), ("PARCEL!", "parcel"), ("[1]", None), ("", None)],
)
def test_labels_are_found_in_replies(reply: str, label: str | None) -> None:
    assert label_in(reply, LABELS) == label
