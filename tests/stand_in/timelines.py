"""Timelines of a stand-in: what a test gives it, and nothing otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from metier.history.timelines import timeline
from metier.overtaking import Point, Source, Timeline
from metier.watching import Standing, Track
from stand_in.cards import HOSTILE_TEXT


class Timelines:
    """Satisfies ``metier.server.timelines.Timelines``."""

    def __init__(self) -> None:
        self.given: dict[str, Sequence[Timeline]] = {}
        self.seen: dict[str, Sequence[tuple[str, Standing]]] = {}

    def of(self, name: str) -> Sequence[Timeline]:
        return self.given.get(name, ())

    def looks(self, name: str) -> Sequence[tuple[str, Standing]]:
        return self.seen.get(name, ())


def overtaken(name: str) -> Timeline:
    """General models by date that pass ``name``: recorded, measured, and with hostile names."""
    tasks = tuple("abcdefgh")

    def point(who: str, date: str, score: float, role: str = "general", **more: object) -> Point:
        ends = {"low": max(0.0, score - 0.2), "high": min(1.0, score + 0.1)}
        means = tuple((task, score) for task in tasks)
        values = {**ends, "n": 80, "clusters": 8, "by_cluster": means, **more}
        return Point(who, role, date, score, **values)  # type: ignore[arg-type]

    months = [
        point(f"m{n}", f"2025-{5 + n // 6:02}-{4 + n % 6 * 4:02}", 0.2 + n * 0.03, recorded=True)
        for n in range(18)
    ]
    points = [
        *months,
        point(HOSTILE_TEXT, "2025-06-01", 0.6, recorded=True),
        point("with documents", "2025-06-02", 0.95, "documents", recorded=True),
        point(name, "2025-07-20", 0.66, "specialist"),
        point(name, "2025-05-20", 0.5, "earlier"),
        point("its base", "2025-07-20", 0.3, "base"),
        point("newest", "2026-02-03", 0.9),
    ]
    left_out = (("unsound", HOSTILE_TEXT),)
    source = Source(
        "bench", HOSTILE_TEXT, "o/n at 1234", "MIT", "0" * 64, 2_000, 0.26, left_out, "2026-02-04"
    )
    return timeline(
        points,
        subject=name,
        eval_name="bench",
        title="Bench",
        metric="passed",
        source=source,
        command=f"metier history {name}",
    )


def looks(name: str) -> list[tuple[str, Standing]]:
    """Three looks in which ``name`` loses its route."""
    found = []
    for month, state, difference in (
        (1, "PROMOTED", 0.06),
        (2, "WATCH", 0.0),
        (3, "DEMOTED", -0.1),
    ):
        tracks = tuple(
            Track(
                rival,
                HOSTILE_TEXT,
                100 * month,
                9,
                4,
                difference,
                difference - 0.2 / month,
                difference + 0.2 / month,
                1.0,
                1.0,
                1.0,
                fresh=fresh,
            )
            for rival, fresh in (("general", False), ("base", False), ("general", True))
        )
        standing = Standing(name, "sha256:" + "1" * 64, state, "2026-01-01", "why", tracks=tracks)  # type: ignore[arg-type]
        found.append((f"2026-{month:02}-05T10:00:00Z", standing))
    return found
