"""The sentences of a timeline: who is ahead, since when, how far it is shown."""

from __future__ import annotations

from dataclasses import replace

from metier.history.telling import caption, cautions, sentence
from metier.history.timelines import timeline
from metier.overtaking import Point, Source, Timeline

SOURCE = Source(
    "s", "S", "o/n at 1234", "MIT", "0" * 64, 13_506, 0.261, (("x", "w"),), "2026-11-23"
)


def point(name: str, date: str, score: float, role: str = "general", **more: object) -> Point:
    values = {"low": score - 0.1, "high": score + 0.1, "n": 80, "clusters": 8, **more}
    return Point(name, role, date, score, **values)  # type: ignore[arg-type]


def drawn(*points: Point, source: Source | None = None) -> Timeline:
    return timeline(
        points,
        subject="it",
        eval_name="e",
        title="E",
        metric="passed",
        source=source,
        command="c",
        measure="m",
    )


OWN = point("it", "2026-02-01", 0.5, "specialist")


def test_not_measured_is_said_with_the_best_general_model() -> None:
    said = sentence(drawn(point("gpt-4o-2024-08-06", "2026-01-02", 0.6)))
    assert said == (
        "it was not measured on this eval, so only general models are drawn. The best general "
        "model so far is gpt-4o-2024-08-06: 60.0 % on 2 Jan 2026."
    )


def test_overtaken_passed_ahead_and_never_ahead() -> None:
    later = point("new", "2026-03-04", 0.8, ahead=(0.2, 0.3, 0.4))
    assert sentence(drawn(OWN, later)) == (
        "Overtaken by new on 4 Mar 2026, by 30.0 points (paired over 8 groups: +20.0 to +40.0)."
    )
    before = replace(later, date="2026-01-04")
    assert sentence(drawn(OWN, before)).startswith("Never ahead here: new, of 4 Jan 2026, was")
    close = point("new", "2026-03-04", 0.55)
    assert "no general model is shown to be better" in sentence(drawn(OWN, close))
    assert "the intervals overlap" in sentence(drawn(OWN, close))
    early = replace(close, date="2026-01-04")
    assert sentence(drawn(OWN, early)).startswith(
        "new, of 4 Jan 2026, had the higher score before it was measured on 1 Feb 2026 with 50.0 %"
    )
    apart = point("new", "2026-03-04", 0.75)
    assert "its interval lies above the specialist's" in sentence(drawn(OWN, apart))
    assert sentence(drawn(OWN, point("old", "2026-01-01", 0.2))) == (
        "Not overtaken: the best general model so far, old of 1 Jan 2026, has 20.0 %; it has "
        "50.0 %."
    )
    assert "No general model yet" in sentence(drawn(OWN))


def test_names_pass_through_what_the_door_gives() -> None:
    said = sentence(drawn(OWN, point("\u202eevil", "2026-01-01", 0.2)), lambda _: "clean")
    assert "clean" in said
    assert "\u202e" not in said


def test_the_caption_states_n_groups_source_and_cautions() -> None:
    points = [point("a", "2026-01-02", 0.4), point("b", "2026-02-03", 0.5, n=79)]
    told = caption(drawn(*points, source=SOURCE))
    for part in (
        "2 general models, 2 Jan 2026 to 3 Feb 2026.",
        "79 to 80 answers each, in 8 groups",
        "Months jump with what was submitted",
        "Left out everywhere: x (w).",
        "From o/n at 1234, MIT, taken in 23 Nov 2026: recorded and judged elsewhere",
    ):
        assert part in told
    assert "recorded" not in caption(drawn(*points))
    doubts = " ".join(cautions(drawn(*points, source=replace(SOURCE, judged="By two."))))
    assert "partly the luckiest" in doubts
    assert "26.1 % of the 13,506 answers are copies" in doubts
    assert "By two." not in doubts
    assert "By two." in cautions(drawn(*points, OWN, source=replace(SOURCE, judged="By two.")))
    assert cautions(drawn(points[0])) == ()


def test_a_base_alone_is_no_general_model() -> None:
    told = caption(drawn(point("base", "2026-01-02", 0.4, "base", n=9, clusters=9)))
    assert told == (
        "Only its own base was measured beside it, 2 Jan 2026; no general model yet. "
        "9 answers each; 95 % intervals."
    )
