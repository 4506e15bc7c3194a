"""The pages of a search by eval as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from metier.card import Cost, Evidence, Score
from metier.site import trying
from metier.stats import paired_difference

DIGEST = "sha256:" + "ab" * 32
SHEET = {
    "kind": "labels",
    "source": "mine.jsonl",
    "question": "text",
    "answer": "label",
    "group": None,
    "notes": [],
    "rows": 60,
    "labels": [f"label {number}" for number in range(15)],
}


@dataclass(frozen=True)
class Looked:
    token: str = "t"
    source: str = "mine.jsonl"
    field: dict[str, Any] | None = None
    fields: dict[str, str] | None = None
    problem: str | None = None


def field(**more: Any) -> dict[str, Any]:
    candidates = [
        {"name": "a", "kind": "classifier", "bytes": 1000, "system": DIGEST, "command": "x"},
        {"name": "remote:b", "kind": "service", "bytes": None, "system": DIGEST, "command": "x"},
    ]
    return {"recognised": SHEET, "candidates": candidates, "left_out": [], "others": [], **more}


def evidence(first: list[float], second: list[float]) -> dict[str, Any]:
    score = Score(metric="accuracy", value=0.5, n=len(first), clusters=len(first))
    return Evidence(
        against="other",
        system=DIGEST,
        system_name="a",
        rival=DIGEST,
        rival_name="remote:b",
        eval_fingerprint=DIGEST,
        score=score,
        rival_score=score,
        difference=paired_difference(first, second),
        date="2026-11-23",
        cost=Cost(),
        command="metier find",
    ).model_dump(mode="json")


def result(**more: Any) -> dict[str, Any]:
    return {
        "winner": "a",
        "runner_up": "remote:b",
        "settled": True,
        "said": ["a: 90.0 %, scored again on 20 untouched questions.", "Better."],
        "act": "metier run a",
        "rounds": [round_()],
        "untouched": {"questions": 20, "scores": []},
        "evidence": [evidence([1.0] * 20, [0.0] * 20)],
        "candidates": field()["candidates"],
        "left_out": [],
        "failures": [],
        "others": [],
        "again": 0,
        "eval": {"scorer": "accuracy", "recognised": SHEET},
        **more,
    }


def round_() -> dict[str, Any]:
    row = {"scored": 9, "behind": 0.3, "p_value": 0.01, "told_apart": True}
    return {
        "number": 1,
        "asked": 9,
        "total": 9,
        "standings": [
            {"name": "a", "score": 0.9, "kept": True, "why": "", **row},
            {"name": "remote:b", "score": 0.6, "kept": False, "why": "behind", **row},
            {"name": "c", "score": None, "kept": False, "why": "unscored", **row},
        ],
    }


def job(**more: Any) -> dict[str, Any]:
    return {"id": "1", "state": "done", "page": "/jobs/1", "rungs": [], "result": None, **more}


def test_an_empty_form() -> None:
    values = trying.form(Looked(token="", source=""), [])
    assert values["sheet"] is None
    assert values["candidates"] == []


def test_what_was_recognised_is_said_in_words() -> None:
    values = trying.form(Looked(field=field()), [])
    assert values["sheet"]["what"] == "60 texts with 15 labels"
    assert values["sheet"]["more_labels"] == 3
    assert "about 20 of them will be left untouched" in values["sheet"]["few"]
    assert [one["chosen"] for one in values["candidates"]] == [True, False], (
        "a service is asked for"
    )
    answers = {**SHEET, "kind": "answers", "labels": [], "rows": 200}
    told = trying.form(Looked(field=field(recognised=answers)), [])["sheet"]
    assert told["what"] == "200 questions with answers"
    assert trying.form(Looked(field=field(recognised=answers)), [])["instead"]["href"].startswith(
        "/?task=chat"
    )
    assert told["few"] == ""


def test_what_was_ticked_stays_ticked() -> None:
    looked = Looked(field=field(), fields={"candidates": "remote:b"})
    assert [one["chosen"] for one in trying.form(looked, [])["candidates"]] == [False, True]


def test_rounds_so_far_are_those_of_the_job() -> None:
    steps = [{"name": "round 2", **round_(), "number": 2}, {"name": "round 1", **round_()}]
    values = trying.job(job(state="running", rungs=[*steps, {"name": "linear"}]))
    assert [one["number"] for one in values["rounds"]] == [1, 2]
    assert values["live"]
    assert values["result"] is None
    fates = [row["fate"] for row in values["rounds"][0]["rows"]]
    assert fates == [
        "stayed",
        "dropped, 30.0 points behind, told apart",
        "dropped: too few answers could be scored",
    ]


@pytest.mark.parametrize(
    ("changed", "fate"),
    [
        ({}, "did best on"),
        ({"settled": False}, "was chosen, and lost on"),
        ({"evidence": [evidence([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])]}, "was chosen on"),
        ({"evidence": []}, "was chosen on"),
        ({"only": "can answer"}, "is the only one that can answer"),
        ({"only": "was tried"}, "is the only one that was tried on"),
    ],
)
def test_the_heading_claims_no_more_than_was_shown(changed: dict[str, Any], fate: str) -> None:
    assert trying.job(job(result=result(**changed)))["result"]["fate"] == fate


def test_chance_and_training_rows_stand_beside_the_score() -> None:
    lines = ["a: 90.0 %.", "Always saying 'food' gets 58.3 %.", "Whether a was trained.", "Better."]
    shown = trying.job(job(result=result(said=lines, beside=lines[1:3])))["result"]
    assert shown["lead"] == lines[:3]
    assert shown["said"] == ["Better."]


def test_the_next_act_is_there() -> None:
    values = trying.job(job(result=result()))["result"]
    assert values["page"] == "/specialists/a"
    assert (values["compare"], values["compare_page"]) == ("", "")
    both = field()["candidates"]
    both[1] = {**both[1], "kind": "classifier"}
    labels = trying.job(job(result=result(candidates=both)))["result"]
    assert labels["compare"] == "metier compare a remote:b --on mine.jsonl"
    assert labels["compare_page"] == "/compare?name=a&name=remote%3Ab"
    away = trying.job(job(result=result(winner="remote:b", runner_up="a")))["result"]
    assert away["page"] == ""


def test_questions_that_were_trained_on_are_owned_up_to() -> None:
    whole, rest = evidence([1.0] * 20, [0.0] * 20), evidence([1.0] * 15, [0.0] * 15)
    leaked = {**whole, "without_leaks": rest["difference"]}
    (row,) = trying.job(job(result=result(evidence=[leaked])))["result"]["evidence"]
    assert row.note.startswith("5 of them are among training rows, so no WIN is given. Without")


def test_evidence_has_its_bar_and_its_questions() -> None:
    (row,) = trying.job(job(result=result()))["result"]["evidence"]
    assert row.sentence == "20 untouched questions, 23 Nov 2026."
    assert row.bar.startswith("<svg")
    short = evidence([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])
    (few,) = trying.job(job(result=result(evidence=[short])))["result"]["evidence"]
    assert "It would take about " in few.sentence
