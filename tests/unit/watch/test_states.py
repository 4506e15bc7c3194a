"""The state machine: what gives the route, what keeps it, what takes it, and how it comes back."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.card import Cost
from metier.stats import anytime
from metier.watch import ENOUGH, Watched, half_the_cost, judge
from metier.watching import ROUTED, Rival, Standing, Track

NOW = Watched(
    name="svelte",
    system="sha256:one",
    today="2026-03-01",
    proved="2026-02-01",
    until="2026-05-02",
)
UNPROVED = replace(NOW, proved="", until="")
LAPSED = replace(NOW, today="2026-06-01")


def track(
    wins: int, losses: int, pairs: int, *, rival: Rival = "general", fresh: bool = False
) -> Track:
    """The real numbers of so many right-or-wrong pairs."""
    own, other = [1.0] * pairs, [1.0] * pairs
    other[:wins] = [0.0] * wins
    own[wins : wins + losses] = [0.0] * losses
    found = anytime(own, other)
    return Track(
        rival=rival,
        rival_name="General 7B",
        pairs=found.pairs,
        wins=wins,
        losses=losses,
        difference=found.difference,
        low=found.low,
        high=found.high,
        for_it=found.for_it,
        against_it=found.against_it,
        not_worse=found.not_worse,
        needed=found.needed,
        fresh=fresh,
    )


AHEAD, BEHIND = track(60, 10, 300), track(10, 60, 300)
OPEN, FEW = track(30, 25, 300), track(6, 5, 20)
EQUAL = track(0, 0, 1_000)
FRESH_AHEAD, FRESH_BEHIND = (replace(one, fresh=True) for one in (AHEAD, BEHIND))
FRESH_OPEN, FRESH_FEW = (replace(one, fresh=True) for one in (OPEN, FEW))
FRESH_NONE = track(0, 0, 0, fresh=True)


def standing(state: str, since: str = "2026-02-10", *, system: str = "sha256:one") -> Standing:
    """Where it stood before."""
    return Standing("svelte", system, state, since, "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "tracks", "now", "state"),
    [
        # what its proof gave it, it keeps while nothing is known
        (None, [], NOW, "PROMOTED"),
        (None, [FEW], NOW, "PROMOTED"),
        (None, [], UNPROVED, "WATCH"),
        (None, [FEW], UNPROVED, "WATCH"),
        # pairs that are enough and show nothing: limbo
        ("PROMOTED", [OPEN], NOW, "WATCH"),
        ("PROMOTED", [OPEN], UNPROVED, "WATCH"),
        ("PROMOTED", [EQUAL], NOW, "WATCH"),
        # shown to be better, proved or not
        ("WATCH", [AHEAD], NOW, "PROMOTED"),
        ("WATCH", [AHEAD], UNPROVED, "PROMOTED"),
        ("PROMOTED", [AHEAD], LAPSED, "PROMOTED"),
        # shown to be worse, whatever the proof
        ("PROMOTED", [BEHIND], NOW, "DEMOTED"),
        (None, [BEHIND], NOW, "DEMOTED"),
        # the proof ends unrenewed
        ("WATCH", [OPEN], LAPSED, "DEMOTED"),
        ("PROMOTED", [FEW], LAPSED, "DEMOTED"),
        ("PROMOTED", [EQUAL], LAPSED, "DEMOTED"),
        # out stays out until it shows something
        ("DEMOTED", [OPEN], NOW, "DEMOTED"),
        ("DEMOTED", [], NOW, "DEMOTED"),
        ("DEMOTED", [AHEAD], NOW, "PROMOTED"),
        ("HOP", [AHEAD], NOW, "PROMOTED"),
        ("HOP", [OPEN], NOW, "DEMOTED"),
        # fresh pairs rule as soon as they are enough, or show anything
        ("PROMOTED", [AHEAD, FRESH_FEW], NOW, "PROMOTED"),
        ("PROMOTED", [AHEAD, FRESH_OPEN], NOW, "WATCH"),
        ("PROMOTED", [AHEAD, FRESH_BEHIND], NOW, "DEMOTED"),
        ("DEMOTED", [BEHIND, FRESH_AHEAD], NOW, "PROMOTED"),
        ("DEMOTED", [AHEAD, FRESH_NONE], NOW, "DEMOTED"),
    ],
)
def test_the_states(before: str | None, tracks: list[Track], now: Watched, state: str) -> None:
    assert judge(standing(before) if before else None, tracks, now).state == state


def test_another_base_at_hand_makes_a_demotion_a_hop() -> None:
    at_hand = replace(NOW, bases=("encoder-2",))
    hop = judge(standing("PROMOTED"), [BEHIND], at_hand)
    assert hop.state == "HOP"
    back = judge(replace(hop, since="2026-02-20"), [BEHIND], NOW)
    assert (back.state, back.since) == ("DEMOTED", "2026-02-20")


def test_since_is_the_day_of_the_last_change() -> None:
    assert judge(standing("WATCH"), [OPEN], NOW).since == "2026-02-10"
    assert judge(standing("WATCH"), [AHEAD], NOW).since == NOW.today


def test_a_new_system_starts_afresh() -> None:
    before = standing("DEMOTED", system="sha256:other")
    found = judge(before, [FEW], NOW)
    assert (found.state, found.since) == ("PROMOTED", NOW.today)


def test_a_proof_younger_than_the_demotion_gives_the_route_back_on_watch() -> None:
    out = standing("DEMOTED", "2026-02-10")
    assert judge(out, [OPEN], replace(NOW, proved="2026-02-10T08:00:00")).state == "DEMOTED"
    assert judge(out, [OPEN], replace(NOW, proved="2026-02-11")).state == "WATCH"
    assert judge(out, [BEHIND], replace(NOW, proved="2026-02-11")).state == "DEMOTED"


def test_every_rival_must_be_beaten_and_any_can_take_the_route() -> None:
    base = replace(AHEAD, rival="base")
    assert judge(None, [OPEN, base], NOW).state == "WATCH"
    assert judge(None, [AHEAD, base], NOW).state == "PROMOTED"
    assert judge(None, [AHEAD, replace(BEHIND, rival="base")], NOW).state == "DEMOTED"


def test_what_has_become_worse_loses_the_route_though_it_is_ahead_over_all() -> None:
    turned = replace(AHEAD, turned=25.0, turned_since="2026-02-20")
    found = judge(standing("PROMOTED"), [turned], NOW)
    assert found.state == "DEMOTED"
    assert "it has become worse since about 2026-02-20" in found.why
    # At half the cost it must have become worse by more than the margin.
    remote = Cost(cost_class="remote")
    half = replace(NOW, rivals={"general": remote})
    assert judge(standing("PROMOTED"), [turned], half).state == "PROMOTED"
    far = replace(turned, turned_far=25.0)
    assert judge(standing("PROMOTED"), [far], half).state == "DEMOTED"
    # It comes back when nothing is left of the doubt, not when it is less than shown.
    assert judge(found, [replace(turned, turned=5.0)], NOW).state == "DEMOTED"
    assert judge(found, [replace(turned, turned=0.9)], NOW).state == "PROMOTED"


def test_more_rivals_need_more_evidence_each() -> None:
    barely = track(12, 35, 300)
    assert 20.0 <= barely.against_it < 40.0
    assert judge(None, [barely], NOW).state == "DEMOTED"
    assert judge(None, [barely, replace(AHEAD, rival="base")], NOW).state == "WATCH"


@pytest.mark.parametrize(("price", "state"), [(0.5, "PROMOTED"), (0.51, "WATCH"), (None, "WATCH")])
def test_not_worse_keeps_the_route_at_half_the_cost_or_less(
    price: float | None, state: str
) -> None:
    remote = Cost(cost_class="remote", price_per_million_tokens=1.0)
    own = Cost(cost_class="remote", price_per_million_tokens=price)
    now = replace(NOW, cost=own, rivals={"general": remote})
    assert judge(None, [EQUAL], now).state == state
    assert judge(None, [EQUAL], replace(now, until="2026-02-02")).state == (
        "PROMOTED" if state == "PROMOTED" else "WATCH" if not now.until else "DEMOTED"
    )


def test_a_win_on_old_items_only_is_suspect() -> None:
    assert judge(None, [AHEAD, FRESH_NONE], NOW).suspect
    assert judge(None, [AHEAD, FRESH_OPEN], NOW).suspect
    assert not judge(None, [AHEAD, FRESH_AHEAD], NOW).suspect
    assert not judge(None, [OPEN, FRESH_NONE], UNPROVED).suspect
    # without dates nobody knows what is old
    assert not judge(None, [AHEAD], NOW).suspect


def test_a_proof_on_old_items_is_suspect_until_fresh_ones_agree() -> None:
    assert judge(None, [OPEN, FRESH_NONE], NOW).suspect
    assert not judge(None, [OPEN, FRESH_NONE], replace(NOW, proved_fresh=True)).suspect


def test_the_head_and_the_tracks_are_kept() -> None:
    found = judge(None, [AHEAD], replace(NOW, head="abc"))
    assert (found.head, found.tracks) == ("abc", (AHEAD,))


@pytest.mark.parametrize(
    ("own", "rival", "half"),
    [
        (Cost(price_per_million_tokens=1.0), Cost(price_per_million_tokens=2.0), True),
        (Cost(price_per_million_tokens=1.1), Cost(price_per_million_tokens=2.0), False),
        (Cost(price_per_million_tokens=0.0), Cost(price_per_million_tokens=0.0), False),
        (Cost(), Cost(cost_class="remote"), True),
        (Cost(cost_class="remote"), Cost(), False),
        (Cost(cost_class="remote"), Cost(cost_class="remote"), False),
        (Cost(ms_per_text=1.0), Cost(ms_per_text=2.0), True),
        (Cost(ms_per_text=1.5), Cost(ms_per_text=2.0), False),
        (Cost(ms_per_text=1.0, size_bytes=9), Cost(ms_per_text=2.0, size_bytes=8), False),
        (Cost(ms_per_text=2.0, size_bytes=4), Cost(ms_per_text=2.0, size_bytes=8), True),
        (Cost(size_bytes=1, shared_bytes=4), Cost(size_bytes=10), True),
        (Cost(ms_per_text=1.0), Cost(size_bytes=2), False),
        (Cost(), Cost(), False),
    ],
)
def test_half_the_cost(own: Cost, rival: Cost, half: bool) -> None:
    assert half_the_cost(own, rival) is half


def test_fresh_pairs_alone_are_counted_once() -> None:
    few = track(0, 8, 8, fresh=True)
    assert few.against_it < 20.0
    assert judge(None, [few], NOW).state in ROUTED


some_tracks = st.builds(
    lambda wins, losses, ties, fresh, rival: track(
        wins, losses, wins + losses + ties, fresh=fresh, rival=rival
    ),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(0, 60),
    st.booleans(),
    st.sampled_from(["general", "base", "base+documents"]),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(some_tracks, max_size=4),
    st.sampled_from([None, "PROMOTED", "WATCH", "DEMOTED", "HOP"]),
    st.sampled_from([NOW, UNPROVED, LAPSED]),
)
def test_no_route_is_given_or_taken_without_cause(
    tracks: list[Track], before: str | None, now: Watched
) -> None:
    found = judge(standing(before) if before else None, tracks, now)
    worst = max((one.against_it for one in tracks), default=0.0)
    best = max((one.for_it for one in tracks), default=0.0)
    if found.state not in ROUTED and before in (None, *ROUTED):
        assert worst >= 20.0 or now.lapsed
    if found.state == "PROMOTED" and not now.holds:
        assert best >= 20.0
    if before in ("DEMOTED", "HOP") and found.state in ROUTED:
        assert best >= 20.0 or now.proved > "2026-02-10"
    # Judging again the same day changes nothing.
    again = judge(found, tracks, now)
    assert (again.state, again.since) == (found.state, found.since)
    assert found.why.endswith(".")
    assert ENOUGH == 50
