"""Timelines for a page: all of them as JSON, and none where the ledger cannot be read."""

import json

from metier.errors import CorruptError
from metier.history.timelines import timeline
from metier.overtaking import Point, Timeline
from metier.server.timelines import as_json, looked, shown
from stand_in.timelines import Timelines

ONE = timeline(
    [Point("a", "general", "2026-01-02", 0.5, 0.4, 0.6, 8, 8)],
    subject="it",
    eval_name="e",
    title="E",
    metric="passed",
    source=None,
    command="c",
)


class Damaged(Timelines):
    def of(self, name: str) -> tuple[Timeline, ...]:
        raise CorruptError(f"{name} cannot be read.", code="corrupt_ledger")

    def looks(self, name: str) -> tuple[()]:
        raise CorruptError(f"{name} cannot be read.", code="corrupt_ledger")


def test_every_number_and_the_sentence_are_json() -> None:
    kept = Timelines()
    kept.given["it"] = (ONE,)
    (told,) = json.loads(json.dumps(as_json(shown(kept, "it"))))
    assert told["points"][0]["score"] == 0.5
    assert told["sentence"].startswith("it was not measured")
    assert told["cautions"] == []


def test_a_damaged_ledger_leaves_the_page_without_plots() -> None:
    assert shown(Damaged(), "it") == ()
    assert looked(Damaged(), "it") == ()
