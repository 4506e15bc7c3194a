"""Sequential halving: who is asked what, who leaves and why, and what the untouched items say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.card import Verdict
from metier.stats import Asked, Contender, Rules, halve, least_budget, plan
from metier.stats.searched import Round, Search


def table(shares: Sequence[float], items: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Answers of candidates ``a``, ``b`` … to items whose difficulty they share."""
    rng = np.random.default_rng(seed)
    luck = rng.random(items)
    noise = rng.random((len(shares), items))
    return {
        chr(97 + place): ((0.7 * luck + 0.3 * noise[place]) < share).astype(float)
        for place, share in enumerate(shares)
    }


def asking(answers: dict[str, np.ndarray], log: list | None = None) -> Callable[..., Asked]:
    def ask(name: str, positions: Sequence[int]) -> Asked:
        if log is not None:
            log.append((name, tuple(positions)))
        seen = answers[name][list(positions)]
        return Asked(["unscored" if np.isnan(one) else float(one) for one in seen])

    return ask


def searched(answers: dict[str, np.ndarray], budget: float, seed: int = 0, **more) -> Search:
    items = len(next(iter(answers.values())))
    contenders = [Contender(name) for name in answers]
    return halve(contenders, items, asking(answers), Rules(budget, seed, **more))


def test_the_best_is_found_for_a_tenth_of_the_questions() -> None:
    answers = table([0.5, 0.55, 0.6, 0.45, 0.4, 0.9, 0.3, 0.5], 400)
    found = [searched(answers, 320, seed) for seed in range(20)]
    assert [one.winner for one in found].count("f") >= 19
    assert all(one.asked <= 320 for one in found)


def test_survivors_answer_the_same_questions_and_none_twice() -> None:
    answers = table([0.5, 0.6, 0.7, 0.8, 0.4], 120)
    log: list[tuple[str, tuple[int, ...]]] = []
    found = halve([Contender(name) for name in answers], 120, asking(answers, log), Rules(200, 3))
    for one in found.rounds:
        assert {item.name for item in one.standings} <= set(answers)
    asked: dict[str, list[int]] = {}
    for name, positions in log:
        asked.setdefault(name, []).extend(positions)
    for positions in asked.values():
        assert len(set(positions)) == len(positions)
    together = [position for one in found.rounds for position in one.questions]
    assert found.winner is not None
    assert asked[found.winner][: len(together)] == together


def test_the_untouched_items_chose_nobody() -> None:
    answers = table([0.5, 0.6, 0.7, 0.8], 90)
    found = searched(answers, 150)
    used = {position for one in found.rounds for position in one.questions}
    assert found.final is not None
    assert used.isdisjoint(found.final.questions)
    assert found.final.winner.name == found.winner
    assert [rival.name for rival in found.final.rivals] == [found.runner_up]


def test_clusters_are_never_on_both_sides() -> None:
    answers = table([0.5, 0.6, 0.7], 80)
    clusters = [f"group {position // 7}" for position in range(80)]
    for seed in range(10):
        found = searched(answers, 140, seed, clusters=clusters)
        used = {clusters[position] for one in found.rounds for position in one.questions}
        assert found.final is not None
        assert used.isdisjoint({clusters[position] for position in found.final.questions})


def test_the_same_seed_gives_the_same_search() -> None:
    answers = table([0.5, 0.6, 0.7, 0.65, 0.55], 100)
    assert searched(answers, 180, 5) == searched(answers, 180, 5)
    assert searched(answers, 180, 5).rounds[0] != searched(answers, 180, 6).rounds[0]


def test_a_missing_outcome_is_not_a_wrong_one() -> None:
    """``b`` is best and lacks a third of its outcomes, those of the easiest questions."""
    answers = table([0.5, 0.8, 0.6], 150)
    easy = np.argsort(-(answers["a"] + answers["c"]))[:50]
    answers["b"][easy] = np.nan
    found = [searched(answers, 220, seed) for seed in range(10)]
    assert [one.winner for one in found].count("b") >= 9
    last = found[0].rounds[-1].standings
    assert next(one for one in last if one.name == "b").scored < found[0].rounds[-1].total


def test_who_is_hardly_ever_scored_cannot_win() -> None:
    answers = table([0.4, 0.5], 60)
    answers["c"] = np.full(60, np.nan)
    answers["c"][:5] = 1.0
    found = searched(answers, 150)
    assert found.winner in ("a", "b")
    gone = next(one for one in found.rounds[0].standings if one.name == "c")
    assert (gone.kept, gone.why) == (False, "unscored")


def test_nobody_wins_where_nothing_is_scored() -> None:
    found = searched({"a": np.full(30, np.nan), "b": np.full(30, np.nan)}, 40)
    assert (found.winner, found.final, found.end) == (None, None, "unscored")
    assert found.rounds[0].standings[0].score is None


def test_ties_go_to_the_lighter_then_to_the_first_by_name() -> None:
    same = np.ones(60)
    contenders = [Contender("z", weight=1.0), Contender("a", weight=9.0), Contender("m", weight=9)]
    found = halve(contenders, 60, asking(dict.fromkeys("zam", same)), Rules(120))
    assert found.winner == "z"
    assert found.level
    reasons = {one.name: one.why for part in found.rounds for one in part.standings if one.why}
    assert reasons["a"] == "cost"
    equal = halve(
        [Contender(name) for name in "zam"], 60, asking(dict.fromkeys("zam", same)), Rules(120)
    )
    assert equal.winner == "a"
    assert {one.why for part in equal.rounds for one in part.standings} == {"", "name"}


