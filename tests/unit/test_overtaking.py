"""The values of the bitter-lesson plot: frozen, and all of them JSON."""

import json
from dataclasses import FrozenInstanceError, asdict

import pytest

from metier.overtaking import Month, Overtaken, Point, Source, Timeline

POINT = Point("a", "general", "2026-01-02", 0.5, 0.4, 0.6, 80, 8, by_cluster=(("t", 0.5),))


def test_a_timeline_is_a_value_and_becomes_json() -> None:
    source = Source("s", "S", "o/n at 1", "MIT", "0" * 64, 80, 0.1, (("x", "unsound"),), "2026")
    passed = Overtaken("2026-01-02", "a", "paired", 0.1, 0.05, 0.15, 8, before=True)
    month = Month("2026-01", 1, 0.5, 0.5, 0.5, 0.5, 0.5)
    whole = Timeline(
        "it", "e", "E", "passed", (POINT,), (POINT,), (month,), None, passed, passed, source, "c"
    )
    told = json.loads(json.dumps(asdict(whole)))
    assert told["points"][0]["by_cluster"] == [["t", 0.5]]
    assert told["overtaken"]["how"] == "paired"
    assert whole.measure == ""
    with pytest.raises(FrozenInstanceError):
        POINT.score = 1.0  # type: ignore[misc]
