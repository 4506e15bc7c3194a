"""Timelines over a real home: records taken in once, tables, evidence, and what is left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import made_up
from metier.assembly import Metier, timelines
from metier.errors import NotFoundError
from metier.overtaking import Point, Timeline
from metier.recipe import ChatRecipe
from metier.reference import Digest
from metier.settings import Settings
from metier.watching import Standing
from workshop import opened

RECIPE = """
[specialist]
name = "helper"
task = "chat"
domain = "svelte"

[answer]
prompt = "You write Svelte."
"""
TASKS = ("a", "b", "c", "d", "e", "f")


def answer(model: str, date: str, task: str, passed: bool, n: int = 0) -> dict[str, Any]:
    return {
        "date": date,
        "model": model,
        "docs_in_prompt": False,
        "task": task,
        "passed": passed,
        "answer": f"{model} {n}",
        "error": None,
    }


ROWS = [
    *(answer("old", "2025-05-01", task, task in "ab") for task in TASKS),
    *(answer("new", "2025-09-01", task, True) for task in TASKS),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Metier]:
    pins, mirror = tmp_path / "pins", tmp_path / "mirror"
    pins.mkdir()
    mirror.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    (mirror / "rows.jsonl").write_bytes(lines)
    (pins / "bench.toml").write_text(
        'title = "Bench"\neval = "bench"\nsource = "o/n"\nlicence = "MIT"\njudged = ""\n'
        '[left_out]\nf = "unsound"\n[data]\nkind = "file"\npath = "none"\n'
        f'converter = "svelte-bench-json-v1"\nrows_sha256 = "{hashlib.sha256(lines).hexdigest()}"\n'
    )
    monkeypatch.setattr(timelines, "HISTORIES", pins)
    metier = Metier.open(Settings(home=tmp_path / "home", mirror=mirror))
    metier.make(ChatRecipe.from_toml(RECIPE), folder=tmp_path)
    yield metier
    metier.close()


def entry(number: int, parts: list[str], value: float, *, recorded: bool = False) -> dict[str, Any]:
    ends = {"low": value - 0.1, "high": value + 0.1, "level": 0.95}
    return {
        "number": number,
        "name": " + ".join(["remote:x", *parts]),
        "parts": parts,
        "recorded": recorded,
        "score": {
            "metric": "passed",
            "value": value,
            "interval": ends,
            "n": 5,
            "clusters": 5,
            "unscored": 0,
        },
    }


def table(metier: Metier, eval_name: str, *entries: dict[str, Any]) -> None:
    body = {
        "format": "metier.table/1",
        "eval": eval_name,
        "fingerprint": "sha256:" + "1" * 64,
        "date": "2025-07-01",
        "rows": list(entries),
    }
    metier.ledger.append("result", "helper", Digest.of(eval_name.encode()), body)


def roles(one: Timeline) -> list[tuple[str, str]]:
    return [(point.name, point.role) for point in one.points]


def test_a_record_is_taken_in_once_and_marked_as_recorded(home: Metier) -> None:
    (found,) = home.timelines.take("helper", "bench")
    assert roles(found) == [("old", "general"), ("new", "general")]
    assert all(point.recorded for point in found.points)
    assert found.champion is None
    assert found.measure == "metier eval helper --on bench --base REF"
    rows = len(home.ledger.rows())
    home.timelines.take("helper", "bench")
    assert len(home.ledger.rows()) == rows
    assert home.timelines.of("helper") is home.timelines.of("helper")
    assert home.timelines.known() == ["bench"]
    with pytest.raises(NotFoundError):
        home.timelines.take("helper", "none")
    with pytest.raises(NotFoundError):
        home.timelines.of("nobody")


def test_a_table_on_the_same_eval_joins_it_and_replays_are_left_out(home: Metier) -> None:
    home.timelines.take("helper", "bench")
    table(
        home,
        "bench",
        entry(1, [], 0.3),
        entry(2, ["docs"], 0.5),
        entry(3, [], 0.9, recorded=True),
    )
    (found,) = home.timelines.of("helper")
    assert roles(found) == [
        ("old", "general"),
        ("remote:x", "general"),
        ("remote:x + docs", "specialist"),
        ("new", "general"),
    ]
    assert found.champion is not None
    assert found.champion.score == 0.5
    assert found.passed is not None
    assert (found.passed.name, found.passed.how) == ("new", "point")
    assert found.source is not None


def test_each_eval_has_its_own_the_richest_first(home: Metier) -> None:
    home.timelines.take("helper", "bench")
    for name in ("one", "two", "six"):
        table(home, name, entry(1, [], 0.3), entry(2, ["tools"], 0.2))
    found = home.timelines.of("helper")
    assert [one.eval for one in found] == ["bench", "one", "two"]
    assert found[1].passed is not None
    assert found[1].source is None


def test_a_classifier_stands_beside_its_base_and_its_predecessors(tmp_path: Path) -> None:
    metier = opened(tmp_path / "home", base=False)
    rows = made_up.write(tmp_path / "rows.jsonl", made_up.rows(30))
    metier.make(metier.recipe_for(rows, name="help", budget=20.0, curve=False), folder=tmp_path)
    card = metier.show("help").classifier
    assert card is not None
    assert metier.timelines.of("help") == (), "only always saying the commonest label"
    known = card.evidence[0]

    def add(**changes: Any) -> None:
        body = known.model_copy(update=changes).model_dump(mode="json")
        metier.ledger.append("evidence", "help", Digest.of(b"x"), body)

    add(against="base", rival_name="some-base", rival="sha256:" + "4" * 64)
    add(against="other", rival_name="help@previous", rival="sha256:" + "5" * 64)
    add(system="sha256:" + "2" * 64, date="2026-01-02")
    metier.ledger.append("evidence", "help", Digest.of(b"x"), {"of": "another version"})
    (found,) = metier.timelines.of("help")
    assert found.eval == "its sealed questions"
    assert [point.role for point in found.points] == ["earlier", "base", "specialist"]
    assert found.points[0].date == "2026-01-02"
    assert found.champion is not None
    assert found.champion.score == known.score.value
    base = found.points[1]
    assert base.ahead is not None
    assert base.ahead[1] == -known.difference.difference
    assert metier.timelines.looks("help") == ()
    metier.close()


def test_looks_of_the_watch_are_those_at_what_is_installed(home: Metier) -> None:
    from metier.assembly.outcomes import record_standing

    own = str(home.show("helper").system)
    for system in (own, "sha256:" + "3" * 64):
        record_standing(home.ledger, Standing("helper", system, "WATCH", "2026-01-01", "why"))
    ((_, standing),) = home.timelines.looks("helper")
    assert standing.system == own


def test_points_are_plain_values(home: Metier) -> None:
    (found,) = home.timelines.take("helper", "bench")
    first: Point = found.points[0]
    assert (first.score, first.n, first.clusters) == (0.4, 5, 5)
    assert dict(first.by_cluster)["a"] == 1.0
