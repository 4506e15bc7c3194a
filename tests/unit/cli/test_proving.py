"""Proving: scores and verdicts on screen and in JSON, a LOSS as exit code 1."""

from __future__ import annotations

from typing import Any

from metier.card import Verdict


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
    assert document["report"]["scores"][0]["value"] == 0.936
    assert document["report"]["evidence"][1]["difference"]["verdict"] == "WIN"


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


def test_an_eval_is_needed(metier: Any) -> None:
    outcome = metier("eval", "banking-intents")
    assert outcome.code == 2
    assert "Missing option '--on'." in outcome.err


def test_check_eval(metier: Any, facade: Any) -> None:
    good = metier("check-eval", "banking77")
    assert good.code == 0
    assert "items        3,080" in good.out
    assert good.out.endswith("No problems found.\n")
    facade.problems = [{"what": "the text is empty.", "where": "item 3", "remedy": "Remove it."}]
    bad = metier("check-eval", "banking77")
    assert bad.code == 1
    assert "1 problem:\n  item 3: the text is empty. What to do: Remove it.\n" in bad.out
    assert metier("check-eval", "banking77", "--json").json()["problems"] == facade.problems
