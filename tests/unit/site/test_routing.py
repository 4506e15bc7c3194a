"""The page of a routing decision as values, and drawn from hostile text."""

from __future__ import annotations

from typing import Any

from metier.server.facade import Here, PageOptions
from metier.site import Site
from metier.site.routing import page_values, score_bar

OPTIONS = PageOptions(Here("http://localhost:1"))
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202egnp'


def decision(**more: Any) -> dict[str, Any]:
    facts = {"tokens": 1200, "code": True, "pictures": 2, "tools": True, "language": "en"}
    return {
        "chosen": "helper", "ground": "domain", "why": "It looks like python.", "domain": "python",
        "score": 0.93, "threshold": 0.61, "margin": 0.9, "next": "tiny", "then": ["tiny", "big"],
        "refused": [{"name": "coder", "why": "It holds no proof for code."}], "remedy": "",
        "scores": [{"domain": "python", "probability": 0.93}, {"domain": "", "probability": 0.02}],
        "id": "route_1", "request": facts, **more,
    }  # fmt: skip


def document(found: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    row = {
        "id": "route_1", "at": "2026-11-23T18:39:48.508+00:00", "chosen": "helper",
        "ground": "domain", "why": "because", "domain": "python", "score": 0.93, "characters": 12,
        "answered_by": "tiny", "tried": ["helper"], "seconds": 0.5,
    }  # fmt: skip
    return {
        "asked": {"q": "text", "task": "", "domain": "", "most_cost": ""}, "pictures": 0,
        "decision": found, "problem": "", "command": "metier route text --explain",
        "names": ["auto", "auto:python"], "domains": ["python"],
        "general": {"name": "tiny", "why": "It is the largest.", "remedy": ""},
        "latest": [row], **more,
    }  # fmt: skip


def test_a_decision_is_laid_out() -> None:
    values = page_values(document(decision()))
    told = values["decision"]
    assert (told["page"], told["ground"]) == ("/specialists/helper", "sure enough of the domain")
    assert [row["name"] for row in told["scores"]] == ["python", "no domain"]
    assert told["facts"] == [
        "1,200 tokens at most",
        "code",
        "2 pictures",
        "tools offered",
        "language en",
    ]
    (row,) = values["latest"]
    assert (row["who"], row["took"], row["at"], row["tried"]) == (
        "tiny",
        "0.50 s",
        "18:39:48",
        ["helper"],
    )


def test_the_line_stands_at_the_threshold() -> None:
    assert 'x1="61%"' in score_bar(0.93, 0.61, first=True)
    assert 'width="93%"' in score_bar(0.93, 0.61, first=True)
    assert "threshold" not in score_bar(0.5, None, first=False)
    assert 'width="0%"' in score_bar(float("nan"), float("inf"), first=False)


def test_it_is_drawn() -> None:
    page = Site().route(document(decision()), OPTIONS)
    assert "helper" in page
    assert "Next would be" in page
    assert "then <bdi>big</bdi>" in page
    assert "It holds no proof for code." in page


def test_nobody_is_drawn_with_what_would_mend_it() -> None:
    nobody = decision(chosen="", ground="nobody", remedy="metier pull NAME", scores=[],
                      threshold=None, then=[], next="")  # fmt: skip
    page = Site().route(document(nobody, names=[], latest=[]), OPTIONS)
    assert "Nobody" in page
    assert "metier pull NAME" in page
    assert "None yet" in page


def test_hostile_text_stays_text() -> None:
    found = decision(
        chosen=EVIL, why=EVIL, next=EVIL, then=[EVIL, EVIL], remedy=EVIL,
        refused=[{"name": EVIL, "why": EVIL}], scores=[{"domain": EVIL, "probability": 0.5}],
    )  # fmt: skip
    more = {
        "asked": {"q": EVIL, "task": EVIL, "domain": EVIL, "most_cost": EVIL},
        "problem": EVIL, "command": EVIL, "names": [EVIL], "domains": [EVIL],
        "general": {"name": EVIL, "why": EVIL, "remedy": EVIL},
    }  # fmt: skip
    page = Site().route(document(found, **more), OPTIONS)
    assert "<script>alert" not in page
    assert "<img" not in page
