"""Score against cost as a drawing."""

from __future__ import annotations

from xml.etree import ElementTree

from metier.site.tradeoff import Dot, drawing, front

CHEAP = Dot(1, "cheap", 0.90, 0.88, 0.92, 0.2)
DEAR = Dot(2, "dear <b>", 0.94, 0.93, 0.95, 3.0)
POOR = Dot(3, "poor", 0.50, 0.45, 0.55, 9.0)


def test_nobody_is_beaten_by_what_cannot_be_told_apart() -> None:
    assert front([CHEAP, DEAR, POOR], []) == {"cheap", "dear <b>", "poor"}
    beaten = [("dear <b>", "cheap"), ("dear <b>", "poor"), ("cheap", "poor")]
    assert front([CHEAP, DEAR, POOR], beaten) == {"cheap", "dear <b>"}


def test_the_drawing_is_sound_and_described() -> None:
    svg = drawing([CHEAP, DEAR, POOR], {"cheap"}, key="k")
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    texts = "".join(root.itertext())
    assert "dear <b>" in texts
    assert "0.20 ms" in texts or "0.2 ms" in texts
    assert svg.count("chosen") == 1
    assert svg.count("<circle") == 3


def test_one_dot_is_no_drawing() -> None:
    assert drawing([CHEAP], {"cheap"}, key="k") == ""
    assert drawing([CHEAP, Dot(2, "same", 0.90, 0.90, 0.90, 0.0)], set(), key="k")
