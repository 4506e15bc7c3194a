"""``metier find --eval``: rounds, evidence and the next command; a choice that lost is code 1."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

import made_up
import workshop
from metier.assembly import Metier
from metier.card import Verdict
from metier.cli import main
from metier.cli.session import Session
from metier.cli.terminal import UNICODE
from metier.cli.trying import Effort, tried_lines
from metier.examine.tried import LeftOut, Tried


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metier]:
    home = tmp_path_factory.mktemp("find")
    metier = workshop.opened(home)
    for name, rows in (("poor", 3), ("good", 50)):
        data = made_up.write(home / f"{name}.jsonl", made_up.rows(rows, seed=rows, noise=0.0))
        recipe = workshop.recipe(metier, data, name=name, curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": ("linear",)})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    yield metier
    metier.close()


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = made_up.rows(30, seed=77, noise=0.0)
    return made_up.write(tmp_path_factory.mktemp("rows") / "mine.jsonl", rows)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(opened: Metier, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words], obj=Session(lambda: opened))
        told = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, told.out, told.err

    return command


def test_the_best_is_shown_with_rounds_evidence_and_the_next_command(run: Run, mine: Path) -> None:
    code, out, err = run("find", "--eval", mine, "--budget", "200", "--against", "tiny")
    assert code == 0
    assert out.startswith("mine.jsonl: 120 texts with 4 labels (columns text, label), scored by")
    assert "round  tried  questions  best" in out
    assert "scored again on" in out
    assert "Better than tiny by" in out
    assert "good is better than always saying '" in " ".join(out.split())
    assert "overlaps the rows that good was trained on" in " ".join(out.split())
    assert out.splitlines()[-1] == "metier run good"
    assert "Round 1: 2 of 3 stay after" in err


def test_json_is_one_document(run: Run, mine: Path) -> None:
    code, out, _ = run(
        "find", "--eval", mine, "--candidate", "good", "--candidate", "poor", "--json"
    )
    document = json.loads(out)
    assert (code, document["winner"]) == (0, "good")
    assert document["eval"]["recognised"]["kind"] == "labels"
    assert document["said"][1:3] == document["beside"][:2]
    assert document["always"]["value"] < 0.5
    assert {one["name"] for one in document["overlaps"]} == {"good", "poor"}
    assert document["evidence"][-1]["against"] == "majority"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--candidate", "good"], "for a search by eval"),
        (["--seed", "3"], "for a search by eval"),
        (["parcels", "--eval", "mine.jsonl"], "no words are searched"),
        (["--eval", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--eval", "mine.jsonl", "--budget", "soon"], "write 200 for"),
    ],
)
def test_what_makes_no_sense_is_the_users_input(run: Run, words: list[str], said: str) -> None:
    code, _, err = run("find", *words)
    assert code == 2
    assert said in err


def test_too_little_to_spend_says_how_much(run: Run, mine: Path) -> None:
    code, _, err = run("find", "--eval", mine, "--budget", "4")
    assert code == 2
    assert "would choose by chance" in err


@pytest.mark.parametrize(
    ("text", "effort"),
    [("200", (200, None)), ("1,000", (1000, None)), ("2m", (None, 120.0)), ("90s", (None, 90.0))],
)
def test_a_budget_is_questions_or_time(text: str, effort: tuple[Any, Any]) -> None:
    assert Effort().convert(text, None, None) == effort
    assert Effort().convert(effort, None, None) == effort


@pytest.mark.parametrize("text", ["0", "-3", "soon", ""])
def test_another_budget_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        Effort().convert(text, None, None)


def lines(tried: Tried, width: int = 100) -> str:
    return "\n".join(line.plain for line in tried_lines(tried, width, UNICODE))


def test_a_choice_that_lost_is_code_1(
    run: Run, mine: Path, opened: Metier, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = opened.find_by_eval(mine, candidates=["good", "poor"])
    lost = replace(
        tried,
        search=replace(tried.search, winner="poor", runner_up="good"),
        evidence=tuple(
            item.model_copy(
                update={
                    "rival_name": "good",
                    "difference": item.difference.model_copy(
                        update={"verdict": Verdict.LOSS, "difference": -0.4}
                    ),
                }
            )
            for item in tried.evidence
        ),
    )
    monkeypatch.setattr(opened, "find_by_eval", lambda *_a, **_k: lost)
    code, out, _ = run("find", "--eval", mine)
    assert code == 1
    assert "poor is not the best of them" in " ".join(out.split())


def test_who_was_left_out_and_hostile_names_are_shown_safely(opened: Metier, mine: Path) -> None:
    tried = opened.find_by_eval(mine, candidates=["good", "poor"])
    many = tuple(LeftOut(f"x{number}", "It is \x1b[31mred\u202e.") for number in range(12))
    text = lines(replace(tried, left_out=many, others=(LeftOut("y", "", "metier pull y"),)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "and 4 more" in text
    assert "y: metier pull y" in text


def test_one_candidate_is_only_scored(opened: Metier, mine: Path) -> None:
    text = lines(opened.find_by_eval(mine, candidates=["good"]), 60)
    assert "round" not in text
    assert "scored again on 1" in " ".join(text.split())
    assert "the only one that was tried" in " ".join(text.split())


def test_labels_are_shown_safely(opened: Metier, mine: Path) -> None:
    tried = opened.find_by_eval(mine, candidates=["good", "poor"])
    chance = tried.evidence[-1].model_copy(update={"rival_name": "always saying '\x1b[31mx\u202e'"})
    text = lines(replace(tried, evidence=(*tried.evidence[:-1], chance)))
    assert "\x1b" not in text
    assert "\u202e" not in text
