"""The watch's plot, parsed: a panel a rival, zero, the margin, the days of changed states."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from metier.site.watchplot import MOST_PANELS, watch_plot, watch_values
from metier.watching import Standing, Track


def track(rival: str = "general", difference: float = 0.05, **more: Any) -> Track:
    values = {
        "rival_name": "<b>g</b>",
        "pairs": 100,
        "wins": 9,
        "losses": 4,
        "low": difference - 0.1,
        "high": difference + 0.1,
        "for_it": 1.0,
        "against_it": 1.0,
        "not_worse": 1.0,
        **more,
    }
    return Track(rival, difference=difference, **values)  # type: ignore[arg-type]


def look(day: int, state: str, *tracks: Track) -> tuple[str, Standing]:
    standing = Standing("it", "sha256:1", state, "2026-01-01", "w", tracks=tracks)  # type: ignore[arg-type]
    return f"2026-03-{day:02}T10:00:00Z", standing


LOOKS = [
    look(1, "PROMOTED", track(), track("base", 0.3)),
    look(9, "WATCH", track(difference=-0.02), track("base", 0.29)),
    look(20, "DEMOTED", track(difference=-0.2), track("base", 0.28)),
]


def marks(root: ElementTree.Element, tag: str, style: str) -> list[ElementTree.Element]:
    return [node for node in root.iter(tag) if style in (node.get("class") or "").split()]


def test_each_rival_has_a_panel_with_zero_margin_and_a_step_a_look() -> None:
    root = ElementTree.fromstring(watch_plot(LOOKS, key="w"))
    assert [node.text for node in marks(root, "text", "panel-name")] == [
        "general model: −20.0, 100 pairs",
        "its base: +28.0, 100 pairs",
    ]
    assert len(marks(root, "line", "zero")) == 2
    assert len(marks(root, "rect", "margin")) == 2
    assert len(marks(root, "rect", "sequence")) == 6
    height = float(root.get("height", "0"))
    for node in marks(root, "rect", "sequence"):
        assert 0 <= float(node.get("y", "")) <= height
        assert 0 <= float(node.get("x", "")[:-1]) <= 100


def test_each_change_of_state_is_a_line_with_its_name() -> None:
    root = ElementTree.fromstring(watch_plot(LOOKS, key="w"))
    assert [node.text for node in marks(root, "text", "change")] == ["PROMOTED", "WATCH", "DEMOTED"]
    assert len(marks(root, "line", "change")) == 3
    assert len(marks(root, "line", "demoted")) == 1
    same = ElementTree.fromstring(watch_plot([LOOKS[0], LOOKS[0]], key="w"))
    assert len(marks(same, "line", "change")) == 1


def test_one_look_is_a_row_and_no_sequence_and_none_is_nothing() -> None:
    one = watch_values(LOOKS[:1])
    assert one is not None
    assert one["drawing"] == ""
    assert one["rows"][0] == {
        "moment": "1 Mar 2026, 10:00 UTC",
        "state": "PROMOTED",
        "against": "general model",
        "difference": "+5.0",
        "interval": "−5.0 to +15.0",
        "pairs": "100",
    }
    assert watch_values([]) is None
    assert watch_values([look(1, "WATCH", track(pairs=0))]) is None


def test_fresh_items_have_panels_of_their_own_and_few_are_drawn() -> None:
    rivals = ("general", "base", "base+documents")
    tracks = [track(rival, fresh=fresh) for rival in rivals for fresh in (False, True)]
    looks = [look(1, "WATCH", *tracks), look(2, "WATCH", *tracks)]
    root = ElementTree.fromstring(watch_plot(looks, key="w"))
    names = [node.text or "" for node in marks(root, "text", "panel-name")]
    assert len(names) == MOST_PANELS
    assert names[-1].startswith("general model, fresh:")
    values = watch_values(looks)
    assert values is not None
    assert "items newer than either system" in values["caption"]
    assert "<b>g</b>" in values["caption"]
    assert "<b>" not in values["drawing"]
