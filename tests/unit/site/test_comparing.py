"""The page Compare as values, and drawn from hostile text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from metier.card import Difference, Evidence, Interval, Score, Verdict
from metier.site import Site
from metier.site.comparing import asked_values, page_values

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202egnp'


def evidence(first: str, second: str, value: float = 0.05) -> dict[str, Any]:
    score = Score(metric="accuracy", value=0.9, interval=Interval(low=0.88, high=0.92), n=400,
                  clusters=400)  # fmt: skip
    return Evidence(
        against="other", system="sha256:" + "1" * 64, system_name=first,
        rival="sha256:" + "2" * 64, rival_name=second, eval_fingerprint="sha256:" + "e" * 64,
        score=score, rival_score=score,
        difference=Difference(
            verdict=Verdict.WIN, difference=value, interval=Interval(low=0.01, high=0.09), n=400,
            clusters=400, discordant=40, p_value=0.01, method="m",
        ),
        date="2026-11-23", command="c",
    ).model_dump(mode="json")  # fmt: skip


def document(names: list[str], groups: list[int], **more: Any) -> dict[str, Any]:
    score = {"metric": "accuracy", "value": 0.9, "interval": {"low": 0.88, "high": 0.92,
             "level": 0.95}, "n": 400, "clusters": 400, "unscored": 0}  # fmt: skip
    systems = [
        {"name": name, "group": group, "score": score, "result": "", "date": "2026-11-23",
         "cost": {"ms_per_text": 0.5 + number, "size_bytes": 1000, "shared_bytes": None}}
        for number, (name, group) in enumerate(zip(names, groups, strict=True))
    ]  # fmt: skip
    pairs = [
        {"first": one, "second": other, "told_apart": groups[a] != groups[b],
         "adjusted_p_value": 0.01, "evidence": evidence(one, other)}
        for a, one in enumerate(names) for b, other in enumerate(names) if a < b
    ]  # fmt: skip
    rows = [
        {"id": "1", "text": names[0] * 50, "expected": "a", "answers": [
            {"name": names[0], "answer": "a", "outcome": 1.0},
            {"name": names[1], "answer": None, "outcome": 0.0},
        ]}
    ]  # fmt: skip
    return {
        "evals": [], "able": [], "names": names, "on": "own", "which": "all", "at": 0,
        "page_size": 20, "missing": [], "problem": None, "prompt": "", "command": "metier compare",
        "contrast": {"eval": "", "scorer": "accuracy", "items": 400, "method": "Holm",
                     "leaks_not_looked_for": [], "systems": systems, "pairs": pairs},
        "disagreements": {"total": 45, "first": names[0], "second": names[1], "rows": rows},
        **more,
    }  # fmt: skip


def test_groups_are_said_and_no_ranking_is() -> None:
    one = page_values(document(["a", "b", "c"], [1, 1, 1]))["compared"]
    assert "cannot be told apart" in one["summary"]
    two = page_values(document(["a", "b", "c"], [1, 1, 2]))["compared"]
    assert two["summary"].startswith("a and b cannot be told apart from the best")
    assert [group["number"] for group in two["groups"]] == [1, 2]
    alone = page_values(document(["a", "b", "c"], [1, 2, 2]))["compared"]
    assert "a is told apart from all the others" in alone["summary"]
    pair = page_values(document(["a", "b"], [1, 2]))["compared"]
    assert pair["summary"].startswith("a against b: +5.0 points")
    assert pair["pairs"][0].address == ""


def test_pages_and_filters_keep_the_choice() -> None:
    found = page_values(document(["a", "b"], [1, 1], at=20))["compared"]["disputes"]
    assert found["shown"] == "21 to 40 of 45"
    assert "name=a&name=b&on=own" in found["before"]
    assert "at=40" in found["after"]
    chosen = [one["key"] for one in found["filters"] if one["chosen"]]
    assert chosen == ["all"]
    assert page_values(document(["a", "b"], [1, 1], at=40))["compared"]["disputes"]["after"] == ""


@dataclass(frozen=True)
class Here:
    address: str = "http://127.0.0.1:11434"
    needs_key: bool = False


@dataclass(frozen=True)
class Shown:
    here: Here = Here()
    trial: None = None
    query: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize("groups", [[1, 1, 1], [1, 2, 3]])
def test_hostile_names_and_texts_stay_text(groups: list[int]) -> None:
    found = document([EVIL, "b" * 900, "c"], groups, on=EVIL, command=EVIL, problem=EVIL)
    page = Site().compare(found, Shown())
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert len(page) < 60_000
    form = {**found, "contrast": None, "names": [], "evals": [
        {"name": EVIL, "items": 3, "labels": 2, "owners": [EVIL, "b"], "others": [EVIL + "2"]}
    ], "able": [{"name": EVIL, "task": EVIL}, {"name": "b", "task": "chat"}]}  # fmt: skip
    page = Site().compare(form, Shown())
    assert "<script>alert" not in page
    assert "<img" not in page


def test_hostile_answers_stay_text() -> None:
    duel = {
        "token": "t", "page": "/compare/asked/t", "prompt": EVIL, "blind": True, "hidden": False,
        "vote": "A", "over": True, "vote_kept": False,
        "answers": [
            {"sign": "A", "name": EVIL, "state": "done", "text": EVIL * 10_000, "ms": 2.0,
             "problem": ""},
            {"sign": "B", "name": "b", "state": "failed", "text": "", "ms": 2.0, "problem": EVIL},
        ],
    }  # fmt: skip
    page = Site().asked(duel, Shown())
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "You chose" in page
    assert len(page) < 120_000
    hidden = {**duel, "hidden": True, "vote": "",
              "answers": [{**one, "name": None} for one in duel["answers"]]}  # fmt: skip
    assert asked_values(hidden)["answers"][0]["title"] == "Answer A"
