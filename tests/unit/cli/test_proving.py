"""Proving: scores and verdicts on screen and in JSON, a LOSS as exit code 1."""

from __future__ import annotations

from typing import Any

from metier.errors import UnavailableError


def test_eval_shows_scores_and_bars(metier: Any, facade: Any) -> None:
    words = ("--on", "banking77", "--against", "base", "--against", "general")
    outcome = metier("eval", "banking-intents", *words)
    assert outcome.code == 0
    assert "accuracy  93.6 %  92.7 to 94.5  3,080 questions" in outcome.out
    assert "▲ WIN +31.3" in outcome.out
    assert facade.calls[0] == (
        "evaluate",
        {"name": "banking-intents", "on": "banking77", "against": ("base", "general")},
    )


def test_eval_json(metier: Any) -> None:
    document = metier("eval", "banking-intents", "--on", "x", "--json").json()
    assert document["scores"][0]["value"] == 0.936
    assert document["evidence"][1]["difference"]["verdict"] == "WIN"


def test_an_eval_is_needed(metier: Any) -> None:
    outcome = metier("eval", "banking-intents")
    assert outcome.code == 2
    assert "Missing option '--on'." in outcome.err


def test_check_eval_says_what_it_holds_and_can_show(metier: Any, facade: Any) -> None:
    outcome = metier("check-eval", "banking77")
    assert outcome.code == 0
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert lines[0] == "banking77"
    assert "questions 100 in 100 groups" in lines
    assert "rarest label 0, 20 questions" in lines
    assert any(line.startswith("can show ") and "10 % of the answers" in line for line in lines)
    assert any(line.startswith("Warning: 100 items cannot show less than") for line in lines)
    assert metier("check-eval", "banking77", "--json").json()["items"] == 100


def test_a_stopped_eval_says_what_is_kept(metier: Any, facade: Any) -> None:
    facade.failure = UnavailableError("The eval was stopped.", code="cancelled")
    outcome = metier("eval", "banking-intents", "--on", "x")
    assert outcome.code == 130
    assert "The answers so far are kept." in outcome.err


def test_what_is_for_chat_specialists_is_refused_elsewhere(metier: Any) -> None:
    for words in (("--base", "remote:x"), ("--with", "docs"), ("--samples", "2"), ("--fresh",)):
        outcome = metier("eval", "banking-intents", "--on", "banking77", *words)
        assert outcome.code == 2
        assert f"{words[0]} is for chat specialists" in outcome.err
