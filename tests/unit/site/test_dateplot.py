"""The bitter-lesson plot, parsed: true dates, marks in their places, labels that do not overlap."""

from __future__ import annotations

import re
from datetime import date
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.history.timelines import timeline
from metier.overtaking import Point, Timeline
from metier.site.dateplot import HEIGHT, bitter_plot
from metier.site.drawing import Spot

HOSTILE = '"><script>alert(1)</script>\u202e'
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
SAFE = {"svg", "title", "desc", "rect", "line", "circle", "path", "text"}


def point(name: str, date: str, score: float, role: str = "general", **more: Any) -> Point:
    ends = {"low": max(0.0, score - 0.1), "high": min(1.0, score + 0.1), "n": 80, "clusters": 8}
    return Point(name, role, date, score, **{**ends, **more})  # type: ignore[arg-type]


def drawn(*points: Point) -> Timeline:
    return timeline(
        points,
        subject="it",
        eval_name="e",
        title="E",
        metric="passed",
        source=None,
        command="c",
    )


def parsed(*points: Point) -> ElementTree.Element:
    root = ElementTree.fromstring(bitter_plot(drawn(*points), key="k"))
    for node in root.iter():
        assert node.tag in SAFE, node.tag
        assert not {"style", "href", "onclick"} & set(node.attrib)
    for node in root:
        for name, value in node.attrib.items():
            if value.endswith("%") and name in ("x", "x1", "x2", "cx"):
                assert 0.0 <= float(value[:-1]) <= 100.0
            if name in ("y", "y1", "y2", "cy"):
                assert 0.0 <= float(value.rstrip("%")) <= HEIGHT
    return root


def marks(root: ElementTree.Element, tag: str, style: str) -> list[ElementTree.Element]:
    return [
        node for node in root.iter(tag) if set(style.split()) <= set(node.get("class", "").split())
    ]


def boxes(root: ElementTree.Element, width: float) -> list[tuple[float, ...]]:
    found = []
    for node in root.iter("text"):
        spot = Spot(
            float(node.get("x", "0")[:-1]),
            float(node.get("y", "0")),
            node.get("text-anchor", "middle"),
            float(node.get("dx", "0")),
        )
        if node.get("class") not in ("tick", "caption"):
            found.append(spot.box(node.text or "", width=width))
    return found


GENERAL = (
    point("a", "2025-05-03", 0.3, recorded=True),
    point("b", "2025-05-20", 0.9, "documents", recorded=True),
    point("c", "2025-08-01", 0.6, recorded=True),
    point("d", "2025-12-01", 0.8),
)
OWN = point("it", "2025-07-01", 0.5, "specialist")


def test_every_system_is_drawn_by_what_it_is() -> None:
    root = parsed(*GENERAL, OWN, point("it", "2025-06-01", 0.4, "earlier"))
    assert len(marks(root, "circle", "dot general")) == 3
    assert len(marks(root, "circle", "dot general recorded")) == 2
    assert len(marks(root, "rect", "dot documents recorded")) == 1
    assert len(marks(root, "path", "hop")) == 2
    assert len(marks(root, "path", "hop today")) == 1
    assert len(marks(root, "rect", "own-band")) == 1
    assert len(marks(root, "line", "own before")) == 1


def test_dates_and_scores_are_a_true_scale() -> None:
    root = parsed(*GENERAL)
    first, middle, last = marks(root, "circle", "dot general")
    xs = [float(node.get("cx", "")[:-1]) for node in (first, middle, last)]
    assert (xs[1] - xs[0]) / (xs[2] - xs[0]) == pytest.approx(90 / 212, abs=0.01)
    ys = [float(node.get("cy", "")) for node in (first, middle, last)]
    assert (ys[0] - ys[1]) / (ys[0] - ys[2]) == pytest.approx(0.6, abs=0.01)


def test_steps_rise_and_are_numbered() -> None:
    root = parsed(*GENERAL)
    levels = [n for n in marks(root, "line", "best") if n.get("y1") == n.get("y2")]
    heights = [float(node.get("y1", "")) for node in levels]
    assert heights == sorted(heights, reverse=True)
    assert len(heights) == 3
    assert [node.text for node in marks(root, "text", "number")] == ["1", "2", "3"]


def test_the_days_are_named() -> None:
    ahead = {"ahead": (0.1, 0.3, 0.5)}
    root = parsed(OWN, point("c", "2025-08-01", 0.6), point("d", "2025-12-01", 0.8, **ahead))
    assert [node.text for node in marks(root, "text", "day")] == [
        "score passed 1 Aug 2025", "overtaken 1 Dec 2025",
    ]  # fmt: skip
    assert len(marks(root, "line", "day overtaken")) == 1
    same = parsed(OWN, point("d", "2025-12-01", 0.8, **ahead))
    assert [node.text for node in marks(same, "text", "day")] == ["overtaken 1 Dec 2025"]


def test_a_month_with_few_has_no_box() -> None:
    month = [point(str(n), f"2025-05-0{n}", n / 10) for n in range(1, 5)]
    assert len(marks(parsed(*month), "rect", "half")) == 1
    assert marks(parsed(*month[:3]), "rect", "half") == []


def test_what_others_wrote_is_inert_and_said_for_who_does_not_see() -> None:
    root = parsed(point(HOSTILE, "2025-05-01", 0.4), point("x", "2025-06-01", 0.2))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "k-t k-d"
    described = root.find("desc")
    assert described is not None
    assert "2 general models" in (described.text or "")
    assert "was not measured" in (described.text or "")
    assert "\u202e" not in "".join(root.itertext())


def test_one_day_is_no_plot() -> None:
    assert bitter_plot(drawn(point("a", "2025-05-01", 0.4)), key="k") == ""
    assert bitter_plot(drawn(), key="k") == ""


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(DAYS, st.floats(0, 1), st.sampled_from(("general", "specialist"))),
        min_size=2,
        max_size=25,
    )
)
def test_no_label_covers_another_at_any_width(items: list[tuple[Any, float, str]]) -> None:
    points = [
        point(str(n), day.isoformat(), score, role) for n, (day, score, role) in enumerate(items)
    ]
    drawing = bitter_plot(drawn(*points), key="k")
    if not drawing:
        return
    root = ElementTree.fromstring(drawing)
    assert re.search(r"nan|inf", drawing.partition("</desc>")[2]) is None
    for width in (300.0, 1100.0):
        for one, other in combinations(boxes(root, width), 2):
            apart = (
                one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            )
            assert apart, (one, other)
