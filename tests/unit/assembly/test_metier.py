"""The façade: a person's whole way, from rows to a proved, exported, remade specialist."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import made_up
import tiny_bert
import workshop
from metier.assembly import Metier, today, toolchain
from metier.card import Card, Verdict
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.messages import Progress
from metier.recipe import Recipe


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def metier(home) -> Metier:
    return workshop.opened(home)


@pytest.fixture(scope="module")
def heard() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def card(metier, home, heard) -> Card:
    data = workshop.tickets(home / "data")
    return metier.make(
        workshop.recipe(metier, data, name="tickets"), folder=home, report=heard.append
    )


def test_the_card_says_what_was_proved(card) -> None:
    accuracy = card.accuracy()
    assert accuracy is not None
    assert accuracy.value > 0.85
    assert accuracy.n == 60
    assert accuracy.interval.low < accuracy.value < accuracy.interval.high
    roles = [row.role for row in card.rows]
    assert roles == ["specialist", "majority", "base", "general"]
    assert card.rows[-1].score is None
    assert card.rows[-1].command
    evidence = card.against("majority")
    assert evidence is not None
    assert evidence.difference.verdict is Verdict.WIN


def test_every_rung_is_on_the_ladder_and_one_is_chosen(card) -> None:
    states = {rung.name: rung.state for rung in card.ladder}
    assert {"majority", "linear", "static", "ensemble"} <= states.keys()
    assert list(states.values()).count("chosen") == 1
    assert states[card.rung] == "chosen"
    assert card.why


def test_curve_calibration_and_thresholds_are_there(card) -> None:
    assert card.curve is not None
    sizes = [point.per_class for point in card.curve.points]
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 4
    assert [crossing.against for crossing in card.curve.crossovers]
    assert card.calibration is not None
    assert 0 <= card.calibration.expected_calibration_error < 0.3
    assert card.abstention is not None
    assert 0 < card.abstention.coverage <= 1


def test_progress_tells_the_stages_in_order(card, heard) -> None:
    stages = list(dict.fromkeys(item.stage for item in heard))
    wanted = ["data", "leaks", "rung", "choose", "eval", "curve", "save", "done"]
    assert [stage for stage in stages if stage in wanted] == wanted
    json.dumps([dict(item.data) for item in heard])


def test_it_answers_with_the_loaded_parts(metier, card) -> None:
    guesses = metier.classify("tickets", ["the parcel is late", "my password was stolen"])
    assert [guess.best for guess in guesses] == ["delivery", "account"]
    assert metier.encodes("tickets") == (card.base is not None and card.rung != "static")


def test_results_can_be_scored_again(metier, card) -> None:
    from metier.evals.results import read_result
    from metier.evals.summary import mean_score

    part = next(
        part for part in metier.parts("tickets") if part.filepath == "results/specialist.jsonl"
    )
    assert mean_score(read_result(part.path)) == card.accuracy()


def test_no_text_of_the_user_is_in_the_artifact(metier, card, home) -> None:
    texts = [row["text"] for row in made_up.rows(40)]
    for part in metier.parts("tickets"):
        content = part.path.read_bytes()
        assert not any(text.encode() in content for text in texts)
        assert str(home).encode() not in content


def test_making_again_gives_the_same_digest(metier, card) -> None:
    found = metier.verify(remake=True)
    assert found["problems"] == []
    (remade,) = found["remade"]
    assert remade["same_digest"]
    assert remade["passed"]


def test_another_seed_is_another_build_of_another_recipe(metier, card, home) -> None:
    recipe = workshop.recipe(
        metier, home / "data" / "tickets.jsonl", name="other", seed=1, curve=False
    )
    other = metier.make(recipe, folder=home)
    assert other.recipe_id != card.recipe_id
    assert other.build_id != card.build_id
    metier.remove("other")


def test_evidence_can_be_repeated(metier, card) -> None:
    again = metier.compare("tickets", "majority", on="tickets")
    first = card.against("majority")
    assert first is not None
    assert again.difference == first.difference
    kinds = {row.kind for row in metier.ledger.rows(subject="tickets")}
    assert kinds == {"result", "evidence", "decision"}


def test_a_specialist_ties_with_itself(metier, card) -> None:
    examined = metier.evaluate("tickets", on="tickets", against=["tickets"])
    assert examined.evidence[0].difference.difference == 0
    assert examined.evidence[0].difference.verdict is not Verdict.WIN


def test_an_eval_can_be_checked_and_come_from_a_file(metier, card, home) -> None:
    assert metier.check_eval("tickets")["items"] == 60
    fresh = made_up.write(home / "fresh.jsonl", made_up.rows(10, seed=5))
    examined = metier.evaluate("tickets", on=str(fresh))
    assert examined.scores[0].n == 40


def test_a_missing_general_model_is_said_clearly(metier, card) -> None:
    with pytest.raises(UnavailableError) as caught:
        metier.evaluate("tickets", on="tickets", against=["general"])
    assert "METIER_GENERAL_URL" in str(caught.value.remedy)


def test_it_travels_to_another_home(metier, card, tmp_path) -> None:
    metier.export("tickets", tmp_path / "out")
    other = workshop.opened(tmp_path / "other")
    (arrived,) = other.import_path(tmp_path / "out", name="mine")
    texts = ["the parcel is late", "hm"]
    assert other.classify("mine", texts) == metier.classify("tickets", texts)
    assert arrived.system == metier.show("tickets").system


def test_its_eval_cannot_be_had_elsewhere_and_that_is_said(metier, card, tmp_path) -> None:
    metier.export("tickets", tmp_path / "out")
    other = workshop.opened(tmp_path / "other")
    other.import_path(tmp_path / "out")
    with pytest.raises(UnavailableError) as caught:
        other.evaluate("tickets", on="tickets")
    assert caught.value.code == "eval_not_here"


def test_without_a_base_the_linear_rung_still_works(tmp_path) -> None:
    bare = workshop.opened(tmp_path / "bare", base=False)
    data = workshop.tickets(tmp_path / "data")
    card = bare.make(workshop.recipe(bare, data, name="tickets", curve=False), folder=tmp_path)
    assert card.rung == "linear"
    base = next(row for row in card.rows if row.role == "base")
    assert base.score is None
    assert base.note
    assert next(rung for rung in card.ladder if rung.name == "encoder").state == "skipped"


def test_rows_in_two_files_and_a_recipe_file(metier, home) -> None:
    made_up.write(home / "train.jsonl", made_up.rows(30))
    made_up.write(home / "eval.jsonl", made_up.rows(10, seed=3))
    text = """
