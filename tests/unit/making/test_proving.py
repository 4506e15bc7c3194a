"""Proving: every rival on the sealed items, and the general model over real HTTP."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

import loopback
import made_up
import workshop
from metier.card import Card, Verdict
from metier.engines import calling
from metier.errors import InputError, MetierError
from metier.making.proving import EXAMPLES, nearest
from metier.messages import Example, Progress

MODEL = "big-model"
PRICES = f'["{MODEL}"]\nin = 2.0\nout = 8.0\n'


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch) -> None:
    monkeypatch.setattr(calling, "LONGEST_WAIT", 0.001)


def answering(body: dict) -> tuple[int, str]:
    """Right on deliveries and payments, at a loss otherwise; right on all with examples."""
    text = body["messages"][-1]["content"]
    label = loopback.label_of(text, made_up.SUBJECTS, "none")
    zero_shot = len(body["messages"]) == 2
    return 200, label if not zero_shot or label in ("delivery", "payment") else "delivery"


def made(home: Path, url: str, *, prices: str | None = PRICES, data: Path | None = None, **choices):
    """A specialist without a base, made beside a general model."""
    home.mkdir(parents=True, exist_ok=True)
    if prices:
        (home / "prices.toml").write_text(prices, "utf-8")
    metier = workshop.opened(home, base=False, METIER_GENERAL_URL=url, METIER_GENERAL_MODEL=MODEL)
    rows = data or workshop.tickets(home / "data", train=20, held_out=10)
    recipe = workshop.recipe(metier, rows, name="tickets", **{"curve": False, **choices})
    return metier, recipe


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One make beside a general model: the façade, the card and what the service was asked."""
    home = tmp_path_factory.mktemp("general")
    with loopback.serving(answering) as (asked, url), pytest.MonkeyPatch.context() as patch:
        patch.setattr(calling, "LONGEST_WAIT", 0.001)
        metier, recipe = made(home, url)
        yield metier, metier.make(recipe, folder=home), asked


def test_the_general_model_is_asked_twice_about_every_item(whole) -> None:
    _, card, asked = whole
    bare = [body for body in asked.bodies if len(body["messages"]) == 2]
    shown = [body for body in asked.bodies if len(body["messages"]) > 2]
    assert len(bare) == len(shown) == card.data.eval_rows == 40
    assert {len(body["messages"]) for body in shown} == {2 + 2 * EXAMPLES}


def test_both_of_its_rows_stand_on_the_card_with_their_price(whole) -> None:
    _, card, _ = whole
    rows = [row for row in card.rows if row.role == "general"]
    assert [row.name for row in rows] == [f"{MODEL} (zero-shot)", f"{MODEL} (5 examples)"]
    spent = 40 * (loopback.TOKENS_IN * 2.0 + loopback.TOKENS_OUT * 8.0) / 1e6
    for row in rows:
        assert row.cost.cost_class == "remote"
        assert row.cost.spent == pytest.approx(spent)
        assert row.cost.price_per_million_tokens == 2.0
        assert row.cost.ms_per_text is not None
        assert row.cost.ms_per_text > 0
    assert rows[0].score.value < rows[1].score.value
    assert rows[1].score.value > 0.85


def test_evidence_against_it_is_a_pair_on_the_same_items(whole) -> None:
    _, card, _ = whole
    evidence = [item for item in card.evidence if item.against == "general"]
    assert [item.rival_name for item in evidence] == [
        f"{MODEL} (zero-shot)",
        f"{MODEL} (5 examples)",
    ]
    assert evidence[0].difference.verdict is Verdict.WIN
    assert evidence[1].difference.verdict is not Verdict.WIN
    assert {item.difference.n for item in evidence} == {40}
    assert all(item.rival_cost.spent for item in evidence)


def test_its_results_are_filed_and_its_journals_gone(whole) -> None:
    metier, _, _ = whole
    paths = {part.filepath for part in metier.parts("tickets")}
    assert {"results/general.jsonl", "results/general-2.jsonl"} <= paths
    assert list((metier.settings.home / "journals").iterdir()) == []


def test_examples_come_from_the_training_rows_and_never_from_the_eval(whole) -> None:
    _, _, asked = whole
    held = {row["text"] for row in made_up.rows(10, seed=77)}
    train = {row["text"]: row["label"] for row in made_up.rows(20)}
    for body in asked.bodies:
        examples = body["messages"][1:-1]
        for question, answer in zip(examples[::2], examples[1::2], strict=True):
            assert question["content"] not in held
            assert json.loads(answer["content"]) == {"label": train[question["content"]]}


def test_a_remake_asks_the_general_model_nothing(whole) -> None:
    metier, _, asked = whole
    before = len(asked.bodies)
    assert metier.verify(remake=True)["problems"] == []
    assert len(asked.bodies) == before


def test_the_price_is_unknown_without_a_table(tmp_path) -> None:
    with loopback.serving(answering) as (_, url):
        metier, recipe = made(tmp_path, url, prices=None)
        card = metier.make(recipe, folder=tmp_path)
    rows = [row for row in card.rows if row.role == "general"]
    assert all(row.cost.spent is None for row in rows)
    assert all(row.score is not None for row in rows)


