"""When the best general model so far passed each recorded system, as if that were a specialist.

Needs the mirror of public data sets, or the network. Every system of the recorded Svelte answers
stands once in the place of the specialist, with its own answers by task: on which day did the best
general model so far have the higher score, and on which day was it shown to be better?

    python benchmarks/overtaking.py --mirror PATH
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from record import write

import metier
from metier.history import elsewhere
from metier.history.timelines import timeline
from metier.overtaking import Point, Timeline

HERE = Path(__file__).resolve().parent
RECORD = "svelte-bench"


def main() -> int:
    """Take the record in, let every system be the specialist, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", type=Path)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "overtaking.json")
    arguments = parser.parse_args()
    folder = Path(metier.__file__).parent / "histories"
    with tempfile.TemporaryDirectory() as cache:
        pins = elsewhere.pinned(folder, RECORD)
        body = elsewhere.take(pins, folder=folder, mirror=arguments.mirror, cache=Path(cache))
    points = list(elsewhere.points_of(body))
    general = [point for point in points if point.role == "general"]
    whole = drawn(general)
    rows = [as_specialist(point, general) for point in points]
    results = {
        "answers": body["answers"],
        "systems": len(points),
        "copies": round(body["copies"], 4),
        "best": [[one.date, one.name, round(one.score, 4)] for one in whole.best],
        "months": [
            [one.month, one.systems, *(round(v, 4) for v in (one.lowest, one.median, one.highest))]
            for one in whole.months
        ],
        "by_score": by_score(rows),
        "rows": sorted(rows, key=lambda row: -float(row["score"])),
    }
    write(arguments.out, results, seed=0)
    for one in whole.best:
        print(
            f"best so far {one.date} {one.name} {one.score:.3f} ({one.low:.3f} to {one.high:.3f})"
        )
    for row in results["by_score"]:
        print(row)
    return 0


def drawn(points: list[Point]) -> Timeline:
    """The timeline of these points."""
    return timeline(
        points,
        subject="it",
        eval_name=RECORD,
        title="",
        metric="passed",
        source=None,
        command="",
    )


def as_specialist(point: Point, general: list[Point]) -> dict[str, Any]:
    """One system in the place of the specialist, among all others."""
    others = [one for one in general if one != point]
    found = drawn([*others, replace(point, role="specialist")])
    return {
        "name": point.name + (" with documents" if point.role == "documents" else ""),
        "date": point.date,
        "score": round(point.score, 4),
        "passed": found.passed.date if found.passed else None,
        "overtaken": found.overtaken.date if found.overtaken else None,
        "by": found.overtaken.name if found.overtaken else None,
        "how": found.overtaken.how if found.overtaken else None,
        "never_ahead": found.overtaken.before if found.overtaken else None,
        "days": days(point.date, found.overtaken.date) if found.overtaken else None,
    }


def days(first: str, last: str) -> int:
    """Days from one ISO date to another."""
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def by_score(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Counts by the score of what stood in the specialist's place."""
    found = []
    for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
        inside = [row for row in rows if low <= row["score"] < high]
        shown = [row for row in inside if row["overtaken"]]
        found.append(
            {
                "score": [low, min(1.0, high)],
                "systems": len(inside),
                "passed": sum(row["passed"] is not None for row in inside),
                "overtaken": len(shown),
                "median_day": str(statistics.median_low([row["overtaken"] for row in shown]))
                if shown
                else None,
            }
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
