"""The ladder: rows fill while rungs are made, and rate and time left follow from progress."""

from __future__ import annotations

from typing import Any

import pytest

from metier.cli.ladder import Climb, ladder_lines, progress_bar, rung_line
from metier.cli.terminal import ASCII, UNICODE
from metier.messages import Progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rungs_are_rows_and_the_chosen_one_is_marked(make: Any) -> None:
    lines = [line.plain for line in ladder_lines(make.card().ladder, UNICODE)]
    assert lines[0].split() == ["rung", "accuracy", "95", "%", "interval", "ms/text", "size",
                                "made", "in"]  # fmt: skip
    assert [line for line in lines if line.startswith("▸")] == [
        "▸  encoder-int8    92.8 %  92.0 to 93.6       2.9   118 kB       18 s"
    ]
    assert all(len(line) <= 80 for line in lines)


def test_a_rung_that_was_not_tried_says_so(make: Any) -> None:
    skipped = make.rung("ensemble", 0.9, 1, 1, 1).model_copy(
        update={"accuracy": None, "state": "skipped", "why": "The budget was used up."}
    )
    line = ladder_lines([skipped], ASCII)[1].plain
    assert line == "   ensemble  skipped: The budget was used up."
    assert rung_line(skipped) == "ensemble: skipped. The budget was used up."


def test_rows_fill_while_they_are_made(make: Any) -> None:
    climb = Climb(("majority", "linear"), clock=Clock())
    assert [line.plain.strip() for line in climb.lines(80, UNICODE)[1:3]] == ["majority", "linear"]
    done = climb.observe(
        Progress("rung", "Made majority.", 0.5, 10, make.card().ladder[0].model_dump(mode="json"))
    )
    assert done == make.card().ladder[0]
    lines = [line.plain for line in climb.lines(80, UNICODE)]
    assert "1.3 %  0.5 to 2.1" in lines[1]
    assert lines[2].strip() == "linear"
    assert lines[-2] == "Made majority."
    assert lines[-1] == "█" * 15 + "░" * 15 + "  50 %, about 10 s left"


def test_a_kind_of_a_planned_rung_takes_its_row(make: Any) -> None:
    climb = Climb(("encoder", "ensemble"), clock=Clock())
    climb.observe(Progress("rung", "", data={"name": "ensemble"}))
    climb.observe(Progress("rung", "", data={"rung": make.card().ladder[3]}))
    climb.observe(Progress("rung", "", data={"name": "ensemble"}))
    lines = [line.plain.split() for line in climb.lines(80, UNICODE)]
    assert lines[1][1] == "encoder-int8"
    assert lines[2] == ["ensemble", "being", "made"]


def test_a_rung_that_was_not_planned_has_a_row_too(make: Any) -> None:
    climb = Climb(("linear",), clock=Clock())
    climb.observe(Progress("rung", "", data={"rung": make.card().ladder[3]}))
    assert "encoder-int8" in climb.lines(80, UNICODE)[2].plain


def test_time_left_runs_down_between_reports() -> None:
    clock = Clock()
    climb = Climb((), clock=clock)
    climb.observe(Progress("eval", "Asking.", 0.5, 10.0))
    clock.now += 4
    assert climb.seconds_left() == 6.0
    clock.now += 40
    assert climb.seconds_left() == 0.0
    climb.observe(Progress("eval", "Asking."))
    assert climb.seconds_left() is None


def test_rate_and_time_left_follow_from_how_far_it_has_come() -> None:
    clock = Clock()
    climb = Climb((), clock=clock)
    climb.observe(Progress("encode", "Encoding.", 0.1, data={"of": 10_000}))
    assert climb.rate == ""
    assert climb.seconds_left() is None
    clock.now += 2
    climb.observe(Progress("encode", "Encoding.", 0.4, data={"of": 10_000}))
    assert climb.rate == "1,500 texts/s"
    assert climb.seconds_left() == pytest.approx(4.0)
    assert climb.bar(ASCII).plain.endswith("  40 %, 1,500 texts/s, about 4.0 s left")
    climb.observe(Progress("curve", "Drawing."))
    assert climb.rate == ""
    assert climb.bar(ASCII).plain == "2.0 s so far"


def test_the_next_piece_of_work_starts_from_nothing() -> None:
    clock = Clock()
    climb = Climb((), clock=clock)
    climb.observe(Progress("encode", "Encoding.", 0.9, data={"of": 100}))
    clock.now += 100
    climb.observe(Progress("encode", "Encoding.", 0.1, data={"of": 100}))
    assert climb.rate == ""
    assert climb.seconds_left() is None


def test_choosing_hands_over_the_whole_ladder(make: Any) -> None:
    climb = Climb(("linear",), clock=Clock())
    ladder = [rung.model_dump(mode="json") for rung in make.card().ladder]
    climb.observe(Progress("choose", "Chosen.", data={"name": "encoder-int8", "ladder": ladder}))
    assert list(climb.rungs.values()) == list(make.card().ladder)


def test_data_of_another_shape_is_no_rung() -> None:
    climb = Climb(())
    assert climb.observe(Progress("rung", "", data={"name": "x", "state": "odd"})) is None
    assert climb.observe(Progress("rung", "", data={"rung": 3})) is None


def test_the_bar_tells_what_is_known() -> None:
    assert progress_bar(None, None, UNICODE).plain == ""
    assert progress_bar(None, 90, UNICODE).plain == "about 1 min 30 s left"
    assert progress_bar(1.0, None, ASCII, rate="5 texts/s").plain == "#" * 30 + "  100 %, 5 texts/s"
