"""Pens, labels that never overlap, and a calendar that is a true scale."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.site.drawing import (
    LEFT,
    RIGHT,
    Calendar,
    Labels,
    Spot,
    day_of,
    line,
    opened,
    quality_domain,
    text,
    ticks,
)

DAYS = st.dates(date(2000, 1, 1), date(2040, 1, 1))


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_what_is_text_is_escaped_and_clipped() -> None:
    said = text(1, 2, "<b>\u202e" + "x" * 500, "s", "end", dx=3)
    assert said.startswith('<text x="1%" y="2" dx="3" class="s" text-anchor="end">&lt;b&gt;\ufffd')
    assert len(said) < 250
    assert 'id="&lt;-t"' in opened("<", 9, "<", "d", "s")
    assert line(1.234567, 2, 3, 4, "s") == '<line x1="1.23%" y1="2" x2="3%" y2="4" class="s"/>'


def test_round_values_stand_between_the_ends() -> None:
    assert ticks(0.0, 1.0) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert quality_domain([0.0, 1.0]) == (0.0, 1.0)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 200), st.text("ab", max_size=14))))
def test_labels_never_overlap_and_stay_inside(wanted: list[tuple[float, float, str]]) -> None:
    labels = Labels()
    for x, y, words in wanted:
        labels.put(words, [Spot(x, y, anchor) for anchor in ("start", "middle", "end")], "s", 200)
    for one, other in combinations(labels.taken, 2):
        assert not overlap(one, other)
    for left, top, right, bottom in labels.taken:
        assert left >= 0
        assert right <= 300
        assert top >= 0
        assert bottom <= 200


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(20, 190), st.sampled_from(("start", "end"))),
        max_size=12,
    ),
    st.floats(300, 1600),
)
def test_what_is_free_on_a_narrow_chart_is_free_on_a_wide_one(
    wanted: list[tuple[float, float, str]], width: float
) -> None:
    labels, put = Labels(), []
    for x, y, anchor in wanted:
        spot = Spot(x, y, anchor)
        if labels.put("label", [spot], "s", 200):
            put.append(spot)
    boxes = [spot.box("label", width=width) for spot in put]
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


@given(st.lists(DAYS, min_size=1, max_size=8))
def test_days_stand_where_their_time_is(days: list[date]) -> None:
    calendar = Calendar.of([day.isoformat() for day in days])
    places = [calendar.place(day.isoformat()) for day in sorted(days)]
    assert places == sorted(places)
    assert all(LEFT <= place <= RIGHT for place in places)
    first, last = min(days), max(days)
    if (last - first) > timedelta(days=10):
        middle = first + (last - first) / 2
        ends = calendar.place(first.isoformat()) + calendar.place(last.isoformat())
        assert calendar.place(middle.isoformat()) == pytest.approx(ends / 2, abs=0.5)


def test_the_axis_names_months_and_years_once_with_room_between() -> None:
    axis = Calendar.of(["2025-05-03", "2026-11-23"]).axis(100.0)
    assert axis.count(">2025<") == 1
    assert axis.count(">2026<") == 1
    assert ">Jan<" in axis
    year = Calendar.of(["2026-01-01", "2026-04-01"]).axis(100.0)
    assert [name in year for name in (">Jan<", ">Feb<", ">Mar<", ">Apr<")] == [True] * 4


def test_a_few_days_are_named_by_their_dates() -> None:
    assert Calendar.of(["2026-11-23"]).axis(9.0).count("<text") == 1
    axis = Calendar.of(["2026-11-02T10:00:00Z", "2026-11-20T11:30:00Z"]).axis(9.0)
    assert "2 Nov 2026" in axis
    assert "20 Nov 2026" in axis


def test_a_moment_is_a_fraction_into_its_day() -> None:
    assert day_of("2026-11-23T12:00:00Z") == day_of("2026-11-23") + 0.5
