"""``metier compare``: two as a sentence, several as groups, the questions on which they differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import workshop
from metier.card import Verdict
from metier.cli import main
from metier.cli.session import Session


def test_compare_says_the_verdict_in_a_sentence(metier: Any) -> None:
    outcome = metier("compare", "banking-intents", "sms-spam", "--on", "x")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == (
        "Better than sms-spam by 2.0 points (+0.3 to +3.7, 3,080 questions, 12 Nov 2026)."
    )


def test_a_loss_is_exit_code_1_in_words_and_in_json(metier: Any, facade: Any, make: Any) -> None:
    lost = make.difference(-0.05, 0.01, Verdict.LOSS)
    facade.comparison = make.evidence("other", lost, rival_name="sms-spam")
    words = ("compare", "banking-intents", "sms-spam", "--on", "x")
    outcome = metier(*words)
    assert outcome.code == 1
    assert "▼ LOSS -5.0 (-6.0 to -4.0)" in outcome.out
    told = metier(*words, "--json")
    assert told.code == 1
    assert told.json()["evidence"]["difference"]["verdict"] == "LOSS"


def test_one_is_not_compared(metier: Any) -> None:
    assert metier("compare", "banking-intents", "--on", "x").code == 2


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("compare")
    metier = workshop.opened(home, base=False)
    data = workshop.tickets(home / "data", train=20, held_out=15)
    for name, rungs in (("words", ("linear",)), ("dull", ("majority",))):
        recipe = metier.recipe_for(data, name=name, curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": rungs})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return home


def told(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and standard output of ``metier compare`` over a real home."""
    session = Session(lambda: workshop.opened(home, base=False))
    with pytest.raises(SystemExit) as ended:
        main(["compare", *words], obj=session)
    return int(ended.value.code or 0), capsys.readouterr().out


def test_several_stand_in_groups(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("words", "dull", "majority")
    code, out = told(home, capsys, *names, "--on", "words", "--json")
    assert code == 0
    groups = {one["name"]: one["group"] for one in json.loads(out)["systems"]}
    assert groups["words"] == 1
    assert groups["dull"] == groups["majority"] == 2
    code, out = told(home, capsys, *names, "--on", "words")
    assert "3 pairs were looked at" in " ".join(out.split())


def test_the_questions_on_which_they_disagree(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("dull", "words", "--on", "words", "--items", "--which", "second")
    code, out = told(home, capsys, *asked, "--limit", "2")
    assert code == 1  # the first of two lost
    assert "words against dull" in out
    assert "expected" in out
    assert "shows all" in out
    code, out = told(home, capsys, *asked, "--json")
    assert code == 1
    document = json.loads(out)
    assert document["disagreements_in_all"] >= len(document["disagreements"]) == 20
