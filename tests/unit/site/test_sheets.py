"""The common frame: best and worst labels in words, licences, the parts every kind has."""

from __future__ import annotations

from metier.card import Interval
from metier.evals.mistakes import Confusion, LabelScore, Mistakes, WrongAnswer
from metier.finding import Fit
from metier.server.facade import Here, PageOptions
from metier.server.surroundings import Surroundings
from metier.site import Site, sheets
from metier.site.values import Item
from stand_in.cards import banking, hostile
from stand_in.metier import StandIn

OPTIONS = PageOptions(Here("http://localhost:1"))
HOSTILE = "<img src=x onerror=alert(1)>\u202e"


def known(by: str = "truth") -> Mistakes:
    ends = Interval(low=0.8, high=0.95)
    return Mistakes(
        n=100,
        wrong=12,
        abstained=2,
        truth_known=10 if by == "truth" else 3,
        by="truth" if by == "truth" else "answer",
        best=(LabelScore("card", 0.9, ends, 40),),
        worst=(LabelScore(HOSTILE, 0.5, ends, 10),),
        confusions=(Confusion("card", "rate", 4),),
        examples=(WrongAnswer("1", HOSTILE * 100, "card", None),) if by == "truth" else (),
    )


def test_well_and_badly_in_words() -> None:
    told = sheets.well_and_badly(known())
    assert told is not None
    assert told["summary"] == "12 of 100 answers were wrong; 2 of those were abstentions."
    assert told["best"][0]["interval"] == "80.0 to 95.0"
    assert told["best_title"] == "Labels it knows best"
    assert not told["partly"]
    partly = sheets.well_and_badly(known("answer"))
    assert partly is not None
    assert partly["best_title"] == "Answers to rely on most"
    assert partly["partly"]
    assert sheets.well_and_badly(None) is None


def page_of(item: Item, around: Surroundings) -> str:
    return Site().specialist(item, around, None, OPTIONS)


def test_the_page_shows_them_and_obeys_none(tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    stand_in = StandIn(tmp_path, [banking(), hostile()])
    for name in ("banking-intents", "hostile"):
        parts = stand_in.parts(name)
        around = Surroundings(parts, "[a]\n", stand_in.lineage(name), known(), Fit("yes"))
        page = page_of(stand_in.show(name), around)  # type: ignore[arg-type]
        assert "4</span>" in page
        assert "taken for" in page
        assert "sealed: whoever trains on them" in page
        assert "<img" not in page
        assert "\u202e" not in page
        for anchor in ("try", "call", "evidence", "well", "lineage", "licence", "files"):
            assert f'id="{anchor}"' in page, anchor
        assert page.count("data-copy-digest") == len(parts) + 1


def test_licences_say_whose() -> None:
    said = dict(sheets.licences(banking()))
    assert said["the data"] == "CC-BY-4.0"
    assert "the specialist" in said
