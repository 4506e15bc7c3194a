"""What pages say of the watch: states, tracks, thumbs, notices, and nothing that is obeyed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from metier.site import watching
from stand_in.cards import banking, hostile
from stand_in.watching import Watched, standing


def document(found: Any = None) -> dict[str, Any]:
    known = {} if found is None else {"a": found}
    return dict(Watched(lambda name: name, known).document("a"))


def test_what_is_not_watched_has_no_section() -> None:
    assert watching.section(None) is None
    assert watching.section({**document(), "watched": False}) is None


def test_nobody_looked_is_a_state_too() -> None:
    told = watching.section(document())
    assert told is not None
    assert (told["state"], told["claim"], told["tracks"], told["thumbs"]) == (None, "", [], "")
    assert told["command"] == "metier watch a"


def test_a_lost_route_is_said_with_numbers() -> None:
    told = watching.section(document(standing("a")))
    assert told is not None
    assert told["lost"]
    assert told["claim"].startswith("Since 12 Nov 2026 kept here, no longer routed to: −15.0")
    worse, still_open = told["tracks"]
    assert (worse["difference"], worse["interval"]) == ("−15.0", "−21.0 to −9.0")
    assert worse["says"] == "worse, 10^7 to 1"
    assert (still_open["which"], still_open["says"]) == ("fresh", "open: about 688 more")
    assert "75.0\u202f%" in told["thumbs"]
    assert [look["state"] for look in told["looks"]] == ["DEMOTED", "PROMOTED"]


def test_doubt_is_claimed_only_where_the_route_is_held() -> None:
    assert watching.claim(asdict(standing("a", state="PROMOTED", tracks=()))) == ""
    suspect = asdict(standing("a", state="WATCH", suspect=True))
    assert watching.claim(suspect).startswith("Suspect: ")
    assert watching.state(None) is None


def test_e_values_in_words() -> None:
    track = asdict(standing("a").tracks[0])
    better = {**track, "for_it": 25.0}
    found = watching.section(
        {
            **document(standing("a")),
            "standing": {
                **asdict(standing("a")),
                "tracks": [
                    better,
                    {**track, "against_it": 1.0, "not_worse": 44.0},
                    {**track, "against_it": 1.0, "pairs": 0},
                ],
            },
        }
    )
    assert found is not None
    says = [row["says"] for row in found["tracks"]]
    assert says == ["better, 25 to 1", "not worse, 44 to 1", "open"]
    assert found["tracks"][2]["difference"] == ""


def test_notices_are_cut_and_known() -> None:
    long = {"name": "n" * 500, "kind": "odd", "said": "s" * 900, "date": "2026-11-12"}
    (told,) = watching.notices([{**long, "command": "c"}])
    assert (len(told["name"]), len(told["said"]), told["kind"]) == (120, 400, "odd")


def test_labels_that_a_page_would_change_are_not_offered() -> None:
    assert set(watching.offered(banking())) >= {"card_arrival"} or watching.offered(banking())
    assert all("\u202e" not in label for label in watching.offered(hostile()))
    assert watching.answer_key("a") == watching.answer_key("a") != watching.answer_key("b")
