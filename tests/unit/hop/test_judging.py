"""The rule of a hop: WIN, or not worse and cheaper; nothing that luck or old items alone show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metier.card import Cost, Difference, Evidence, Score, Verdict
from metier.hop import Challenger, decide, lower_end, not_worse, numbers, wins, without_leaks
from metier.stats import Anytime, anytime, paired_difference

CHEAP, DEAR = Cost(ms_per_text=1.0, size_bytes=1_000), Cost(ms_per_text=9.0, size_bytes=9_000)


def difference(wins: int, losses: int, same: int = 1_000) -> Difference:
    """A paired difference of so many discordant items."""
    own = [1.0] * wins + [0.0] * losses + [1.0] * same
    other = [0.0] * wins + [1.0] * losses + [1.0] * same
    return paired_difference(own, other)


def evidence(
    found: Difference, *, cost: Cost = DEAR, rival_cost: Cost = CHEAP, system: str = "new"
) -> Evidence:
    score = Score(metric="accuracy", value=0.85, n=found.n, clusters=found.clusters)
    return Evidence(
        against="other",
        system=system,
        system_name="triage",
        rival="old",
        rival_name="triage",
        eval_fingerprint="sha256:" + "e" * 64,
        score=score,
        rival_score=score.model_copy(update={"value": 0.75}),
        difference=found,
        date="2026-11-23",
        cost=cost,
        rival_cost=rival_cost,
        command="metier hop triage --base new",
    )


def challenger(found: Difference, key: str = "new", **more: Cost | str) -> Challenger:
    told = evidence(found, **more)  # type: ignore[arg-type]
    return Challenger(key, system=told.system, name=f"triage@rejected-{key}", evidence=told)


WIN, LOSS = difference(100, 20), difference(20, 100)
EQUAL = difference(5, 5, same=40_000)
UNCLEAR = difference(8, 6, same=100)


@pytest.mark.parametrize(
    ("found", "costs", "ground"),
    [
        (WIN, (DEAR, CHEAP), "win"),
        (LOSS, (CHEAP, DEAR), "loss"),
        (EQUAL, (CHEAP, DEAR), "cheaper"),
        (EQUAL, (DEAR, CHEAP), "dearer"),
        (EQUAL, (CHEAP, CHEAP), "dearer"),
        (UNCLEAR, (CHEAP, DEAR), "underpowered"),
        (UNCLEAR, (DEAR, CHEAP), "underpowered"),
    ],
)
def test_only_a_win_or_not_worse_and_cheaper_is_promoted(
    found: Difference, costs: tuple[Cost, Cost], ground: str
) -> None:
    promotion = decide([challenger(found, cost=costs[0], rival_cost=costs[1])])
    (ruling,) = promotion.rulings
    assert ruling.ground == ground
    assert (promotion.promoted is not None) == (ground in ("win", "cheaper"))
    assert ruling.why.startswith("new: ")
    assert promotion.why == ruling.why


def test_not_worse_without_a_tie_counts_too() -> None:
    found = difference(60, 42)
    assert found.verdict is Verdict.NOT_WORSE
    assert decide([challenger(found, cost=CHEAP, rival_cost=DEAR)]).promoted is not None
    assert decide([challenger(found, cost=DEAR, rival_cost=CHEAP)]).promoted is None


def test_an_unclear_eval_says_how_many_questions_it_takes() -> None:
    (ruling,) = decide([challenger(UNCLEAR)]).rulings
    assert f"{UNCLEAR.needed_n:,} could" in ruling.why


def test_fresh_items_that_say_loss_forbid_a_win() -> None:
    won = replace(challenger(WIN), fresh=evidence(LOSS))
    promotion = decide([won])
    assert promotion.promoted is None
    assert promotion.rulings[0].ground == "fresh"
    assert "Fresh items: -" in promotion.rulings[0].why


def test_a_win_on_old_items_alone_is_suspect() -> None:
    promotion = decide([replace(challenger(WIN), fresh=evidence(difference(5, 6, same=60)))])
    assert promotion.promoted is not None
    assert promotion.suspect
    assert "suspect" in promotion.why
    borne_out = decide([replace(challenger(WIN), fresh=evidence(difference(9, 6, same=60)))])
    assert not borne_out.suspect


def test_the_best_of_many_must_win_by_more() -> None:
    slight = difference(34, 17)
    assert slight.verdict is Verdict.WIN
    assert decide([challenger(slight)]).promoted is not None
    crowd = [challenger(slight, f"b{number}", system=f"s{number}") for number in range(6)]
    promotion = decide(crowd)
    assert promotion.promoted is None
    assert {one.ground for one in promotion.rulings} == {"luck"}
    assert "6" in promotion.rulings[0].why
    assert decide([challenger(slight)], earlier=5).promoted is None


def test_luck_alone_promotes_in_one_of_twenty_hops_at_most() -> None:
    """Five challengers, none better: the best of them wins by luck in 5 % of hops or fewer."""
    chance = np.random.default_rng(5)
    promoted = 0
    for _ in range(300):
        base = (chance.random(400) < 0.7).astype(float)
        crowd = []
        for number in range(5):
            # Answers change on a fifth of the items, for better and worse alike.
            changed = chance.random(400) < 0.2
            own = np.where(changed, (chance.random(400) < 0.7).astype(float), base)
            crowd.append(
                challenger(paired_difference(own, base), f"b{number}", system=f"s{number}")
            )
        promoted += decide(crowd).promoted is not None
    assert promoted <= 24  # 15 are expected at most; 24 is two standard deviations more


def test_the_better_of_two_that_pass_is_promoted_and_the_other_outdone() -> None:
    better = challenger(difference(150, 20), "better", system="b")
    promotion = decide([challenger(WIN, "good", system="g"), better])
    assert promotion.promoted is better
    assert [one.ground for one in promotion.rulings] == ["outdone", "win"]
    assert "better does better" in promotion.rulings[0].why


def test_a_win_goes_before_a_saving() -> None:
    saves = challenger(EQUAL, "saves", system="s", cost=CHEAP, rival_cost=DEAR)
    wins_it = challenger(WIN, "wins", system="w")
    assert decide([saves, wins_it]).promoted is wins_it


def test_the_champion_itself_and_what_was_not_made_are_kept() -> None:
    twin = challenger(difference(0, 0), "twin", system="old")
    absent = Challenger("absent", failed="It is not here.")
    promotion = decide([twin, absent])
    assert promotion.promoted is None
    assert [one.ground for one in promotion.rulings] == ["same", "failed"]
    assert promotion.compared == 1
    assert promotion.rulings[1].why == "absent: It is not here."


def test_the_lower_end_falls_with_the_number_compared() -> None:
    ends = [lower_end(WIN, number) for number in (1, 2, 5, 50)]
    assert ends[0] == pytest.approx(WIN.interval.low)
    assert ends == sorted(ends, reverse=True)
    assert wins(WIN, 50)
    assert not wins(LOSS, 1)
    assert not_worse(EQUAL, 1)
    assert not not_worse(LOSS, 1)
    bare = WIN.model_copy(update={"p_value": None})
    assert wins(bare, 1)


def test_leaked_items_are_left_out_of_both() -> None:
    withheld = evidence(WIN).model_copy(
        update={
            "difference": WIN.model_copy(update={"verdict": Verdict.NOT_WORSE}),
            "without_leaks": difference(90, 20, same=900),
        }
    )
    found = without_leaks(withheld)
    assert found.difference.verdict is Verdict.WIN
    assert found.difference.method.endswith("110 leaked items left out of both")
    assert found.without_leaks is None
    assert without_leaks(evidence(WIN)) == evidence(WIN)


def test_numbers_come_first() -> None:
    said = numbers(evidence(WIN))
    assert said.startswith("+7.1 points (")
    assert said.endswith("1,120 questions; .850 against .750)")


def standing(wins: int, losses: int, same: int = 1_000) -> Anytime:
    """What such pairs say however often anybody looks."""
    own = [1.0] * wins + [0.0] * losses + [1.0] * same
    other = [0.0] * wins + [1.0] * losses + [1.0] * same
    return anytime(own, other)


def test_whoever_looks_again_needs_what_holds_at_every_look() -> None:
    sure = replace(challenger(WIN), standing=standing(100, 20))
    assert decide([sure]).promoted is sure
    lucky = challenger(difference(12, 2))
    assert decide([lucky]).promoted is lucky, "one look"
    (ruling,) = decide([replace(lucky, standing=standing(12, 2))]).rulings
    assert (ruling.act, ruling.ground) == ("kept", "luck")
    assert "again and again" in ruling.why
    cheap = challenger(EQUAL, cost=CHEAP, rival_cost=DEAR)
    held = replace(cheap, standing=standing(5, 5, same=40_000))
    assert decide([held]).rulings[0].ground == "cheaper"


def test_under_a_standing_look_fresh_items_may_not_point_the_other_way() -> None:
    sure = replace(challenger(WIN), standing=standing(100, 20))
    fresh = evidence(difference(4, 6, same=90))
    assert fresh.difference.verdict is Verdict.UNDERPOWERED
    (ruling,) = decide([replace(sure, fresh=fresh)]).rulings
    assert ruling.ground == "fresh"
    assert decide([replace(sure, fresh=evidence(difference(6, 4, same=90)))]).promoted is not None
