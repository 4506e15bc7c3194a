"""What may be said of a search: never more than the untouched questions carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from metier.card import Cost, Evidence, Score
from metier.examine.tried import HEAVY, Always, Budget, Candidate, LeftOut, Overlap, Tried
from metier.messages import Answer
from metier.stats import Asked, Contender, Rules, halve, paired_difference
from metier.stats.searched import Share

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


def always(winner: np.ndarray, constant: np.ndarray) -> Tried:
    name = "always saying 'food'"
    item = evidence(winner, constant, name).model_copy(update={"against": "majority"})
    share = Share(name, float(constant.mean()), None, constant.size, 0)
    return tried(evidence=(item,), always=Always("food", share, chose=True))


HALF = np.array([1.0, 0.0] * 20)


@pytest.mark.parametrize(
    ("first", "second", "said", "settled"),
    [
        (np.ones(40), HALF, "a is better than always saying 'food': +50.0 points (", True),
        (HALF, HALF, "a is not shown to be better than always saying 'food': 0.0 points (", True),
        (HALF, np.ones(40), "a is worse than always saying 'food': -50.0 points (", False),
    ],
)
def test_chance_stands_beside_the_score(
    first: np.ndarray, second: np.ndarray, said: str, settled: bool
) -> None:
    found = always(first, second)
    told = found.sentences()[1]
    assert told.startswith("Always saying 'food' gets ")
    assert f" on the same questions. {said}" in told
    assert found.settled is settled
    assert not any("as good as" in line.lower() for line in found.sentences())
    document = found.to_dict()
    assert document["always"]["label"] == "food"
    assert document["always"]["most_frequent_of"] == "choosing"
    assert document["beside"] == [told]
    itself = replace(found, always=replace(found.always, chose=False))
    assert "on the same questions, of which that is the most frequent" in itself.sentences()[1]


def test_questions_with_answers_have_no_such_row() -> None:
    assert tried().to_dict()["always"] is None
    assert tried().beside() == ()


def test_what_is_known_of_training_rows_is_said_beside_the_score() -> None:
    kinds = {"a": "classifier", "b": "classifier", "c": "writer", "d": "service"}
    found = tried(
        candidates=tuple(Candidate(name, kind, Nobody()) for name, kind in kinds.items()),
        overlaps=(Overlap("a", 7, None), Overlap("b", 7, 2), *(Overlap(x, 7, None) for x in "cd")),
    )
    assert found.sentences()[1:4] == (
        "Whether a was trained on these rows is not known.",
        "2 of 7 untouched questions overlap rows that b was trained on and were left out.",
        "Whether the models have seen these questions is not known.",
    )
    assert found.to_dict()["overlaps"][0] == {"name": "a", "of": 7, "found": None}
    clean = tried(overlaps=(Overlap("a", 7, 0),)).beside()
    assert clean == (
        "None of 7 untouched questions overlaps the rows that a was trained on; none was left out.",
    )


def test_the_only_one_was_not_chosen() -> None:
    one = tried(candidates=(Candidate("a", "writer", Nobody()),), evidence=())
    assert "It is the only one that was tried: nobody was compared with it." in one.sentences()
    alone = replace(one, alone=True)
    assert alone.to_dict()["only"] == "can answer"
    bare = replace(alone, search=replace(alone.search, final=None))
    assert bare.sentences()[0].startswith("a is the only one that can answer, and no untouched")
    assert tried().only == ""
