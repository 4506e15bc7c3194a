"""Pairs become tracks: rivals apart, fresh apart, clusters once, order of no matter."""

from collections.abc import Iterable
from random import Random

import pytest

from metier.watch import tracks_of, tracks_over
from metier.watching import Pair, Rival

NAMES: dict[Rival, str] = {"general": "General 7B", "base": "its base"}


def pairs(
    count: int,
    own: float = 1.0,
    other: float = 0.0,
    *,
    rival: Rival = "general",
    start: int = 0,
    date: str = "",
    fresh: bool = False,
    look: str = "",
) -> list[Pair]:
    """Pairs with the same outcomes, each its own cluster."""
    return [
        Pair(rival, f"q{number}", "", own, other, date, fresh, "eval", look)
        for number in range(start, start + count)
    ]


def figures(found: Iterable[object]) -> list[tuple[str, bool, int, int, int]]:
    """Rival, fresh, pairs, wins and losses of each track."""
    return [(t.rival, t.fresh, t.pairs, t.wins, t.losses) for t in found]  # type: ignore[attr-defined]


def test_each_rival_has_its_own_tracks_the_general_model_first() -> None:
    found = tracks_of(pairs(3, rival="base") + pairs(2, 0.0, 1.0), NAMES)
    assert figures(found) == [("general", False, 2, 0, 2), ("base", False, 3, 3, 0)]
    assert [track.rival_name for track in found] == ["General 7B", "its base"]


def test_a_rival_without_a_name_is_called_by_its_role() -> None:
    assert tracks_of(pairs(1), {})[0].rival_name == "general"


def test_fresh_pairs_count_in_both_and_alone() -> None:
    old = pairs(4, date="2023-05-01")
    new = pairs(2, 0.0, 1.0, start=10, date="2023-10-01", fresh=True)
    assert figures(tracks_of(old + new, NAMES)) == [
        ("general", False, 6, 4, 2),
        ("general", True, 2, 0, 2),
    ]


def test_dated_pairs_have_a_fresh_track_even_if_none_is_fresh() -> None:
    assert figures(tracks_of(pairs(4, date="2023-05-01"), NAMES))[1] == ("general", True, 0, 0, 0)
    assert len(tracks_of(pairs(4), NAMES)) == 1


def test_the_order_of_pairs_changes_nothing() -> None:
    many = [
        Pair("general", f"q{n}", f"c{n % 7}", (n % 11) / 10, (n % 5) / 4, "2023-05-01", n % 3 == 0)
        for n in range(60)
    ]
    shuffled = list(many)
    Random(4).shuffle(shuffled)
    assert tracks_of(many, NAMES) == tracks_of(shuffled, NAMES)


def test_a_cluster_counts_in_the_first_look_that_has_any_of_it() -> None:
    first = Pair("general", "q1", "passage", 1.0, 0.0, look="2026-01-01")
    late = Pair("general", "q2", "passage", 0.0, 1.0, look="2026-02-01")
    assert figures(tracks_of([late, first], NAMES)) == [("general", False, 1, 1, 0)]
    same = Pair("general", "q2", "passage", 0.0, 1.0, look="2026-01-01")
    assert figures(tracks_of([same, first], NAMES)) == [("general", False, 1, 0, 0)]


def test_feedback_and_evals_never_share_a_cluster() -> None:
    mixed = [Pair("general", "q1", "", 1.0, 0.0), Pair("general", "q1", "", 1.0, 0.0)]
    assert tracks_of(mixed, NAMES)[0].pairs == 1
    mixed[1] = Pair("general", "q1", "", 1.0, 0.0, source="feedback")
    assert tracks_of(mixed, NAMES)[0].pairs == 2
    mixed[1] = Pair("general", "q2", "q1", 1.0, 0.0)
    assert tracks_of(mixed, NAMES)[0].pairs == 2


def test_looks_come_one_after_the_other() -> None:
    later = pairs(5, start=5, look="2026-02-01", fresh=True)
    course = list(tracks_over(later + pairs(5, look="2026-01-01"), NAMES))
    assert [(look, [track.pairs for track in tracks]) for look, tracks in course] == [
        ("2026-01-01", [5]),
        ("2026-02-01", [10, 5]),
    ]
    assert course[-1][1] == tracks_of(later + pairs(5, look="2026-01-01"), NAMES)


def test_no_pairs_no_tracks() -> None:
    assert tracks_of([], NAMES) == ()


def test_the_margin_reaches_the_tracks() -> None:
    near = pairs(60, 1.0, 1.0)
    wide, narrow = (tracks_of(near, NAMES, margin=margin)[0] for margin in (0.2, 0.01))
    assert wide.not_worse > 20.0 > narrow.not_worse
    assert narrow.low == pytest.approx(wide.low)


def test_a_good_past_does_not_hide_a_bad_present() -> None:
    good = [
        one
        for month in range(1, 9)
        for one in pairs(40, start=100 * month, look=f"2026-{month:02}-01")
    ]
    bad = pairs(40, 0.0, 1.0, start=900, look="2026-09-01")
    (before,) = tracks_of(good, NAMES)
    (after,) = tracks_of(good + bad, NAMES)
    assert before.turned < 0.5
    assert before.turned_since == ""
    assert after.for_it > 20.0 > after.against_it
    assert after.turned > after.turned_far > 1e5
    assert after.turned_since == "2026-09-01"


def test_what_turned_is_told_of_all_pairs_only() -> None:
    found = tracks_of(pairs(30, 0.0, 1.0, fresh=True), NAMES)
    assert found[0].turned > 20.0
    assert found[1].turned == 0.5