format = 1
[specialist]
name = "two-files"
[base]
ref = "tiny"
[[data]]
kind = "file"
path = "train.jsonl"
role = "train"
[[data]]
kind = "file"
path = "eval.jsonl"
role = "eval"
[ladder]
rungs = ["linear"]
curve = false
"""
    card = metier.make(Recipe.from_toml(text), folder=home)
    assert (card.data.train_rows, card.data.eval_rows) == (120, 40)
    metier.remove("two-files")


def test_stopping_leaves_nothing_behind(metier, home) -> None:
    asked = threading.Event()

    def cancelled() -> bool:
        return asked.is_set()

    def report(progress: Progress) -> None:
        if progress.stage == "rung":
            asked.set()

    recipe = workshop.recipe(metier, workshop.tickets(home / "data2"), name="stopped")
    with pytest.raises(InputError) as caught:
        metier.make(recipe, folder=home, report=report, cancelled=cancelled)
    assert caught.value.code == "cancelled"
    with pytest.raises(NotFoundError):
        metier.show("stopped")
    assert metier.verify()["problems"] == []


def test_a_budget_ends_the_ladder_in_time(metier, home) -> None:
    data = workshop.tickets(home / "data3")
    recipe = workshop.recipe(metier, data, name="hasty", budget=0.001, curve=False)
    card = metier.make(recipe, folder=home)
    stopped = [rung for rung in card.ladder if rung.state == "stopped"]
    assert stopped
    assert all("budget" in rung.why for rung in stopped)
    metier.remove("hasty")


def test_removing_takes_the_sealed_eval_with_it(metier, home) -> None:
    data = made_up.write(home / "gone.jsonl", made_up.rows(20, seed=42))
    recipe = workshop.recipe(metier, data, name="gone", curve=False)
    card = metier.make(recipe, folder=home)
    kept = home / "evals" / f"{card.data.eval_digest.removeprefix('sha256:')}.jsonl"
    assert kept.is_file()
    metier.remove("gone")
    assert not kept.exists()
    metier.collect_garbage()
    with pytest.raises(NotFoundError):
        metier.classify("gone", ["x"])


def test_out_of_scope_is_learned_from_examples(metier, home) -> None:
    data = workshop.tickets(home / "outside", outside=80)
    recipe = workshop.recipe(metier, data, name="scoped", curve=False)
    part = recipe.specialist.model_copy(update={"out_of_scope_label": "none"})
    card = metier.make(recipe.model_copy(update={"specialist": part}), folder=home)
    assert "none" not in card.labels
    assert card.out_of_scope is not None
    assert card.out_of_scope.auroc is not None
    assert card.out_of_scope.auroc > 0.8
    assert {score.metric for score in card.scores} >= {"accuracy", "accuracy_in_scope"}
    (guess,) = metier.classify("scoped", ["what is the weather in lima 3"])
    assert guess.out_of_scope


def test_a_base_does_not_classify(metier) -> None:
    with pytest.raises(InputError) as caught:
        metier.classify(workshop.BASE, ["x"])
    assert caught.value.code == "not_a_classifier"


def test_a_changed_base_is_refused(metier, home, tmp_path) -> None:
    recipe = workshop.recipe(metier, workshop.tickets(home / "based"), name="based", curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("encoder",)})
    card = metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    assert card.base is not None
    metier.export("based", tmp_path / "out")
    metier.remove("based")
    other = workshop.opened(tmp_path / "other", base=False)
    upstream = tiny_bert.make_folder(tmp_path / "upstream", layer_norm_eps=1e-6)
    other.install_base(upstream, name=workshop.BASE)
    other.import_path(tmp_path / "out")
    with pytest.raises(UnavailableError) as caught:
        other.classify("based", ["x"])
    assert caught.value.code == "wrong_base"


def test_the_toolchain_names_what_changes_numbers() -> None:
    assert {"numpy", "scikit-learn", "onnxruntime", "processor"} <= toolchain().keys()
    assert len(today()) == 10
