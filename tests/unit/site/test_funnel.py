"""The funnel: who was tried, where each one left, whatever names hold."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from metier.site import funnel

HOSTILE = "<script>alert(1)</script>\u202e" + "x" * 500


def standing(name: str, score: float | None, *, kept: bool) -> dict[str, Any]:
    return {"name": name, "score": score, "kept": kept}


def rounds(names: list[str]) -> list[dict[str, Any]]:
    """Each round keeps the first half."""
    found, total = [], 5
    while len(names) > 1:
        keep = (len(names) + 1) // 2 if len(names) > 2 else 1
        found.append(
            {
                "number": len(found) + 1,
                "total": total,
                "standings": [
                    standing(name, 0.9 - place / 100, kept=place < keep)
                    for place, name in enumerate(names)
                ],
            }
        )
        names, total = names[:keep], total * 3
    return found


def test_before_the_first_round_there_is_nothing() -> None:
    assert funnel.drawing([], None, key="f") == ""


def test_the_winner_stands_first_and_those_who_left_early_last() -> None:
    names = [f"m{number}" for number in range(8)]
    order = [lane.name for lane in funnel.lanes(rounds(names), "m0")]
    assert order[0] == "m0"
    assert set(order[-4:]) == {"m4", "m5", "m6", "m7"}
    going_on = funnel.lanes(rounds(names)[:1], None)
    assert [lane.kept for lane in going_on] == [True] * 4 + [False] * 4


def test_it_is_svg_with_title_and_description() -> None:
    root = ElementTree.fromstring(funnel.drawing(rounds(["a", "b", "c"]), "a", key="f"))
    assert root.find("title").text == "3 candidates in 2 rounds"
    assert "Round 1: 3 were asked 5 questions each, 2 stayed." in root.find("desc").text
    assert "a was chosen." in root.find("desc").text
    assert root.get("aria-labelledby") == "f-t f-d"


def test_hostile_names_stay_text() -> None:
    drawn = funnel.drawing(rounds([HOSTILE, "b"]), HOSTILE, key="f")
    assert "<script" not in drawn
    assert "x" * 100 not in "".join(
        text.text or "" for text in ElementTree.fromstring(drawn).iter("text")
    )


def test_many_candidates_are_cut() -> None:
    drawn = ElementTree.fromstring(
        funnel.drawing(rounds([f"m{number}" for number in range(60)]), "m0", key="f")
    )
    assert len(list(drawn.iter("g"))) == funnel.MOST_ROWS


def test_a_candidate_without_a_score_has_no_per_cent() -> None:
    only = [{"number": 1, "total": 1, "standings": [standing("a", None, kept=False)]}]
    assert "%</text>" not in funnel.drawing(only, None, key="f")
