"""The rungs over a base: int8 only where it is not worse, and reasons where there is none."""

from __future__ import annotations

import time

import pytest

from known_vectors import KnownVectors, bases, blind, climb, task, telling
from metier.making import encoders
from metier.making.clock import Clock
from metier.making.encoders import ensemble_members, try_encoder, try_static
from metier.making.learners import hashed, majority
from metier.making.material import HashedWords


def nearly(text: str):
    """As telling, but for one text in eight it says the wrong class."""
    row = int(text.split()[1])
    wrong = f"c{1 - int(text[1])} {row}"
    return telling(wrong if row % 8 == 0 else text)


def views(int8=telling, fp32=telling, static=telling):
    made = {}
    for name, vector in (("int8", int8), ("fp32", fp32), ("static", static)):
        if vector is not None:
            made[name] = KnownVectors(name, vector if name != "x" else blind, 1000)
    return made


def safe(vector):
    """Encoders are first looked at with texts of any kind."""
    return lambda text: vector(text) if text[:1] == "c" and " " in text else [0.0, 0.0, 1.0]


def test_int8_is_used_where_it_answers_as_well() -> None:
    rungs, base = climb(task(600)), bases(views())
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert base.used == "int8"
    assert rungs.rungs["encoder-int8"].state == "tried"
    assert rungs.rungs["encoder"].state == "skipped"
    assert "int8 is not worse" in rungs.rungs["encoder"].why
    assert rungs.learners["encoder-int8"].member.precision == "int8"
    assert base.best() is base.view("int8")


def test_int8_is_used_where_it_answers_better() -> None:
    rungs, base = climb(task(300)), bases(views(fp32=safe(nearly)))
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert base.used == "int8"


def test_int8_that_answers_worse_is_not_used_and_the_loss_is_said() -> None:
    rungs, base = climb(task(300)), bases(views(int8=safe(nearly)))
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert base.used == "fp32"
    skipped = rungs.rungs["encoder-int8"]
    assert skipped.state == "skipped"
    assert "not shown as good: -1" in skipped.why
    assert rungs.learners["encoder"].member.precision == "fp32"
    assert base.best() is base.view("fp32")


def test_too_few_rows_to_tell_are_no_proof_for_int8() -> None:
    rungs, base = climb(task(60)), bases(views())
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert base.used == "fp32"


def test_a_rare_label_is_in_the_trial(monkeypatch) -> None:
    monkeypatch.setattr(encoders, "TRIAL_ROWS", 50)
    rare = climb(task(2_000))
    rare.task.classes[:] = 0
    rare.task.classes[[11, 500, 1_203]] = 1
    rare.task.folds[[11, 500, 1_203]] = [0, 1, 2]
    try_encoder(rare, bases(views()), reserve=0.0, eval_items=10)
    assert "rows)" in rare.rungs["encoder-int8"].why + rare.rungs["encoder"].why


def test_a_base_without_int8_is_used_in_full() -> None:
    rungs, base = climb(task()), bases(views(int8=None))
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert base.used == "fp32"
    assert "no int8 view" in rungs.rungs["encoder-int8"].why


def test_the_trial_is_on_a_part_of_many_rows(monkeypatch) -> None:
    monkeypatch.setattr(encoders, "TRIAL_ROWS", 60)
    made = views(int8=safe(nearly))
    rungs, base = climb(task(300)), bases(made)
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    encoded = {text for batch in made["int8"].asked for text in batch}
    assert len(encoded) <= 60 + encoders.SAMPLE
    assert {text[:2] for text in encoded} == {"c0", "c1"}
    assert "60 rows" in rungs.rungs["encoder-int8"].why


def test_without_a_base_every_rung_over_it_says_so() -> None:
    rungs, base = climb(task()), bases({}, reference=None)
    try_static(rungs, base, reserve=0.0)
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert {rung.state for rung in rungs.rungs.values()} == {"skipped"}
    assert all("no base is installed" in rung.why for rung in rungs.rungs.values())
    assert base.best() is None
    assert base.best_size() == 0
    assert base.name == "no base"


def test_a_base_without_a_view_leaves_the_rung_out_and_raises_nothing() -> None:
    rungs, base = climb(task()), bases({})
    try_static(rungs, base, reserve=0.0)
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert "no static view" in rungs.rungs["static"].why
    assert "no fp32 view" in rungs.rungs["encoder"].why
    assert base.best() is None


def test_no_time_for_the_trial_is_said(monkeypatch) -> None:
    clock = Clock(1e-6)
    time.sleep(0.001)
    rungs, base = climb(task(), clock=clock), bases(views(), clock=clock)
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert "no time" in rungs.rungs["encoder-int8"].why
    assert rungs.rungs["encoder"].state == "stopped"
    assert base.used is None


def test_a_spent_budget_has_no_time_for_the_row_of_the_base() -> None:
    texts = task().texts
    clock = Clock(1e-6)
    time.sleep(0.001)
    spent = bases(views(), clock=clock)
    assert not spent.has_time(1, texts)
    spent.used = "fp32"
    assert spent.has_time(10**9, texts)
    assert bases(views()).has_time(10**9, texts)
    tight = bases(views(), clock=Clock(60.0))
    assert tight.has_time(1, texts)
    assert not tight.has_time(10**12, texts)


def test_a_view_is_opened_once() -> None:
    made = views()
    base = bases(made)
    assert base.view("fp32") is base.view("fp32")


def test_long_encoding_is_told_and_can_be_stopped() -> None:
    heard = []
    base = bases(views(), report=heard.append)
    base.view("static").encode([f"c0 {row}" for row in range(1_200)])
    assert [item.stage for item in heard] == ["encode"]
    assert heard[0].data["of"] == 1_200


@pytest.mark.parametrize(
    ("good", "expected"), [("static", ("linear", "static")), ("encoder", ("linear", "encoder"))]
)
def test_the_ensemble_takes_hashed_words_and_the_best_over_the_base(good, expected) -> None:
    made = views(
        int8=None,
        fp32=telling if good == "encoder" else blind,
        static=telling if good == "static" else blind,
    )
    rungs, base = climb(task()), bases(made)
    assert ensemble_members(rungs) == ()
    rungs.try_learner(majority(2), reserve=0.0)
    rungs.try_learner(hashed(HashedWords(rungs.task.texts, 2), 2), reserve=0.0)
    assert ensemble_members(rungs) == ()
    try_static(rungs, base, reserve=0.0)
    try_encoder(rungs, base, reserve=0.0, eval_items=10)
    assert ensemble_members(rungs) == expected
