"""Several results side by side: pairs, groups with Holm's correction, disagreements."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from metier.card import Verdict
from metier.errors import InputError
from metier.evals.contrast import Side, contrast, contrast_dict, disputed, disputed_dict
from metier.evals.items import Eval, EvalItem, seal
from metier.evals.results import Result, ResultItem, answer_digest
from metier.messages import Example, Outcome

N = 400


def sealed() -> Eval:
    return seal([Example(f"question {number}", f"l{number % 4}") for number in range(N)])


EVAL = sealed()
ITEMS: Sequence[EvalItem] = sorted(EVAL.items, key=lambda item: item.id)


def side(name: str, right: Sequence[bool], **more: object) -> Side:
    items = tuple(
        ResultItem(
            item.id, item.cluster or item.id, 1.0 if ok else 0.0,
            answer_digest(item.label if ok else "wrong one"),
        )
        for item, ok in zip(ITEMS, right, strict=True)
    )  # fmt: skip
    digit = str(sum(name.encode()) % 10)
    result = Result("sha256:" + digit * 64, name, EVAL.fingerprint, EVAL.scorer, items)
    return Side(name, result, **more)  # type: ignore[arg-type]


GOOD = side("good", [number % 10 != 0 for number in range(N)])
LIKE = side("alike", [number % 10 != 1 for number in range(N)])
POOR = side("poor", [number % 2 == 0 for number in range(N)])


def test_those_that_cannot_be_told_apart_stand_in_one_group() -> None:
    found = contrast([POOR, GOOD, LIKE], on="e", date="2026-11-23")
    groups = {one.name: one.group for one in found.systems}
    assert groups == {"alike": 1, "good": 1, "poor": 2}
    assert [one.name for one in found.systems] == ["alike", "good", "poor"]  # by name within
    assert len(found.pairs) == 3
    apart = {(pair.first, pair.second): pair.apart for pair in found.pairs}
    assert apart == {("alike", "good"): False, ("alike", "poor"): True, ("good", "poor"): True}
    assert "Holm" in found.method
    assert "3 pairs" in found.method


def test_a_pair_stands_better_first_and_needs_no_correction() -> None:
    found = contrast([POOR, GOOD], on="e", date="2026-11-23")
    (pair,) = found.pairs
    assert (pair.first, pair.second) == ("good", "poor")
    assert pair.evidence.difference.verdict is Verdict.WIN
    assert pair.evidence.command == "metier compare good poor --on e"
    assert "no correction" in found.method
    assert found.unlooked == ("poor", "good")


def test_correction_asks_more_of_a_pair() -> None:
    close = side("close", [number % 10 != 0 and number % 67 != 1 for number in range(N)])
    alone = contrast([GOOD, close], on="e", date="").pairs[0]
    crowd = [GOOD, close, LIKE, POOR, side("p2", [True] * N), side("p3", [False] * N)]
    among = next(
        pair
        for pair in contrast(crowd, on="e", date="").pairs
        if {pair.first, pair.second} == {"good", "close"}
    )
    assert among.adjusted >= alone.adjusted
    assert among.evidence.difference == alone.evidence.difference


def test_leaks_of_the_better_withhold_a_win() -> None:
    leaked = frozenset(item.id for item in ITEMS[:40])
    good = Side(GOOD.name, GOOD.result, leaked=leaked)
    found = contrast([good, POOR], on="e", date="")
    assert found.pairs[0].evidence.difference.verdict is Verdict.NOT_WORSE
    assert found.unlooked == ("poor",)


@pytest.mark.parametrize("sides", [[GOOD], [GOOD, GOOD], [GOOD] * 9])
def test_two_to_eight_different_ones_are_compared(sides: list[Side]) -> None:
    with pytest.raises(InputError) as caught:
        contrast(sides, on="e", date="")
    assert caught.value.code == "bad_comparison"


def test_disagreements_have_texts_labels_and_answers() -> None:
    rows = disputed([GOOD, LIKE], sealed=EVAL, labels=["wrong one"])
    assert len(rows) == 80
    first = disputed([GOOD, LIKE], sealed=EVAL, which="first", labels=["wrong one"])
    second = disputed([GOOD, LIKE], sealed=EVAL, which="second")
    assert len(first) == len(second) == 40
    one = first[0]
    assert one.text.startswith("question ")
    assert [told.right for told in one.told] == [True, False]
    assert (one.told[0].answer, one.told[1].answer) == (one.expected, "wrong one")
    assert second[0].told[0].answer == "?"  # no label has this digest
    assert disputed_dict(one)["answers"][1] == {
        "name": "alike", "answer": "wrong one", "outcome": 0.0,
    }  # fmt: skip


def test_other_answers_abstentions_and_unscored_items() -> None:
    def with_first(side: Side, name: str, outcome: Outcome, answer: str | None) -> Side:
        first = side.result.items[0]
        changed = ResultItem(first.id, first.cluster, outcome, answer)
        items = (changed, *side.result.items[1:])
        result = Result(
            side.result.system, name, side.result.eval_fingerprint, side.result.scorer, items
        )
        return Side(name, result)

    wrong = with_first(GOOD, "a", 0.0, answer_digest("l1"))
    silent = with_first(GOOD, "b", 0.0, None)
    (row,) = disputed([wrong, silent], sealed=EVAL, which="others")
    assert [told.answer for told in row.told] == ["l1", None]
    unscored = with_first(GOOD, "c", "unscored", None)
    (row,) = disputed([wrong, unscored], sealed=EVAL)
    assert row.told[1].right is None
    assert disputed([wrong, unscored], sealed=EVAL, which="first") == []


def test_it_is_json() -> None:
    found = contrast_dict(contrast([GOOD, LIKE, POOR], on="e", date="2026-11-23"))
    assert found["items"] == N
    assert found["pairs"][0]["evidence"]["difference"]["n"] == N
    assert found["systems"][0]["group"] == 1