def general(card: Card):
    return [row for row in card.rows if row.role == "general"]


def test_a_service_that_refuses_the_key_loses_no_work(tmp_path) -> None:
    with loopback.serving(lambda body: (401, "")) as (_, url):
        metier, recipe = made(tmp_path, url)
        card = metier.make(recipe, folder=tmp_path)
    assert all(row.score is None for row in general(card))
    assert "401" in general(card)[0].note
    assert general(card)[0].command == "metier compare tickets general --on tickets"
    assert card.against("general") is None
    assert card.against("majority") is not None


def test_a_service_that_is_not_there_loses_no_work(tmp_path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    metier, recipe = made(tmp_path, url)
    card = metier.make(recipe, folder=tmp_path)
    assert "cannot be reached" in general(card)[0].note


def test_a_service_that_answers_nothing_is_unscored_and_not_zero(tmp_path) -> None:
    with loopback.serving(lambda body: (418, "")) as (_, url):
        metier, recipe = made(tmp_path, url)
        card = metier.make(recipe, folder=tmp_path)
    assert all(row.score is None for row in general(card))
    assert "none of its 40 answers" in general(card)[0].note


def test_items_that_it_could_not_answer_are_left_out_of_the_pairs(tmp_path) -> None:
    def moody(body: dict) -> tuple[int, str]:
        status, label = answering(body)
        return (418 if "parcel" in body["messages"][-1]["content"] else status), label

    with loopback.serving(moody) as (_, url):
        metier, recipe = made(tmp_path, url)
        card = metier.make(recipe, folder=tmp_path)
    lost = sum("parcel" in row["text"] for row in made_up.rows(10, seed=77))
    assert lost
    row = general(card)[0]
    assert (row.score.n, row.score.unscored) == (40 - lost, lost)
    evidence = card.against("general")
    assert evidence is not None
    assert evidence.difference.n == 40 - lost


def test_answers_that_were_paid_for_survive_a_stop(tmp_path) -> None:
    stop = threading.Event()

    def report(progress: Progress) -> None:
        if "(5 examples)" in progress.message and progress.stage == "eval":
            stop.set()

    with loopback.serving(answering) as (asked, url):
        metier, recipe = made(tmp_path, url)
        with pytest.raises(MetierError) as caught:
            metier.make(recipe, folder=tmp_path, report=report, cancelled=stop.is_set)
        assert caught.value.code == "cancelled"
        assert metier.list() == []
        paid = len(asked.bodies)
        assert paid >= 40
        stop.clear()
        card = metier.make(recipe, folder=tmp_path)
        assert len(asked.bodies) == 80
    assert all(row.score.n == 40 for row in general(card))


def test_the_recipe_can_leave_rivals_out_and_the_rows_say_so(tmp_path) -> None:
    with loopback.serving(answering) as (asked, url):
        metier, recipe = made(tmp_path, url)
        part = recipe.eval.model_copy(update={"against": ("majority",)})
        card = metier.make(recipe.model_copy(update={"eval": part}), folder=tmp_path)
    assert asked.bodies == []
    assert [row.role for row in card.rows] == ["specialist", "majority", "base", "general"]
    assert [row.note for row in card.rows[2:]] == ["the recipe does not ask for it"] * 2


def test_out_of_scope_is_one_of_the_labels_and_of_the_examples(tmp_path) -> None:
    data = workshop.tickets(tmp_path / "data", train=10, held_out=5, outside=20)
    with loopback.serving(answering) as (asked, url):
        metier, recipe = made(tmp_path, url, data=data)
        part = recipe.specialist.model_copy(update={"out_of_scope_label": "none"})
        card = metier.make(recipe.model_copy(update={"specialist": part}), folder=tmp_path)
    assert all("none" in body["messages"][0]["content"] for body in asked.bodies)
    shown = [message["content"] for body in asked.bodies for message in body["messages"][1:-1]]
    assert json.dumps({"label": "none"}) in shown
    assert general(card)[1].score.value > 0.8


def test_a_price_that_is_none_stops_before_any_work(tmp_path) -> None:
    with loopback.serving(answering) as (asked, url):
        metier, recipe = made(tmp_path, url, prices=f'["{MODEL}"]\nin = "cheap"\n')
        with pytest.raises(InputError) as caught:
            metier.make(recipe, folder=tmp_path)
    assert caught.value.code == "bad_prices"
    assert asked.bodies == []


def test_the_nearest_examples_come_first() -> None:
    examples = [
        Example("where is my parcel", "delivery"),
        Example("my card was declined", "payment"),
        Example("where is my parcel now", "delivery"),
    ]
    find = nearest(examples)
    (found,) = find(["where is my parcel"])
    assert [example.text for example in found[:2]] == [
        "where is my parcel",
        "where is my parcel now",
    ]
    assert find([]) == []
    assert find(["ÿ"]) == [[]]


def test_no_more_than_five_examples_are_shown() -> None:
    find = nearest([Example(f"the same words {number}", "x") for number in range(20)])
    assert [len(found) for found in find(["the same words", "words"])] == [EXAMPLES] * 2
