"""Proving a classifier of pictures: the general model is shown the pictures, over real HTTP."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

import loopback
import seeing_home
from metier.card import Verdict
from metier.engines import calling
from metier.errors import InputError, MetierError
from metier.finding import Query
from metier.making.proving import EXAMPLES, NO_EYES, alike
from metier.messages import Example
from seeing_home import MODEL, half_blind, make, seen_by

ITEMS = 18


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch) -> None:
    monkeypatch.setattr(calling, "LONGEST_WAIT", 0.001)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One make beside a general model that sees: the façade, the card, what it was asked."""
    folder = tmp_path_factory.mktemp("seen")
    with loopback.serving(half_blind) as (asked, url), pytest.MonkeyPatch.context() as patch:
        patch.setattr(calling, "LONGEST_WAIT", 0.001)
        metier, data = seen_by(folder, url)
        yield metier, make(metier, data, base=None), asked
        metier.close()


def test_it_is_shown_every_picture_bare_and_with_examples(whole) -> None:
    _, card, asked = whole
    bare = [body for body in asked.bodies if len(body["messages"]) == 2]
    shown = [body for body in asked.bodies if len(body["messages"]) == 2 + 2 * EXAMPLES]
    assert len(bare) == len(shown) == card.data.eval_rows == ITEMS
    assert all("Classify the picture" in body["messages"][0]["content"] for body in asked.bodies)
    labels = asked.bodies[0]["response_format"]["json_schema"]["schema"]["properties"]["label"]
    assert labels["enum"] == ["blue", "green", "red"]


def test_its_rows_and_evidence_stand_on_the_card_with_their_price(whole) -> None:
    _, card, _ = whole
    rows = [row for row in card.rows if row.role == "general"]
    assert [row.name for row in rows] == [f"{MODEL} (zero-shot)", f"{MODEL} (5 examples)"]
    assert [round(row.score.value, 3) for row in rows] == [0.333, 1.0]
    spent = ITEMS * (loopback.TOKENS_IN * 2.0 + loopback.TOKENS_OUT * 8.0) / 1e6
    assert all(row.cost.spent == pytest.approx(spent) for row in rows)
    evidence = [item for item in card.evidence if item.against == "general"]
    assert [item.difference.n for item in evidence] == [ITEMS, ITEMS]
    assert evidence[0].difference.verdict is Verdict.WIN
    base = next(row for row in card.rows if row.role == "base")
    assert (base.score, "names" in base.note) == (None, True)


def test_a_win_against_it_is_a_proof_here(whole) -> None:
    metier, card, _ = whole
    found = next(hit for hit in metier.find(Query(words="colours")).hits)
    assert found.entry.name == "colours"
    assert found.proof is not None
    assert found.proof.evidence.system == card.system


def test_it_is_asked_again_by_name_with_its_price(whole) -> None:
    metier, _, asked = whole
    before = len(asked.bodies)
    (evidence,) = metier.evaluate("colours", on="colours", against=["general"]).evidence
    assert len(asked.bodies) == before + ITEMS
    assert evidence.difference.verdict is Verdict.WIN
    assert evidence.rival_cost.cost_class == "remote"
    assert evidence.rival_cost.spent is not None


def test_one_that_is_not_known_to_see_is_not_asked(tmp_path: Path) -> None:
    with loopback.serving(half_blind) as (asked, url):
        metier, data = seen_by(tmp_path, url, sees="")
        card = make(metier, data, base=None)
        with pytest.raises(InputError) as caught:
            metier.evaluate("colours", on="colours", against=["general"])
    assert caught.value.code == "no_rival"
    assert "METIER_GENERAL_SEES" in caught.value.remedy
    assert asked.bodies == []
    (row,) = [row for row in card.rows if row.role == "general"]
    assert row.note == NO_EYES
    assert row.command.startswith("METIER_GENERAL_SEES=1 ")
    metier.close()


def test_one_that_refuses_pictures_loses_no_work(tmp_path: Path) -> None:
    with loopback.serving(lambda body: (422, "")) as (_, url):
        metier, data = seen_by(tmp_path, url)
        card = make(metier, data, base=None)
    rows = [row for row in card.rows if row.role == "general"]
    assert all(row.score is None and "could be scored" in row.note for row in rows)
    assert card.against("general") is None
    metier.close()


def test_a_make_that_is_stopped_pays_for_no_picture_twice(tmp_path: Path) -> None:
    stop = threading.Event()

    def then_stop(body: dict) -> tuple[int, str]:
        if len(body["messages"]) > 2:
            stop.set()
        return half_blind(body)

    with loopback.serving(then_stop) as (asked, url):
        metier, data = seen_by(tmp_path, url)
        recipe = seeing_home.recipe(metier, data, base=None)
        with pytest.raises(MetierError) as caught:
            metier.make(recipe, folder=tmp_path, cancelled=stop.is_set)
        assert caught.value.code == "cancelled"
        assert len(asked.bodies) >= ITEMS
        stop.clear()
        metier.make(recipe, folder=tmp_path, cancelled=lambda: False)
        assert len(asked.bodies) == 2 * ITEMS
    metier.close()


def test_the_pictures_most_alike_come_first() -> None:
    rows = {"a": [1.0, 0.0], "b": [0.0, 3.0], "c": [5.0, 1.0], "d": [0.0, 0.0]}
    find = alike(
        [Example(name, name) for name in "abc"],
        lambda digests: np.array([rows[one] for one in digests], np.float32).reshape(-1, 2),
    )
    (found,) = find(["a"])
    assert [one.text for one in found] == ["a", "c", "b"]
    assert find([]) == []
    assert len(find(["d"])[0]) == 3
