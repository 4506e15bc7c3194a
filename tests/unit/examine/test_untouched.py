"""The untouched questions: overlaps left out, and what always giving one label gets."""

from __future__ import annotations

from metier.card import Verdict
from metier.evals.items import Eval, seal
from metier.evals.matching import ANSWER
from metier.evals.results import Result, ResultItem
from metier.examine.untouched import ScoredAgain, scored_again
from metier.messages import Example
from metier.reference import Digest
from metier.stats import Asked, Contender, Rules, Search, halve


def labelled(scorer: str = "accuracy", frequent: int = 3) -> Eval:
    """Every third is transport, the others food."""
    rows = [Example(f"text {n}", "food" if n % frequent else "transport") for n in range(60)]
    return seal(rows, scorer=scorer)


def outcome(name: str, label: str) -> float:
    return {"good": 1.0, "bad": 0.0, "food": float(label == "food")}[name]


def found(sealed: Eval, *names: str) -> Search:
    def ask(name: str, places: object) -> Asked:
        return Asked([outcome(name, sealed.items[place].label) for place in places])  # type: ignore[attr-defined]

    return halve([Contender(name) for name in names], 60, ask, Rules(240))


def again(
    sealed: Eval, *names: str, leaked: dict[str, frozenset[str] | None] | None = None
) -> ScoredAgain:
    def result(name: str, items: Eval) -> Result:
        return Result(
            system=str(Digest.of(name.encode())),
            system_name=name,
            eval_fingerprint=items.fingerprint,
            scorer=items.scorer,
            items=tuple(
                ResultItem(one.id, one.cluster, outcome(name, one.label)) for one in items.items
            ),
        )

    told = leaked or {}
    return scored_again(
        found(sealed, *names), sealed, result, told.get, command="metier find", date="2026-11-23"
    )


def test_the_winner_stands_beside_the_most_frequent_label_of_those_that_chose() -> None:
    scored = again(labelled(), "good", "bad")
    assert scored.always is not None
    assert (scored.always.label, scored.always.chose) == ("food", True)
    rival, chance = scored.evidence
    assert (rival.against, chance.against) == ("other", "majority")
    assert chance.rival_name == "always saying 'food'"
    assert chance.difference.verdict is Verdict.WIN
    assert chance.rival_score.value == scored.always.share.value
    assert len(scored.results) == 3
    assert [chance.results[1]] == [scored.results[2].digest]


def test_what_only_says_the_most_frequent_label_is_not_better_than_that() -> None:
    chance = again(labelled(), "food", "bad").evidence[-1]
    assert chance.difference.difference == 0.0
    assert chance.difference.verdict is not Verdict.WIN


def test_the_only_candidate_is_compared_with_the_label_of_the_questions_themselves() -> None:
    scored = again(labelled(), "food")
    assert scored.always is not None
    assert not scored.always.chose
    assert [item.against for item in scored.evidence] == ["majority"]


def test_answers_that_are_no_labels_have_no_such_row() -> None:
    scored = again(labelled(ANSWER.name), "good", "bad")
    assert scored.always is None
    assert [item.against for item in scored.evidence] == ["other"]


def test_overlaps_of_any_finalist_are_left_out_for_all() -> None:
    sealed = labelled()
    plain = again(sealed, "good", "bad")
    assert plain.search.final is not None
    first, second = (sealed.items[place].id for place in plain.search.final.questions[:2])
    scored = again(
        sealed, "good", "bad", leaked={"good": frozenset([first]), "bad": frozenset([second])}
    )
    assert [(one.name, one.found) for one in scored.overlaps] == [("good", 1), ("bad", 1)]
    assert scored.search.final is not None
    assert len(scored.search.final.questions) == len(plain.search.final.questions) - 2
    assert scored.evidence[0].difference.n == len(scored.search.final.questions)
    assert scored.evidence[0].difference.verdict is Verdict.NOT_WORSE
    assert {one.found for one in plain.overlaps} == {None}
