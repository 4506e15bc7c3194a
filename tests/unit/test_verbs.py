"""The verbs as functions, over the home that the environment names."""

from __future__ import annotations

import pytest

import made_up
import workshop
from metier import verbs
from metier.card import Verdict
from metier.errors import InputError, NotFoundError


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of its own, with one specialist, while this module's tests run."""
    folder = tmp_path_factory.mktemp("verbs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METIER_HOME", str(folder / "home"))
        patch.chdir(folder)
        verbs.opened.cache_clear()
        workshop.tickets(folder, train=20, held_out=15)
        verbs.make("tickets.jsonl", name="tickets")
        yield folder
    verbs.opened.cache_clear()


def test_the_whole_way_in_five_calls(home) -> None:
    (one,) = verbs.installed()
    assert one.name == "tickets"
    assert one.card is not None
    assert one.card.curve is not None
    (guess,) = verbs.classify("tickets", ["the parcel is late"], top=2)
    assert guess.best == "delivery"
    assert len(guess.scores) == 2
    assert verbs.evaluate("tickets", on="tickets").scores[0] == one.card.accuracy()
    assert verbs.compare("tickets", "majority", on="tickets").difference.verdict is Verdict.WIN


def test_one_process_has_one_home(home) -> None:
    assert verbs.opened() is verbs.opened()
    assert verbs.opened().settings.home == home / "home"


def test_choices_arrive(home) -> None:
    made_up.write(home / "held.jsonl", made_up.rows(5, seed=8))
    made_up.write(home / "rows.jsonl", made_up.rows(12))
    heard = []
    card = verbs.make(
        "rows.jsonl",
        name="other",
        domain="orders",
        eval_file="held.jsonl",
        budget=0.001,
        seed=4,
        drop_leaks=True,
        report=heard.append,
    )
    assert (card.seed, card.data.eval_rows, card.rung) == (4, 20, "majority")
    assert card.domain == "orders"
    assert heard[-1].stage == "done"


def test_errors_are_ours(home) -> None:
    with pytest.raises(NotFoundError):
        verbs.classify("nobody", ["x"])
    with pytest.raises(InputError):
        verbs.make("tickets.jsonl", name="x", budget=0)
    with pytest.raises(InputError):
        verbs.make("nowhere.csv", name="x")
