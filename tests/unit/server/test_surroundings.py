"""What stands around an entry: as JSON, and without a catalogue that could be read."""

from __future__ import annotations

import json
from pathlib import Path

from metier.card import Interval
from metier.errors import CorruptError
from metier.evals.mistakes import LabelScore, Mistakes, WrongAnswer
from metier.finding import Hit
from metier.server import surroundings
from stand_in.cards import banking
from stand_in.metier import StandIn

KNOWN = Mistakes(
    10,
    2,
    0,
    2,
    "truth",
    (LabelScore("card", 1.0, Interval(low=0.5, high=1.0), 3),),
    (),
    (),
    (WrongAnswer("1", "a sealed text", "card", "rate"),),
)


class Known(StandIn):
    def mistakes(self, name: str) -> Mistakes:
        return KNOWN


class Broken(StandIn):
    def entry(self, origin: str, name: str) -> Hit:
        raise CorruptError("The catalogue is damaged.", code="bad_catalogue")


def test_the_json_has_everything_but_the_sealed_texts(tmp_path: Path) -> None:
    metier = Known(tmp_path, [banking()])
    told = json.loads(
        json.dumps(surroundings.as_json(metier, metier.show("banking-intents")))  # type: ignore[arg-type]
    )
    assert told["answers"]["best"][0]["interval"]["high"] == 1.0
    assert "a sealed text" not in json.dumps(told)
    assert told["fit"]["runs"] == "unknown"
    assert "self" in [kin["role"] for kin in told["lineage"]]


def test_a_damaged_catalogue_proves_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    metier = Broken(tmp_path, [banking()])
    item = metier.show("banking-intents")
    found = surroundings.around(metier, item)  # type: ignore[arg-type]
    assert found.proof is None
    assert found.recipe is not None
    assert surroundings.recipe_text([]) is None
