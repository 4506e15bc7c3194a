from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from metier.card import Card, Difference, Interval, Score, Verdict
from metier.errors import CorruptError

SCORE = {"metric": "accuracy", "value": 0.9, "n": 100, "clusters": 100}


def document(**changes: Any) -> dict[str, Any]:
    """The smallest card, as JSON."""
    card: dict[str, Any] = {
        "name": "triage",
        "version": "1",
        "labels": ["a", "b"],
        "rung": "linear",
        "why": "It is as good as the best.",
        "rows": [{"role": "specialist", "name": "triage", "score": SCORE}],
        "scores": [SCORE],
        "evidence": [evidence("base"), evidence("majority")],
        "ladder": [{"name": "linear", "title": "Linear", "state": "chosen"}],
        "leaks": {
            "eval_items": 100,
            "leaked": 0,
            "share": 0.0,
            "by_kind": {},
            "duplicate_train_rows": 0,
            "conflicting_labels": 0,
            "blocks_win": False,
            "method": "exact",
        },
        "data": {
            "train_rows": 400,
            "eval_rows": 100,
            "labels": 2,
            "smallest_class": 50,
            "largest_class": 350,
            "train_digest": "sha256:0",
            "eval_digest": "sha256:1",
            "source": "tickets.csv",
        },
        "recipe_id": "sha256:2",
        "build_id": "sha256:3",
        "system": "sha256:4",
        "seed": 0,
        "made": "2026-11-23T00:00:00Z",
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "machine": {"processor": "x", "cores": 2, "system": "Linux", "python": "3.11"},
        "cost": {},
    }
    return card | changes


def evidence(against: str) -> dict[str, Any]:
    return {
        "against": against,
        "system": "sha256:4",
        "system_name": "triage",
        "rival": "sha256:5",
        "rival_name": against,
        "eval_fingerprint": "sha256:6",
        "score": SCORE,
        "rival_score": SCORE,
        "difference": {
            "verdict": "NOT WORSE",
            "difference": 0.0,
            "interval": {"low": -0.005, "high": 0.02},
            "n": 100,
            "clusters": 100,
            "discordant": 3,
            "method": "paired t",
        },
        "date": "2026-11-23",
        "command": "metier compare triage base --on eval",
    }


def card(**changes: Any) -> Card:
    return Card.from_bytes(json.dumps(document(**changes)).encode())


def test_a_card_survives_the_round_trip() -> None:
    first = card()
    assert Card.from_bytes(first.to_bytes()) == first
    assert Card.from_bytes(first.to_bytes()).to_bytes() == first.to_bytes()
    assert json.loads(first.to_bytes()) == first.to_dict()


def test_evidence_is_found_by_the_rival() -> None:
    found = card().against("majority")
    assert found
    assert found.rival_name == "majority"
    assert found.difference.verdict is Verdict.NOT_WORSE
    assert card().against("general") is None


def test_the_headline_is_the_accuracy() -> None:
    headline = card().accuracy()
    assert headline
    assert headline.value == 0.9
    assert card(scores=[SCORE | {"metric": "macro_f1"}]).accuracy() is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"format": 2}, "format"),
        ({"seconds": "soon"}, "seconds"),
        ({"stars": 5}, "stars"),
        ({"ladder": [{"name": "x", "title": "X", "state": "best"}]}, "ladder.0.state"),
    ],
)
def test_a_broken_card_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(CorruptError, match=field) as caught:
        card(**changes)
    assert caught.value.code == "bad_card"


def test_bytes_that_are_no_json_are_refused() -> None:
    with pytest.raises(CorruptError):
        Card.from_bytes(b"\x80\x04pickle")


def test_values_are_frozen() -> None:
    score = Score(metric="accuracy", value=0.5, n=10, clusters=10)
    with pytest.raises(ValidationError):
        score.value = 1.0  # type: ignore[misc]


def test_a_verdict_is_one_of_five_words() -> None:
    assert [str(verdict) for verdict in Verdict] == [
        "WIN",
        "LOSS",
        "TIE",
        "NOT WORSE",
        "UNDERPOWERED",
    ]
    with pytest.raises(ValidationError):
        Difference(
            verdict="BETTER",  # type: ignore[arg-type]
            difference=0.1,
            interval=Interval(low=0.0, high=0.2),
            n=1,
            clusters=1,
            discordant=1,
            method="x",
        )
