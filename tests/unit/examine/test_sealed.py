"""Examining: what an eval's name means, and leaks in any eval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import made_up
import workshop
from local_models import install_local
from metier.assembly import Metier
from metier.card import Verdict
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.evals.items import read_eval
from metier.messages import Progress
from tiny_gguf import tiny_model

KIN = ["aunt", "brother", "cousin", "daughter", "nephew"]


def unlike(per_label: int) -> list[dict[str, str]]:
    """Rows that resemble no training row, since they say so much more."""
    return [
        {**row, "text": f"good evening, {row['text']} says my {KIN[number % 5]} from the north"}
        for number, row in enumerate(made_up.rows(per_label, seed=12, noise=0.0))
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("examine")


@pytest.fixture(scope="module")
def metier(home) -> Metier:
    metier = workshop.opened(home)
    data = workshop.tickets(home / "data", train=20, held_out=15)
    recipe = workshop.recipe(metier, data, name="tickets", curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("linear",)})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return metier


def test_a_name_means_the_specialist_even_beside_a_folder_of_that_name(
    metier, home, monkeypatch
) -> None:
    """Rows are often kept in ``tickets/`` while ``metier compare tickets base --on tickets``."""
    (home / "cwd" / "tickets" / "delivery").mkdir(parents=True)
    (home / "cwd" / "tickets" / "delivery" / "1.txt").write_text("hm")
    monkeypatch.chdir(home / "cwd")
    found = metier.evaluate("tickets", on="tickets")
    assert found.fingerprint == metier.show("tickets").card.data.eval_digest
    assert metier.evaluate("tickets", on="./tickets").scores[0].n == 1


def test_training_rows_as_an_eval_are_found_out(metier, home) -> None:
    heard: list[Progress] = []
    leaky = made_up.write(home / "leaky.jsonl", made_up.rows(20))
    found = metier.evaluate("tickets", on=str(leaky), against=["majority"], report=heard.append)
    difference = found.evidence[0].difference
    assert found.evidence[0].score.value > 0.9
    assert difference.verdict is not Verdict.WIN
    assert "80 of 80 items leaked" in difference.method
    assert any("80 of 80" in item.message for item in heard if item.stage == "leaks")


def test_a_few_leaks_are_compared_with_and_without(metier, home) -> None:
    fresh = unlike(40)
    leaked = made_up.rows(20)[:1]
    path = made_up.write(home / "few.jsonl", [*fresh, *leaked])
    (evidence,) = metier.evaluate("tickets", on=str(path), against=["majority"]).evidence
    assert evidence.difference.n == 161
    assert evidence.without_leaks is not None
    assert evidence.without_leaks.n == 160
    assert evidence.difference.verdict is Verdict.WIN


def test_fresh_rows_have_no_leak(metier, home) -> None:
    path = made_up.write(home / "fresh.jsonl", unlike(5))
    (evidence,) = metier.evaluate("tickets", on=str(path), against=["majority"]).evidence
    assert evidence.without_leaks is None
    assert evidence.difference.verdict is Verdict.WIN


def test_that_leaks_cannot_be_looked_for_is_said(metier, home, tmp_path) -> None:
    metier.export("tickets", tmp_path / "out")
    other = workshop.opened(tmp_path / "other", base=False)
    other.import_path(tmp_path / "out")
    path = made_up.write(tmp_path / "fresh.jsonl", made_up.rows(5, seed=12))
    heard: list[Progress] = []
    other.evaluate("tickets", on=str(path), against=["majority"], report=heard.append)
    assert any("not here" in item.message for item in heard if item.stage == "leaks")


def test_sealed_files_and_labelled_rows_are_both_evals(metier, home) -> None:
    digest = metier.show("tickets").card.data.eval_digest.removeprefix("sha256:")
    sealed = home / "evals" / f"{digest}.jsonl"
    own = metier.evaluate("tickets", on="tickets", against=["majority"])
    from_file = metier.evaluate("tickets", on=str(sealed), against=["majority"])
    assert from_file.fingerprint == own.fingerprint
    assert from_file.evidence[0].difference == own.evidence[0].difference
    assert from_file.evidence[0].without_leaks == own.evidence[0].without_leaks
    assert from_file.result == own.result


@pytest.mark.parametrize("split", ["test", "dev"])
def test_rows_with_a_split_are_examined_on_the_held_out_part(metier, home, split) -> None:
    rows = [{**row, "split": "train"} for row in made_up.rows(5, seed=1)]
    rows += [{**row, "split": split} for row in made_up.rows(3, seed=2)]
    path = made_up.write(home / f"split-{split}.jsonl", rows)
    assert metier.evaluate("tickets", on=str(path)).scores[0].n == 12


def test_labels_that_it_never_learned_are_wrong_and_no_error(metier, home) -> None:
    rows = [*made_up.rows(3, seed=2, noise=0.0), {"text": "hm", "label": "unheard of"}]
    path = made_up.write(home / "odd.jsonl", rows)
    found = metier.evaluate("tickets", on=str(path))
    assert found.scores[0].n == 13
    assert found.scores[0].value <= 12 / 13


def test_a_changed_seal_is_refused(metier, home) -> None:
    digest = metier.show("tickets").card.data.eval_digest.removeprefix("sha256:")
    lines = (home / "evals" / f"{digest}.jsonl").read_text().splitlines()
    item = json.loads(lines[1])
    item["label"] = "delivery" if item["label"] != "delivery" else "payment"
    lines[1] = json.dumps(item)
    path = home / "changed.jsonl"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        metier.evaluate("tickets", on=str(path))
    assert caught.value.code == "bad_eval"


def test_an_eval_that_was_lost_is_sealed_again(metier, home) -> None:
    digest = metier.show("tickets").card.data.eval_digest
    path = home / "evals" / f"{digest.removeprefix('sha256:')}.jsonl"
    before = path.read_bytes()
    path.unlink()
    assert metier.evaluate("tickets", on="tickets").fingerprint == digest
    assert path.read_bytes() == before
    assert read_eval(path).fingerprint == digest


@pytest.mark.parametrize("on", ["nobody", "no/such/file.csv", "", "a b"])
def test_what_is_no_eval_is_said(metier, on) -> None:
    with pytest.raises(MetierError) as caught:
        metier.evaluate("tickets", on=on)
    assert isinstance(caught.value, InputError)
    assert caught.value.remedy


def test_a_base_has_no_eval(metier) -> None:
    with pytest.raises(InputError) as caught:
        metier.check_eval(workshop.BASE)
    assert caught.value.code == "no_eval"


def test_rivals_are_asked_as_when_it_was_made(metier) -> None:
    card = metier.show("tickets").card
    found = metier.evaluate("tickets", on="tickets", against=["majority", "base"])
    for evidence in found.evidence:
        assert evidence.difference == card.against(evidence.against).difference
        assert evidence.command == (
            f"metier eval tickets --on tickets --against {evidence.against}"
        )
    assert set(found.differ) == {"majority", "base"}
    json.dumps(found.to_dict())


def test_another_specialist_can_be_a_rival(metier, home) -> None:
    recipe = workshop.recipe(
        metier, home / "data" / "tickets.jsonl", name="weak", curve=False, seed=2
    )
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority",)})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    evidence = metier.compare("tickets", "weak", on="tickets")
    assert (evidence.against, evidence.rival_name) == ("other", "weak")
    assert evidence.difference.verdict is Verdict.WIN
    assert metier.compare("weak", "tickets", on="tickets").difference.verdict is Verdict.LOSS
    metier.remove("weak")
    assert metier.evaluate("tickets", on="tickets").scores
    with pytest.raises(NotFoundError):
        metier.compare("tickets", "weak", on="tickets")


def test_a_stopped_examination_goes_on_where_it_was(metier) -> None:
    with pytest.raises(MetierError) as caught:
        metier.evaluate("tickets", on="tickets", cancelled=lambda: True)
    assert caught.value.code == "cancelled"
    assert metier.evaluate("tickets", on="tickets").scores[0].n == 60
    assert list((metier.settings.home / "journals").iterdir()) == []


def test_a_model_of_this_machine_is_a_rival(metier, home) -> None:
    """A real engine over a tiny model: it writes noise, held to the labels."""
    path = made_up.write(home / "few-fresh.jsonl", unlike(2))
    with pytest.raises(UnavailableError) as told:
        metier.evaluate("tickets", on=str(path), against=["general"])
    assert told.value.code == "no_general"
    install_local(metier.fleet, "noise", tiny_model(home))
    try:
        found = metier.evaluate("tickets", on=str(path), against=["noise", "general", "majority"])
        named, general, _ = found.evidence
        assert (named.against, general.against) == ("other", "general")
        assert named.rival_name == general.rival_name == "local:noise"
        assert named.difference.n == 8
        assert named.rival_cost.cost_class == "this machine"
    finally:
        metier.fleet.remove("noise")
        metier.close()
