"""``metier history``: sentence, best so far, months and cautions as a person sees them."""

from __future__ import annotations

from typing import Any

import pytest

from metier.history.timelines import timeline
from metier.messages import Progress, silent
from metier.overtaking import Point, Source, Timeline

SOURCE = Source("bench", "B", "o/n at 1", "MIT", "0" * 64, 9, 0.0, (), "2026-11-23")


def point(name: str, date: str, score: float, role: str = "general", **more: Any) -> Point:
    values = {"low": max(0.0, score - 0.2), "high": min(1.0, score + 0.2), "n": 8, "clusters": 8}
    return Point(name, role, date, score, **{**values, **more})  # type: ignore[arg-type]


ONE = timeline(
    [
        point("old\u202e", "2025-05-03", 0.3, recorded=True),
        point("middling", "2025-06-03", 0.2, recorded=True),
        point("new", "2025-09-01", 0.9, recorded=True),
    ],
    subject="banking-intents",
    eval_name="bench",
    title="Bench",
    metric="passed",
    source=SOURCE,
    command="metier history banking-intents",
    measure="metier eval banking-intents --on bench --base REF",
)


class Scripted:
    """Gives what a test says, and remembers what was taken in."""

    def __init__(self, *given: Timeline) -> None:
        self.given = given
        self.taken: list[tuple[str, str]] = []

    def known(self) -> list[str]:
        return ["bench"]

    def of(self, _name: str) -> tuple[Timeline, ...]:
        return self.given

    def take(self, name: str, record: str, *, report: Any = silent) -> tuple[Timeline, ...]:
        report(Progress("data", "Fetching."))
        self.taken.append((name, record))
        return self.given


@pytest.fixture
def timelines(facade: Any) -> Scripted:
    facade.timelines = Scripted(ONE)
    return facade.timelines  # type: ignore[no-any-return]


def test_the_best_so_far_and_the_months_are_told(metier: Any, timelines: Scripted) -> None:
    lines = metier("history", "banking-intents").out.splitlines()
    assert lines[0] == "banking-intents on bench"
    text = "\n".join(lines)
    assert "was not measured on this eval" in text
    assert "90.0 %  (70.0 to 100.0)  new, recorded elsewhere" in text
    assert "median 20.0 %" in text
    assert "recorded and judged" in text
    assert "\u202e" not in text
    assert "metier eval banking-intents --on bench --base REF" in text
    assert max(len(line) for line in lines) <= 80


def test_json_has_every_number(metier: Any, timelines: Scripted) -> None:
    document = metier("history", "banking-intents", "--json").json()
    (told,) = document["timelines"]
    assert [one["name"] for one in told["best"]] == ["old\u202e", "new"]
    assert told["cautions"]
    assert told["sentence"].startswith("banking-intents was not measured")


def test_a_record_is_taken_in_by_name(metier: Any, timelines: Scripted) -> None:
    assert metier("history", "banking-intents", "--take", "bench").code == 0
    assert timelines.taken == [("banking-intents", "bench")]


def test_nothing_known_says_what_to_do(metier: Any, facade: Any) -> None:
    facade.timelines = Scripted()
    out = metier("history", "banking-intents").out
    assert "metier eval banking-intents --on banking-intents --against general" in out
    assert "takes in: bench" in out
