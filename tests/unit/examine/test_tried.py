"""What may be said of a search: never more than the untouched questions carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from metier.card import Cost, Evidence, Score
from metier.examine.tried import HEAVY, Budget, Candidate, LeftOut, Tried
from metier.messages import Answer
from metier.stats import Asked, Contender, Rules, halve, paired_difference

DIGEST = "sha256:" + "ab" * 32


@dataclass(frozen=True)
class Nobody:
    """A system that is only named."""

    name: str = "nobody"
    digest: str = DIGEST

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        return [Answer(None) for _ in texts]


def evidence(first: np.ndarray, second: np.ndarray, rival: str) -> Evidence:
    def score(values: np.ndarray) -> Score:
        return Score(
            metric="accuracy", value=float(values.mean()), n=values.size, clusters=values.size
        )

    return Evidence(
        against="other",
        system=DIGEST,
        system_name="a",
        rival=DIGEST,
        rival_name=rival,
        eval_fingerprint=DIGEST,
        score=score(first),
        rival_score=score(second),
        difference=paired_difference(first, second),
        date="2026-11-23",
        cost=Cost(),
        command="metier find",
    )


def tried(**changed: Any) -> Tried:
    answers = {"a": np.ones(60), "b": np.zeros(60)}

    def ask(name: str, positions: Any) -> Asked:
        return Asked([float(answers[name][place]) for place in positions])

    search = halve([Contender("a"), Contender("b")], 60, ask, Rules(60))
    found = Tried(
        fingerprint=DIGEST,
        scorer="accuracy",
        items=60,
        candidates=tuple(Candidate(name, "writer", Nobody(), weight=5.0) for name in "ab"),
        left_out=(LeftOut("c", "It does not write."),),
        failures=(),
        search=search,
        budget=Budget(questions=60),
        evidence=(evidence(np.ones(20), np.zeros(20), "b"),),
        again=0,
        seconds=1.0,
        date="2026-11-23",
        command="metier find --eval mine.jsonl",
    )
    return replace(found, **changed)


def test_a_win_is_said_with_its_interval_and_its_questions() -> None:
    first, second, last = tried().sentences()
    assert first == "a: 100.0 % (64.6 to 100.0), scored again on 7 untouched questions."
    assert second.startswith("Better than b by 100.0 points (")
    assert second.endswith(", 20 untouched questions).")
    assert last.endswith(
        "60 questions were asked; everybody on everything is 120, 2.0 times as many."
    )


def test_too_few_questions_say_what_they_cannot_show() -> None:
    some = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    told = tried(evidence=(evidence(np.ones(5), some, "b"),)).sentences()[1]
    assert told.startswith("Not told apart from b: +40.0 points (")
    assert "5 untouched questions cannot show less than " in told


@pytest.mark.parametrize(("settled", "first"), [(True, np.ones(40)), (False, np.zeros(40))])
def test_a_choice_that_lost_is_not_settled(settled: bool, first: np.ndarray) -> None:
    found = tried(evidence=(evidence(first, 1.0 - first, "b"),))
    assert found.settled is settled
    if not settled:
        assert "b was better by 100.0 points" in found.sentences()[1]
        assert "a is not the best of them" in found.sentences()[1]


def test_equal_answers_are_no_lead() -> None:
    told = tried(evidence=(evidence(np.ones(2_000), np.ones(2_000), "b"),)).sentences()[1]
    assert told.startswith("As good as b: 0.0 points (")


def test_no_untouched_question_is_said() -> None:
    found = tried()
    bare = replace(found, search=replace(found.search, final=None), evidence=())
    assert "no untouched question was left" in bare.sentences()[0]
    assert bare.to_dict()["untouched"] is None


def test_ties_are_named() -> None:
    found = tried()
    level = replace(found, search=replace(found.search, level=("b",)))
    assert "Level with a when it was chosen: b." in level.sentences()[2]


def test_it_is_json_with_everything_that_repeats_it() -> None:
    document = tried().to_dict()
    assert document["command"] == "metier find --eval mine.jsonl"
    assert document["rounds"][0]["standings"][0]["name"] == "a"
    assert document["rounds"][0]["standings"][1]["told_apart"] is True
    assert document["untouched"]["scores"][0]["value"] == 1.0
    assert document["left_out"] == [{"name": "c", "why": "It does not write.", "command": ""}]


def test_what_runs_elsewhere_has_no_bytes() -> None:
    assert Candidate("remote:x", "service", Nobody()).to_dict()["bytes"] is None
    assert Candidate("x", "writer", Nobody(), weight=5.0).to_dict()["bytes"] == 5
    assert Candidate("remote:x", "service", Nobody()).weight == HEAVY
