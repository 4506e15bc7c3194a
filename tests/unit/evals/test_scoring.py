"""The accuracy scorer: right, wrong, abstained, out of scope, unscored; and its name."""

import pytest

from metier.errors import InputError
from metier.evals.items import EvalItem
from metier.evals.scoring import Accuracy, scorer_from_name
from metier.messages import Answer

INSIDE = EvalItem("1", "text", "transfer", "1")
OUTSIDE = EvalItem("2", "text", "oos", "2")


@pytest.mark.parametrize(
    ("item", "answer", "plain", "scoped"),
    [
        (INSIDE, Answer("transfer"), 1.0, 1.0),
        (INSIDE, Answer("card"), 0.0, 0.0),
        (INSIDE, Answer("no such label"), 0.0, 0.0),
        (INSIDE, Answer("Transfer"), 0.0, 0.0),
        (INSIDE, Answer(None), 0.0, 0.0),
        (INSIDE, Answer("oos"), 0.0, 0.0),
        (INSIDE, Answer(None, error="timeout"), "unscored", "unscored"),
        (INSIDE, Answer("transfer", error="cut off"), "unscored", "unscored"),
        (OUTSIDE, Answer(None), 0.0, 1.0),
        (OUTSIDE, Answer("oos"), 1.0, 1.0),
        (OUTSIDE, Answer("transfer"), 0.0, 0.0),
        (OUTSIDE, Answer(None, error="timeout"), "unscored", "unscored"),
    ],
)
def test_outcomes(item: EvalItem, answer: Answer, plain: object, scoped: object) -> None:
    assert Accuracy().score(item, answer) == plain
    assert Accuracy("oos").score(item, answer) == scoped


@pytest.mark.parametrize("scorer", [Accuracy(), Accuracy("oos"), Accuracy('a "b" {c}')])
def test_a_name_gives_its_scorer_back(scorer: Accuracy) -> None:
    assert scorer_from_name(scorer.name) == scorer


def test_names_carry_the_settings() -> None:
    assert Accuracy().name == "accuracy"
    assert Accuracy("oos").name == 'accuracy{"out_of_scope":"oos"}'


@pytest.mark.parametrize(
    "name",
    ["", "f1", "accuracy{", 'accuracy{"x":1}', 'accuracy{"out_of_scope":5}', "accuracy[1]", "{}"],
)
def test_unknown_scorers_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="no scorer") as caught:
        scorer_from_name(name)
    assert caught.value.code == "unknown_scorer"
