"""The climb: what is tried, what is left out and why, and that a budget ends it."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from known_vectors import KnownVectors, blind, climb, task, telling
from metier.engines.parts import Member
from metier.errors import InputError
from metier.making import climbing
from metier.making.climbing import fold_number
from metier.making.clock import Clock
from metier.making.learners import Learner, majority, vectors
from metier.making.material import RememberingEncoder


def learner(vector, name: str = "encoder", size_bytes: int = 91_000_000) -> Learner:
    encoder = RememberingEncoder(KnownVectors(name, vector, size_bytes), lambda done, number: None)
    member = Member(kind="encoder", file="head.safetensors", precision="fp32", encoder=name)
    return vectors(name, f"the {name}", encoder, member, 2)


def test_a_rung_is_scored_on_rows_that_its_heads_have_not_seen() -> None:
    rungs = climb(task())
    assert rungs.try_learner(majority(2), reserve=0.0, always=True)
    assert rungs.try_learner(learner(telling), reserve=0.0)
    scores = {name: rung.accuracy for name, rung in rungs.rungs.items()}
    assert scores["majority"].value <= 0.5
    assert scores["encoder"].value == 1.0
    assert scores["encoder"].n == scores["encoder"].clusters == 120
    # A vector of its own for each text could be learned by heart, and would then be right always.
    rungs = climb(task())
    by_heart = np.random.default_rng(0).normal(size=(120, 400))
    known = {text: by_heart[row] for row, text in enumerate(rungs.task.texts)}
    rungs.try_learner(learner(lambda text: known.get(text, by_heart[0])), reserve=0.0)
    assert rungs.rungs["encoder"].accuracy.value < 0.75


def test_clusters_count_once_in_the_interval() -> None:
    apart = task()
    together = climbing.Task(apart.texts, apart.classes, apart.clusters // 20, apart.folds, 2, 0)
    rungs = climb(together)
    rungs.try_learner(learner(blind), reserve=0.0)
    assert rungs.rungs["encoder"].accuracy.clusters == 6


def test_the_ensemble_costs_no_fit_and_shares_the_base() -> None:
    rungs = climb(task())
    rungs.try_learner(learner(blind, "static", 500), reserve=0.0)
    rungs.try_learner(learner(telling, "encoder", 900), reserve=0.0)
    rungs.try_ensemble(["static", "encoder"])
    mixed = rungs.rungs["ensemble"]
    assert mixed.accuracy.value == 1.0
    assert mixed.shared_bytes == 900
    assert mixed.size_bytes == sum(rungs.rungs[name].size_bytes for name in ("static", "encoder"))
    assert rungs.candidates["ensemble"].members == ("static", "encoder")


def test_the_cheapest_rung_that_is_good_enough_is_chosen_and_every_rung_says_why() -> None:
    heard = []
    rungs = climb(task(), heard=heard)
    rungs.try_learner(majority(2), reserve=0.0, always=True)
    rungs.try_learner(learner(telling, "static", 500), reserve=0.0)
    rungs.try_learner(learner(telling, "encoder", 91_000_000), reserve=0.0)
    rungs.leave_out("ensemble", "ensemble", "it needs two rungs that were tried")
    choice, ladder = rungs.choose(0.01)
    assert choice.name == "static"
    states = {rung.name: rung.state for rung in ladder}
    assert states == {
        "majority": "tried",
        "static": "chosen",
        "encoder": "tried",
        "ensemble": "skipped",
    }
    assert all(rung.why for rung in ladder)
    assert heard[-1].stage == "choose"
    assert [rung["name"] for rung in heard[-1].data["ladder"]] == list(states)


def test_a_spent_budget_stops_every_rung_but_the_one_there_must_be() -> None:
    rungs = climb(task(), clock=Clock(1e-6))
    time.sleep(0.001)
    assert rungs.try_learner(majority(2), reserve=0.0, always=True)
    assert not rungs.try_learner(learner(telling), reserve=0.0)
    stopped = rungs.rungs["encoder"]
    assert stopped.state == "stopped"
    assert "budget" in stopped.why
    assert stopped.accuracy is None
    choice, _ = rungs.choose(0.01)
    assert choice.name == "majority"


def test_what_would_take_too_long_to_encode_is_not_begun() -> None:
    slow = learner(telling)
    rungs = climb(task(), clock=Clock(60.0))
    assert not rungs.try_learner(slow, reserve=10.0, encoding_seconds=55.0)
    assert "55 s" in rungs.rungs["encoder"].why
    assert rungs.try_learner(slow, reserve=1.0, encoding_seconds=55.0)


def test_what_would_take_too_long_to_fit_is_not_begun(monkeypatch) -> None:
    monkeypatch.setattr(climbing, "PROBE", 50)
    fits = []

    def slow_fit(rows, classes, labels, seed):
        fits.append(classes.size)
        time.sleep(0.05)
        return learner(telling).fit(rows, classes, labels, seed)

    patient = learner(telling)
    rungs = climb(task(120), clock=Clock(0.4))
    slow = replace(patient, fit=slow_fit)
    assert not rungs.try_learner(slow, reserve=0.0)
    assert fits == [50]
    assert rungs.rungs["encoder"].state == "stopped"


def test_a_stop_is_heard_between_folds() -> None:
    asked = []
    patient = learner(telling)

    def fit(rows, classes, labels, seed):
        asked.append(True)
        return patient.fit(rows, classes, labels, seed)

    rungs = climb(task(), clock=Clock(cancelled=lambda: bool(asked)))
    with pytest.raises(InputError) as caught:
        rungs.try_learner(replace(patient, fit=fit), reserve=0.0)
    assert caught.value.code == "cancelled"
    assert len(asked) == 1


def test_folds_get_fewer_as_rows_get_many() -> None:
    numbers = [fold_number(rows) for rows in (4, 2_999, 3_000, 49_999, 50_000, 10**6)]
    assert numbers == sorted(numbers, reverse=True)
    assert min(numbers) >= 2
