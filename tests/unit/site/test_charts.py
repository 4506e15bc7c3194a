"""Charts: well-formed, titled, in their place, and inert whatever a card holds."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.card import Crossover, CurvePoint, LabelCurve, Verdict
from metier.site import charts
from stand_in.cards import HOSTILE_TEXT, banking, curve, difference, hostile, ladder, score

share = st.floats(-1, 1)
SAFE = {"svg", "title", "desc", "defs", "pattern", "rect", "line", "circle", "path", "text"}


def parsed(svg: str) -> ElementTree.Element:
    """The chart as XML; it fails on anything that is not well formed or not plain drawing."""
    root = ElementTree.fromstring(svg)
    for node in root.iter():
        assert node.tag in SAFE, node.tag
        for name, value in node.attrib.items():
            assert not name.startswith("on")
            assert name not in ("style", "href")
            assert "nan" not in value.lower().split()
    return root


def places(root: ElementTree.Element) -> list[float]:
    return [
        float(value[:-1])
        for node in root.iter()
        for name, value in node.attrib.items()
        if value.endswith("%") and name in ("x", "x1", "x2", "cx")
    ]


def bar(verdict: Verdict = Verdict.WIN, value: float = 0.231, half: float = 0.017) -> str:
    item = difference(value, half, verdict)
    domain = charts.difference_domain([item])
    return charts.evidence_bar(item, domain=domain, key="k", against="its base")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_evidence_bar_says_its_verdict_in_words(verdict: Verdict) -> None:
    root = parsed(bar(verdict))
    assert root.find("title").text == f"{verdict} against its base: +23.1 points"
    assert "21.4 to 24.8" in root.find("desc").text
    assert root.get("aria-labelledby") == "k-t k-d"
    assert (root.find("defs") is not None) is (verdict is Verdict.UNDERPOWERED)


@given(share, st.floats(0, 1), st.sampled_from(list(Verdict)))
def test_a_bar_stays_on_its_axis(value: float, half: float, verdict: Verdict) -> None:
    root = parsed(bar(verdict, value, half))
    assert all(0 <= place <= 100 for place in places(root))
    zero = next(node for node in root.iter("line") if node.get("class") == "zero")
    estimate = next(node for node in root.iter("line") if node.get("class") == "estimate")
    left, right = float(zero.get("x1")[:-1]), float(estimate.get("x1")[:-1])
    if abs(value) > 0.01:
        assert (right > left) is (value > 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_numbers_that_are_none_break_nothing(value: float) -> None:
    parsed(bar(Verdict.TIE, value, 0.1))
    parsed(charts.probability_bar(value))


def test_the_axis_covers_every_interval() -> None:
    items = [difference(0.2, 0.03, Verdict.WIN), difference(-0.08, 0.06, Verdict.LOSS)]
    low, high = charts.difference_domain(items)
    assert low <= -0.14
    assert high >= 0.23
    assert charts.difference_domain([]) == (-0.05, 0.05)
    axis = charts.evidence_axis((low, high))
    assert ">0 points<" in axis
    assert ">−10<" in axis
    parsed(axis)


def test_the_ladder_has_a_numbered_dot_per_measured_rung() -> None:
    root = parsed(charts.ladder_plot(ladder(), key="l"))
    dots = list(root.iter("circle"))
    assert len(dots) == 4
    assert [dot.get("class") for dot in dots].count("rung chosen") == 1
    numbers = [node.text for node in root.iter("text") if node.get("class") == "number"]
    assert numbers == ["1 (1.3\u202f%)", "2", "3", "4", "5"]
    assert "5 Linear and encoder, averaged: 94.1" in root.find("desc").text


def test_a_ladder_of_one_rung_is_not_drawn() -> None:
    assert charts.ladder_plot(ladder()[:1], key="l") == ""
    assert charts.ladder_plot((), key="l") == ""


def test_labels_of_equal_rungs_do_not_cover_each_other() -> None:
    rungs = [
        rung.model_copy(update={"accuracy": score(0.9), "size_bytes": 1000, "shared_bytes": 0})
        for rung in ladder()[:3]
    ]
    root = parsed(charts.ladder_plot(rungs, key="l"))
    spots = {
        (node.get("x"), node.get("y"))
        for node in root.iter("text")
        if node.get("class") == "number"
    }
    assert len(spots) == 3


def test_the_curve_shows_points_rivals_and_crossings() -> None:
    root = parsed(charts.curve_plot(curve(), base=0.71, general=0.786, key="c"))
    circles = [node.get("class") for node in root.iter("circle")]
    assert circles.count("point") == 8
    assert circles.count("crossing") == 2
    texts = [node.text for node in root.iter("text")]
    assert "base 71.0\u202f%" in texts
    assert "general 78.6\u202f%" in texts
    assert "labels per class" in texts
    assert len(list(root.iter("path"))) == 2


def test_rival_lines_that_are_close_keep_their_names_apart() -> None:
    root = parsed(charts.curve_plot(curve(), base=0.80, general=0.805, key="c"))
    ys = [float(n.get("y")) for n in root.iter("text") if n.get("class") == "rival-name"]
    assert abs(ys[0] - ys[1]) >= 12


def test_a_curve_of_one_point_is_not_drawn() -> None:
    point = CurvePoint(per_class=4, labels=8, mean=0.5, low=0.4, high=0.6, draws=3)
    single = LabelCurve(rung="linear", points=(point,), seed=0)
    assert charts.curve_plot(single, base=None, general=None, key="c") == ""


@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), share, share, share),
        min_size=2,
        max_size=8,
        unique_by=lambda p: p[0],
    ),
    st.none() | share,
)
def test_no_curve_breaks_the_plot(
    points: list[tuple[int, float, float, float]], base: float | None
) -> None:
    measured = tuple(
        CurvePoint(per_class=n, labels=n, mean=mean, low=low, high=high, draws=1)
        for n, mean, low, high in points
    )
    crossing = Crossover(against="base", accuracy=0.5, per_class=points[0][0], sentence="s")
    drawn = LabelCurve(rung="r", points=measured, crossovers=(crossing,), seed=0)
    root = parsed(charts.curve_plot(drawn, base=base, general=None, key="c"))
    assert all(0 <= place <= 100 for place in places(root))


def test_hostile_text_stays_text() -> None:
    card = hostile()
    for svg in (
        charts.ladder_plot(card.ladder, key=HOSTILE_TEXT),
        charts.curve_plot(card.curve, base=0.5, general=None, key='"><script>'),
        charts.evidence_bar(
            banking().evidence[0].difference, domain=(-1, 1), key='"x', against=HOSTILE_TEXT
        ),
    ):
        assert "<script" not in svg
        assert "<img" not in svg
        parsed(svg)


def test_every_place_across_is_relative_so_that_letters_keep_their_size() -> None:
    svg = charts.ladder_plot(ladder(), key="l")
    assert 'width="100%"' in svg
    assert not re.search(r"<(?:circle|text|line)[^>]*\b(?:cx|x|x1|x2)=\"[\d.]+\"", svg)
