"""The section of the plot: sentence, legend, caption and every number in a table."""

from __future__ import annotations

from metier.history.timelines import timeline
from metier.overtaking import Point, Source
from metier.site.timelines import MOST_ROWS, plots

HOSTILE = "evil\u202e"


def point(name: str, date: str, score: float, role: str = "general", **more: object) -> Point:
    values = {"low": score - 0.1, "high": score + 0.1, "n": 80, "clusters": 8, **more}
    return Point(name, role, date, score, **values)  # type: ignore[arg-type]


def shown(*points: Point, source: Source | None = None) -> dict[str, object]:
    one = timeline(
        points,
        subject="it",
        eval_name=HOSTILE,
        title="E",
        metric="passed",
        source=source,
        command="metier history it",
        measure="metier eval it --on e --base REF",
    )
    (found,) = plots([one])
    return found


def test_the_legend_names_the_marks_that_are_there() -> None:
    few = shown(point("a", "2025-05-01", 0.5), point("b", "2025-06-01", 0.6))
    assert few["legend"] == "Filled: measured here; steps: the best so far, with its interval."
    many = [point(str(n), "2025-05-02", 0.3, recorded=True) for n in range(4)]
    told = str(
        shown(
            *many,
            point("d", "2025-05-03", 0.9, "documents", recorded=True),
            point("it", "2025-06-03", 0.5, "specialist"),
            point("it", "2025-05-03", 0.4, "earlier"),
        )["legend"]
    )
    for part in ("Hollow: recorded", "filled", "square", "boxes", "diamond", "hollow diamond"):
        assert part in told


def test_rows_say_what_each_system_is() -> None:
    found = shown(
        point(HOSTILE, "2025-05-01", 0.5, recorded=True),
        point("it", "2025-06-01", 0.6, "specialist", n=9, clusters=9),
    )
    assert found["rows"] == [
        {
            "date": "1 May 2025",
            "name": "evil\ufffd",
            "role": "general model, recorded elsewhere",
            "score": "50.0\u202f%",
            "interval": "40.0 to 60.0",
            "n": "80 in 8",
        },
        {
            "date": "1 Jun 2025",
            "name": "it",
            "role": "the specialist",
            "score": "60.0\u202f%",
            "interval": "50.0 to 70.0",
            "n": "9",
        },
    ]
    assert found["eval"] == "evil\ufffd"
    assert found["measure"] == ""
    assert "<svg" in str(found["drawing"])


def test_without_the_specialist_the_command_measures_it_and_rows_are_capped() -> None:
    many = [point(str(n), "2025-05-01", 0.5) for n in range(MOST_ROWS + 5)]
    found = shown(*many)
    assert found["measure"] == "metier eval it --on e --base REF"
    rows = found["rows"]
    assert isinstance(rows, list)
    assert len(rows) == MOST_ROWS
    assert found["drawing"] == ""