def test_who_stands_level_with_the_last_that_stays_stays_too() -> None:
    rows = {f"t{number}": np.zeros(90) for number in range(8)}
    for number in range(5):
        rows[f"t{number}"] = np.ones(90)
    found = searched(rows, 200)
    assert len(found.rounds[0].kept) == 5


def test_a_budget_is_never_overspent_and_costs_may_differ() -> None:
    answers = table([0.5, 0.6, 0.7, 0.8], 200)
    contenders = [
        Contender(name, cost) for name, cost in zip("abcd", (1.0, 1.0, 5.0, 0.5), strict=True)
    ]
    found = halve(contenders, 200, asking(answers), Rules(300.0))
    assert found.spent <= 300.0
    paid = sum(one.cost for one in found.rounds) + (found.final.cost if found.final else 0.0)
    assert found.spent == pytest.approx(paid)


def test_what_asking_really_cost_counts() -> None:
    """``d`` is ten times as dear as it was expected to be."""
    answers = table([0.5, 0.6, 0.7, 0.8], 200)

    def ask(name: str, positions: Sequence[int]) -> Asked:
        return Asked(
            [float(answers[name][p]) for p in positions],
            len(positions) * (10.0 if name == "d" else 1.0),
        )

    found = halve([Contender(name) for name in "abcd"], 200, ask, Rules(300.0))
    assert found.spent > 100.0
    assert found.rounds[1].cost <= 300.0


def test_the_reference_is_scored_too_though_it_left_early() -> None:
    answers = table([0.2, 0.7, 0.75, 0.8], 150)
    found = searched(answers, 260, reference="a")
    assert found.final is not None
    assert [rival.name for rival in found.final.rivals] == [found.runner_up, "a"]
    against = found.final.differences[1]
    assert against is not None
    assert against.verdict is Verdict.WIN
    assert against.n == len(found.final.questions)


def test_one_contender_is_only_scored() -> None:
    answers = table([0.6], 50)
    found = searched(answers, 1000)
    assert (found.rounds, found.winner, found.runner_up) == ((), "a", None)
    assert found.final is not None
    assert len(found.final.questions) == 50


def test_equal_candidates_are_seldom_told_apart() -> None:
    told = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows = {name: (rng.random(120) < 0.6).astype(float) for name in "abcdef"}
        final = searched(rows, 260, seed).final
        assert final is not None
        verdict = final.differences[0]
        told += verdict is not None and verdict.verdict in (Verdict.WIN, Verdict.LOSS)
    assert told <= 20


def test_twelve_examples_show_little_and_say_so() -> None:
    found = searched(table([0.3, 0.9], 12), 1000)
    assert found.final is not None
    difference = found.final.differences[0]
    assert difference is not None
    assert len(found.final.questions) == 4
    assert difference.verdict is Verdict.UNDERPOWERED
    assert difference.detectable is not None
    assert difference.detectable > 0.5


def test_rounds_are_told_when_they_are_over() -> None:
    heard: list[Round] = []
    answers = table([0.5, 0.6, 0.7], 60)
    found = halve(
        [Contender(n) for n in answers], 60, asking(answers), Rules(90), on_round=heard.append
    )
    assert tuple(heard) == found.rounds


@pytest.mark.parametrize(
    ("names", "items", "rules"),
    [
        ([], 50, Rules(100)),
        (["a", "a"], 50, Rules(100)),
        (["a", "b"], 5, Rules(100)),
        (["a", "b"], 50, Rules(0)),
        (["a", "b"], 50, Rules(100, reference="c")),
        (["a", "b"], 50, Rules(100, clusters=["one"] * 50)),
    ],
)
def test_what_cannot_be_searched_is_refused(names: list[str], items: int, rules: Rules) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        plan([Contender(name) for name in names], items, rules)


def test_another_number_of_outcomes_is_refused() -> None:
    with pytest.raises(ValueError, match="2 outcomes"):
        halve(
            [Contender("a"), Contender("b")], 30, lambda _name, _where: Asked([1.0, 0.0]), Rules(60)
        )


@given(
    count=st.integers(2, 12),
    items=st.integers(6, 80),
    budget=st.floats(1.0, 2_000.0),
    seed=st.integers(0, 99),
)
def test_any_budget_ends_with_a_winner_within_it(
    count: int, items: int, budget: float, seed: int
) -> None:
    answers = table(np.linspace(0.2, 0.9, count).tolist(), items)
    found = searched(answers, budget, seed)
    assert found.winner in answers
    # One question for everybody is asked whatever the budget.
    assert found.asked <= max(budget, count)
    names = [one.name for one in found.rounds[0].standings]
    assert sorted(names) == sorted(answers)
    for before, after in zip(found.rounds, found.rounds[1:], strict=False):
        assert [one.name for one in after.standings if one.name not in before.kept] == []


def test_the_least_budget_gives_everybody_three_questions() -> None:
    for count in (2, 5, 20, 44):
        contenders = [Contender(f"{number:02}") for number in range(count)]
        planned = plan(contenders, 1_000, Rules(least_budget(contenders) + 1))
        assert planned.first >= 3
