"""The card's figures: taken from the proved specialist, and what stands beside the weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import made_up
import workshop
from metier.evals.items import read_eval
from metier.evals.results import Result, ResultItem, Timings
from metier.making.carding import cost_class, recipe_toml, results_parts
from metier.making.proving import Proof
from metier.recipe import Recipe


@pytest.fixture(scope="module")
def scoped(tmp_path_factory):
    """A specialist with an out-of-scope label, its card and its sealed items."""
    home = tmp_path_factory.mktemp("carding")
    metier = workshop.opened(home, base=False)
    train = made_up.rows(25, noise=0.3) + made_up.outside(120)
    held = made_up.rows(15, seed=77) + made_up.outside(60, seed=5)
    rows = [{**row, "split": "train"} for row in train] + [{**row, "split": "test"} for row in held]
    data = made_up.write(home / "rows.jsonl", rows)
    recipe = workshop.recipe(metier, data, name="scoped", curve=False)
    part = recipe.specialist.model_copy(update={"out_of_scope_label": "none"})
    # So much is asked of the answers that some in-scope items get none.
    answer = recipe.answer.model_copy(update={"target_accuracy": 0.999})
    card = metier.make(
        recipe.model_copy(update={"specialist": part, "answer": answer}), folder=home
    )
    kept = home / "evals" / f"{card.data.eval_digest.removeprefix('sha256:')}.jsonl"
    return metier, card, read_eval(kept)


def test_every_figure_can_be_taken_again_from_the_installed_specialist(scoped) -> None:
    metier, card, sealed = scoped
    guesses = metier.classify("scoped", [item.text for item in sealed.items])
    inside = np.array([item.label != "none" for item in sealed.items])
    best = np.array([guess.best for guess in guesses])
    truth = np.array([item.label for item in sealed.items])
    refused = np.array([guess.out_of_scope for guess in guesses])
    said = np.where(refused, "none", best)
    assert any(guess.abstained and not guess.out_of_scope for guess in guesses)
    scores = {score.metric: score for score in card.scores}
    assert scores["accuracy"].value == pytest.approx((said == truth).mean())
    assert scores["accuracy_in_scope"].value == pytest.approx((best == truth)[inside].mean())
    assert scores["accuracy_in_scope"].n == inside.sum() == 60
    out = card.out_of_scope
    assert (out.n_in, out.n_out) == (60, 60)
    assert out.recall == pytest.approx(refused[~inside].mean())
    energies = np.array([guess.energy for guess in guesses])
    wins = (energies[inside][:, None] > energies[~inside][None, :]).mean()
    ties = (energies[inside][:, None] == energies[~inside][None, :]).mean()
    assert out.auroc == pytest.approx(wins + ties / 2)
    assert card.calibration.n == 60


def test_the_worst_labels_are_the_worst_first(scoped) -> None:
    _, card, _ = scoped
    means = [mean for _, mean, _ in card.worst_labels]
    assert means == sorted(means)


def test_there_is_no_base_on_the_card_of_what_needs_none(scoped) -> None:
    _, card, _ = scoped
    assert card.base is None
    assert card.cost.shared_bytes == 0
    assert card.cost.cost_class == "this machine, up to 1 GB"


def test_the_bytes_on_the_card_are_the_bytes_in_the_store(scoped) -> None:
    metier, card, _ = scoped
    answering = ("specialist.json", "linear.safetensors")
    parts = {part.filepath: part.size for part in metier.parts("scoped")}
    assert card.cost.size_bytes == sum(parts[name] for name in answering)
    assert (
        metier.show("scoped").system == card.system
        or str(metier.show("scoped").system) == card.system
    )


def test_without_out_of_scope_rows_nothing_is_claimed_of_them(tmp_path) -> None:
    metier = workshop.opened(tmp_path, base=False)
    data = made_up.write(tmp_path / "rows.jsonl", made_up.rows(12))
    card = metier.make(workshop.recipe(metier, data, name="plain", curve=False), folder=tmp_path)
    assert (card.out_of_scope.auroc, card.out_of_scope.recall) == (None, None)
    assert card.out_of_scope.false_alarms == 0.01
    assert "accuracy_in_scope" not in {score.metric for score in card.scores}


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_more_bytes_never_cost_less(one, other) -> None:
    order = [f"this machine, up to {size} GB" for size in (1, 4, 8, 16, 32)]
    order.append("this machine, over 32 GB")
    low, high = sorted((one, other))
    assert order.index(cost_class(low)) <= order.index(cost_class(high))


def test_the_default_base_fits_a_gigabyte() -> None:
    assert cost_class(0) == cost_class(91_000_000) == "this machine, up to 1 GB"
    assert cost_class(400_000_000) == "this machine, up to 1 GB"
    assert cost_class(400_000_001) == "this machine, up to 4 GB"


def test_a_recipe_survives_its_own_writing() -> None:
    recipe = Recipe.model_validate(
        {
            "specialist": {"name": "mine", "out_of_scope_label": 'né "quoted" \\ \n 🦊'},
            "data": [{"kind": "file", "path": "rows with space.csv", "rows_sha256": "0" * 64}],
            "split": {"label": "a.b", "per_class": 3},
            "ladder": {"rungs": ["linear"], "budget_seconds": 1.5, "seed": 7},
        }
    )
    again = Recipe.from_toml(recipe_toml(recipe).decode())
    assert again == recipe
    assert again.recipe_id == recipe.recipe_id


def test_results_and_timings_are_parts_of_their_own() -> None:
    item = ResultItem("a", "a", 1.0, "answer")
    digest = "sha256:" + "1" * 64
    timed = Result(digest, "one", digest, "accuracy", (item,), timings=Timings("2026-11-23"))
    plain = Result(digest, "two", digest, "accuracy", (item,))
    parts = results_parts(Proof((), (), {"specialist": timed, "general-2": plain}))
    assert set(parts) == {
        "results/specialist.jsonl",
        "results/specialist.timings.json",
        "results/general-2.jsonl",
    }
    assert json.loads(parts["results/specialist.timings.json"])["date"] == "2026-11-23"
    assert b"2026-11-23" not in parts["results/specialist.jsonl"]
