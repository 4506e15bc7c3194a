"""Evidence of two results: pairing, unscored items, leaks, disagreements."""

import pytest

from metier.card import Cost, Difference, Evidence, Verdict
from metier.errors import InputError
from metier.evals.comparing import compare, disagreements
from metier.evals.results import Result, ResultItem
from metier.messages import Outcome

EVAL = "sha256:" + "e" * 64


def result(outcomes: list[Outcome], name: str = "first", *, clusters: int | None = None) -> Result:
    digits = "1" if name == "first" else "2"
    return Result(
        system="sha256:" + digits * 64,
        system_name=name,
        eval_fingerprint=EVAL,
        scorer='accuracy{"out_of_scope":"oos"}',
        items=tuple(
            ResultItem(
                f"{i:05}", f"{i:05}" if clusters is None else f"c{i % clusters}", value, f"{value}"
            )
            for i, value in enumerate(outcomes)
        ),
    )


def evidence(first: Result, second: Result, **options: object) -> Evidence:
    given: dict[str, object] = {
        "against": "base",
        "command": "metier compare first second --on e.jsonl",
        "date": "2026-11-12",
    }
    return compare(first, second, **{**given, **options})  # type: ignore[arg-type]


def pair(wins: int, losses: int, n: int) -> tuple[Result, Result]:
    first: list[Outcome] = [1.0] * wins + [0.0] * losses + [1.0] * (n - wins - losses)
    second: list[Outcome] = [0.0] * wins + [1.0] * losses + [1.0] * (n - wins - losses)
    return result(first), result(second, "second")


def without(found: Evidence) -> Difference:
    assert found.without_leaks is not None
    return found.without_leaks


def test_evidence_names_everything_it_rests_on() -> None:
    first, second = pair(60, 20, 1_000)
    costs = (Cost(ms_per_text=0.2), Cost(ms_per_text=80.0))
    found = evidence(first, second, costs=costs)
    assert found.difference.verdict is Verdict.WIN
    assert found.difference.difference == pytest.approx(0.04)
    assert (found.system, found.rival) == (first.system, second.system)
    assert (found.system_name, found.rival_name) == ("first", "second")
    assert found.results == (first.digest, second.digest)
    assert found.eval_fingerprint == EVAL
    assert found.metric == "accuracy"
    assert found.score.value == pytest.approx(0.98)
    assert found.rival_score.value == pytest.approx(0.94)
    assert found.cost.ms_per_text == 0.2
    assert found.rival_cost.ms_per_text == 80.0
    assert found.without_leaks is None
    assert Evidence.model_validate_json(found.model_dump_json()) == found


def test_pairs_with_an_unscored_side_are_left_out() -> None:
    first, second = pair(60, 20, 1_000)
    blank_first = result(["unscored"] * 60 + [i.outcome for i in first.items[60:]])
    found = evidence(blank_first, second)
    assert found.difference.n == 940
    assert found.difference.verdict is Verdict.LOSS
    assert (found.score.n, found.score.unscored) == (940, 60)
    assert (found.rival_score.n, found.rival_score.unscored) == (1_000, 0)


def test_nothing_in_common_is_refused() -> None:
    first = result([1.0, "unscored"])
    second = result(["unscored", 1.0], "second")
    with pytest.raises(InputError) as caught:
        evidence(first, second)
    assert caught.value.code == "nothing_to_compare"


def test_results_of_different_evals_are_refused() -> None:
    first, _ = pair(1, 1, 10)
    other = Result(
        system=first.system,
        system_name="second",
        eval_fingerprint="sha256:" + "f" * 64,
        scorer=first.scorer,
        items=first.items,
    )
    shorter = result([1.0] * 9, "second")
    for second in (other, shorter):
        with pytest.raises(InputError) as caught:
            evidence(first, second)
        assert caught.value.code == "other_eval"
        with pytest.raises(InputError):
            disagreements(first, second)


def test_the_margin_decides_between_tie_and_underpowered() -> None:
    first, second = pair(10, 10, 1_000)
    assert evidence(first, second).difference.verdict is Verdict.TIE
    assert evidence(first, second, margin=0.005).difference.verdict is Verdict.UNDERPOWERED


def test_clusters_are_counted() -> None:
    first = result([1.0] * 40 + [0.0] * 10 + [1.0] * 50, clusters=4)
    second = result([0.0] * 40 + [1.0] * 10 + [1.0] * 50, "second", clusters=4)
    found = evidence(first, second)
    assert found.difference.clusters == 4
    assert found.difference.verdict is Verdict.UNDERPOWERED


def test_few_leaks_leave_the_verdict_and_show_both() -> None:
    first, second = pair(60, 20, 1_000)
    leaked = {f"{i:05}" for i in range(10)}
    found = evidence(first, second, leaked=leaked)
    assert found.difference.verdict is Verdict.WIN
    assert found.difference.n == 1_000
    assert without(found).n == 990
    assert without(found).difference == pytest.approx((50 - 20) / 990)


def test_more_than_one_per_cent_of_leaks_allows_no_win() -> None:
    first, second = pair(60, 20, 1_000)
    leaked = {f"{i:05}" for i in range(100, 111)}
    found = evidence(first, second, leaked=leaked)
    assert without(found).verdict is Verdict.WIN
    assert found.difference.verdict is Verdict.NOT_WORSE
    assert not found.difference.small
    assert found.difference.difference == pytest.approx(0.04)
    assert "11 of 1000 items leaked" in found.difference.method


def test_a_lead_that_rests_on_leaks_is_not_even_not_worse() -> None:
    first, second = pair(60, 20, 1_000)
    found = evidence(first, second, leaked={f"{i:05}" for i in range(45)})
    assert without(found).verdict is Verdict.UNDERPOWERED
    assert found.difference.verdict is Verdict.UNDERPOWERED
    assert found.difference.needed_n == without(found).needed_n


def test_a_loss_stays_a_loss_whatever_leaked() -> None:
    first, second = pair(20, 60, 1_000)
    found = evidence(first, second, leaked={f"{i:05}" for i in range(20, 70)})
    assert without(found).verdict is not Verdict.LOSS
    assert found.difference.verdict is Verdict.LOSS


def test_everything_leaked_shows_nothing() -> None:
    first, second = pair(60, 20, 1_000)
    found = evidence(first, second, leaked={item.id for item in first.items})
    assert found.without_leaks is None
    assert found.difference.verdict is Verdict.UNDERPOWERED


def test_leaked_ids_of_other_evals_do_not_count() -> None:
    first, second = pair(60, 20, 1_000)
    found = evidence(first, second, leaked={f"x{i}" for i in range(500)})
    assert found.difference.verdict is Verdict.WIN
    assert found.without_leaks is None


def test_disagreements_are_item_ids() -> None:
    first = result([1.0, 0.0, 1.0, "unscored", 0.4, 0.0])
    second = result([0.0, 1.0, 1.0, 1.0, 0.6, 0.0], "second")
    other = Result(
        system=second.system,
        system_name="second",
        eval_fingerprint=EVAL,
        scorer=second.scorer,
        items=(*second.items[:5], ResultItem("00005", "00005", 0.0, "another wrong answer")),
    )
    found = disagreements(first, other)
    assert found.first_better == ("00000",)
    assert found.second_better == ("00001", "00004")
    assert found.other_answer == ("00005",)
    assert found.left_out == ("00003",)
