"""The words of the watch: values that cannot change, and what their defaults say."""

from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import get_args

import pytest

from metier.watching import ROUTED, Notice, Pair, Standing, State, Track

PAIR = Pair("general", "q1", "", 1.0, 0.0)
TRACK = Track("general", "General 7B", 1, 1, 0, 1.0, -0.8, 1.0, 0.6, 0.4, 0.6)
STANDING = Standing("svelte", "sha256:one", "PROMOTED", "2026-01-01", "why")
NOTICE = Notice("svelte", "2026-01-01", "demoted", "why")


def test_two_of_the_four_states_hold_a_route() -> None:
    assert get_args(State) == ("PROMOTED", "WATCH", "DEMOTED", "HOP")
    assert ROUTED == ("PROMOTED", "WATCH")


@pytest.mark.parametrize("value", [PAIR, TRACK, STANDING, NOTICE])
def test_values_cannot_change(value: Pair | Track | Standing | Notice) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "other")
    assert value in {value}


def test_what_is_not_known_is_not_claimed() -> None:
    assert (PAIR.date, PAIR.fresh, PAIR.source, PAIR.look) == ("", False, "eval", "")
    assert (TRACK.needed, TRACK.fresh) == (None, False)
    assert (STANDING.suspect, STANDING.tracks) == (False, ())


def test_a_standing_becomes_plain_data() -> None:
    assert asdict(replace(STANDING, tracks=(TRACK,)))["tracks"] == (asdict(TRACK),)
