"""The values of a search."""

from __future__ import annotations

from metier.stats.searched import Contender, Round, Standing


def test_a_round_names_who_went_on_and_who_is_told_apart() -> None:
    standings = (
        Standing("a", 0.9, 20, 0.0, None, True),
        Standing("b", 0.4, 20, 0.5, 0.002, False, "behind"),
        Standing("c", 0.8, 20, 0.1, 0.5, False, "behind"),
    )
    assert Round(1, (3, 1), 20, standings, 60.0).kept == ("a",)
    assert [one.told_apart for one in standings] == [False, True, False]


def test_a_contender_costs_a_question_unless_said() -> None:
    assert (Contender("a").cost, Contender("a").weight) == (1.0, 0.0)
