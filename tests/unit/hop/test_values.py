"""Values of a hop as JSON: everything that a page and a program need."""

from __future__ import annotations

import json

from metier.hop import Challenger, Done, Hopped, Offer, Promotion, Ruling


def test_a_hop_that_promoted_says_how_to_go_back() -> None:
    won = Challenger("new", system="sha256:" + "b" * 64, name="triage@rejected-bbbbbbbb")
    lost = Challenger("other", failed="It is not here.", remedy="metier pull other")
    rulings = (Ruling(won, "hop", "win", "new: WIN"), Ruling(lost, "kept", "failed", "other: no"))
    promotion = Promotion(won, rulings, compared=1)
    hopped = Hopped("triage", "sha256:" + "a" * 64, "old", promotion, 1.23456, 2.0, ("rows",))
    told = json.loads(json.dumps(hopped.to_dict()))
    assert told["promoted"] == "new"
    assert told["system"] == won.system
    assert told["rollback"] == "metier rollback triage"
    assert told["why"] == "new: WIN"
    assert told["seconds"] == 1.235
    assert [one["act"] for one in told["challengers"]] == ["hop", "kept"]
    assert told["challengers"][1]["remedy"] == "metier pull other"


def test_a_hop_that_kept_says_why_of_each() -> None:
    rulings = tuple(
        Ruling(Challenger(key), "kept", "loss", f"{key}: LOSS") for key in ("one", "two")
    )
    hopped = Hopped("triage", "champion", "old", Promotion(None, rulings, compared=2), 0.0, 0.0)
    told = hopped.to_dict()
    assert told["promoted"] is None
    assert told["system"] == "champion"
    assert told["rollback"] is None
    assert told["why"] == "one: LOSS two: LOSS"


def test_acts_and_offers_are_json() -> None:
    done = Done("rollback", "2026-11-23T10:00:00Z", "a", "b", "why")
    assert done.to_dict()["from"] == "a"
    assert json.dumps(done.to_dict())
    offer = Offer("base", here=False, note="91 MB", command="metier pull base")
    assert offer.to_dict()["command"] == "metier pull base"
