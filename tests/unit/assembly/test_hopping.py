"""A classifier's hop from end to end: made again, asked beside the champion, promoted or kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import made_up
import workshop
from metier.assembly import Metier
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.messages import Progress

TEXTS = ["the parcel is late", "my password was stolen", "the card was declined"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``tickets`` on the static view; ``whole`` with every rung; ``tiny`` is their base."""
    home = tmp_path_factory.mktemp("hopping") / "home"
    home.mkdir()
    metier = workshop.opened(home)
    data = workshop.tickets(home / "data", train=60, held_out=40)
    for name, rungs in (
        ("tickets", ("majority", "static")),
        ("whole", ("majority", "linear", "static", "encoder", "ensemble")),
    ):
        recipe = workshop.recipe(metier, data, name=name, curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": rungs})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    metier.close()
    return home


@pytest.fixture
def metier(template: Path, tmp_path: Path) -> Metier:
    home = tmp_path / "home"
    shutil.copytree(template, home)
    return Metier.open(workshop.settings(home))


def test_the_whole_base_wins_over_its_static_view(metier: Metier) -> None:
    before = metier.classify("tickets", TEXTS)
    heard: list[Progress] = []
    hopped = metier.hopping.hop("tickets", bases=["tiny"], report=heard.append)
    assert hopped.promotion.promoted is not None
    assert hopped.champion_key == "tiny@static"
    assert "rows and leak scan" in hopped.reused
    assert "answers to the sealed items" in hopped.reused
    assert metier.classify("tickets@previous", TEXTS) == before
    card = metier.show("tickets").classifier
    assert card is not None
    assert str(metier.show("tickets").system) == hopped.promotion.promoted.system == card.system
    assert heard[-1].stage == "done"
    json.dumps([dict(one.data) for one in heard])
    metier.hopping.rollback("tickets")
    assert metier.classify("tickets", TEXTS) == before
    told = metier.hopping.document("tickets")
    assert told["base"] == "tiny@static"
    assert told["previous"]["name"] == "tickets@previous"
    assert [one["act"] for one in told["history"]] == ["rollback", "hop"]
    json.dumps(told)
    aside = metier.hopping.document("tickets@previous")
    assert (aside["side"], aside["champion"], aside["bases"]) == ("previous", "tickets", [])


def test_the_ledger_has_what_a_proof_needs(metier: Metier) -> None:
    hopped = metier.hopping.hop("tickets", bases=["tiny"])
    assert hopped.promotion.promoted is not None
    system = hopped.promotion.promoted.system
    rows = metier.ledger.rows("evidence", "tickets")
    against = {row.body["against"] for row in rows if row.body["system"] == system}
    assert {"majority", "other"} <= against
    (act,) = metier.hopping.history("tickets")
    assert act.after == system
    assert metier.verify()["problems"] == []
    kin = [one.role for one in metier.lineage("tickets")]
    assert "earlier" in kin


def test_a_worse_base_is_kept_out_with_its_reason_and_not_made_twice(metier: Metier) -> None:
    digest = metier.show("tickets").digest
    hopped = metier.hopping.hop("tickets", bases=["tiny@encoder"])
    assert hopped.promotion.promoted is None
    (ruling,) = hopped.promotion.rulings
    assert ruling.ground == "loss"
    assert metier.show("tickets").digest == digest
    assert metier.classify(ruling.challenger.name, TEXTS)
    again = metier.hopping.hop("tickets", bases=["tiny@encoder"])
    assert "a challenger that was made before" in again.reused
    assert again.promotion.rulings[0].challenger.system == ruling.challenger.system
    assert [one.act for one in metier.hopping.history("tickets")] == ["kept", "kept"]
    side = ruling.challenger.name.partition("@")[2]
    metier.hopping.rollback("tickets", to=side)
    assert metier.hopping.history("tickets")[0].act == "by-hand"


def test_what_comes_out_as_the_champion_itself_is_not_kept(metier: Metier) -> None:
    """The rung that needs no base is chosen again: not one byte depends on the base."""
    hopped = metier.hopping.hop("whole", bases=["tiny@static"])
    assert [one.ground for one in hopped.promotion.rulings] == ["same"]
    assert metier.fleet.aside("whole") == []


def test_what_needs_no_base_is_climbed_once_for_several(metier: Metier) -> None:
    hopped = metier.hopping.hop("whole", bases=["tiny@static", "tiny@encoder"])
    first, second = (one.challenger for one in hopped.promotion.rulings)
    assert "rungs without a base" not in first.reused
    assert "rungs without a base" in second.reused
    assert list((metier.settings.home / "journals" / "climbs").glob("*")) == []


def test_the_same_base_is_refused(metier: Metier) -> None:
    for name, base in (("whole", "tiny"), ("tickets", "tiny@static")):
        with pytest.raises(InputError) as caught:
            metier.hopping.hop(name, bases=[base])
        assert caught.value.code == "same_base"
    assert metier.hopping.history("whole") == ()


def test_a_base_that_is_not_here_is_named_with_the_command(metier: Metier) -> None:
    with pytest.raises(UnavailableError) as caught:
        metier.hopping.hop("tickets", bases=["hf.co/team/encoder"])
    assert caught.value.code == "base_missing"
    assert caught.value.remedy == "metier pull hf.co/team/encoder"
    hopped = metier.hopping.hop("tickets", bases=["hf.co/team/encoder", "tiny"])
    assert [one.ground for one in hopped.promotion.rulings] == ["failed", "win"]


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"bases": []}, "no_bases"),
        ({"bases": ["tiny@int8"]}, "bad_view"),
        ({"bases": ["tickets"]}, "not_an_encoder"),
        ({"bases": ["tiny"], "budget": 0.0}, "bad_budget"),
        ({"bases": ["tiny"], "fresh": Path("absent.csv")}, "file_not_found"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(
    metier: Metier, choices: dict[str, object], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        metier.hopping.hop("tickets", **choices)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert metier.fleet.aside() == []


def test_rows_that_are_gone_or_changed_leave_the_champion(metier: Metier, template: Path) -> None:
    data = template / "data" / "tickets.jsonl"
    content = data.read_bytes()
    try:
        data.write_bytes(content.replace(b"parcel", b"packet"))
        with pytest.raises(UnavailableError) as caught:
            metier.hopping.hop("tickets", bases=["tiny"])
        assert caught.value.code == "rows_not_here"
        data.unlink()
        with pytest.raises(UnavailableError) as caught:
            metier.hopping.hop("tickets", bases=["tiny"])
        assert caught.value.code == "rows_not_here"
    finally:
        data.write_bytes(content)
    assert metier.hopping.history("tickets") == ()


def test_fresh_items_are_compared_apart(metier: Metier, tmp_path: Path) -> None:
    fresh = made_up.write(tmp_path / "fresh.jsonl", made_up.rows(20, seed=123))
    hopped = metier.hopping.hop("tickets", bases=["tiny"], fresh=fresh)
    (ruling,) = hopped.promotion.rulings
    assert ruling.challenger.fresh is not None
    assert ruling.challenger.fresh.difference.n <= 80
    assert "Fresh items: " in ruling.why
    (act,) = metier.hopping.history("tickets")
    assert [fact["fresh"] for fact in act.evidence] == [False, True]


def test_stopping_keeps_the_champion_and_what_was_made(metier: Metier) -> None:
    digest = metier.show("whole").digest
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return bool(metier.fleet.aside("whole"))

    with pytest.raises((InputError, UnavailableError)) as caught:
        metier.hopping.hop("whole", bases=["tiny@static", "tiny@encoder"], cancelled=cancelled)
    assert caught.value.code == "cancelled"
    assert asked
    assert metier.show("whole").digest == digest
    assert len(metier.fleet.aside("whole")) == 1
    hopped = metier.hopping.hop("whole", bases=["tiny@static", "tiny@encoder"])
    assert "a challenger that was made before" in hopped.promotion.rulings[0].challenger.reused


def test_a_budget_that_ends_too_early_is_no_verdict_on_the_base(metier: Metier) -> None:
    cut = metier.hopping.hop("tickets", bases=["tiny"], budget=0.001)
    assert cut.promotion.promoted is None
    assert "The budget ended" in cut.promotion.rulings[0].challenger.failed
    assert metier.hopping.history("tickets") == ()
    assert metier.fleet.aside("tickets") == []
    whole = metier.hopping.hop("tickets", bases=["tiny"])
    assert "a challenger that was made before" not in whole.reused
    assert whole.promotion.promoted is not None


HOP = """
import sys
from metier.assembly import Metier
from metier.settings import Settings
metier = Metier.open(Settings.read({"METIER_HOME": sys.argv[1], "HOME": sys.argv[1]}))
print("ready", flush=True)
metier.hopping.hop("tickets", bases=["tiny"])
"""


@pytest.mark.parametrize("delay", [0.05, 0.6, 1.5])
def test_a_kill_at_any_moment_leaves_a_champion(metier: Metier, delay: float) -> None:
    before = metier.classify("tickets", TEXTS)
    home = metier.settings.home
    words = [sys.executable, "-c", HOP, str(home)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(delay)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    again = Metier.open(metier.settings)
    hops = [one.act for one in again.hopping.history("tickets")]
    now = again.classify("tickets", TEXTS)
    assert (now == before) == (hops == [])
    assert again.verify()["problems"] == []
    if not hops:
        assert again.hopping.hop("tickets", bases=["tiny"]).promotion.promoted is not None
    assert again.classify("tickets@previous", TEXTS) == before


def test_a_chat_specialist_has_no_offers_and_what_is_absent_is_said(metier: Metier) -> None:
    assert metier.hopping.offers("tickets")[0].key == "tiny"
    with pytest.raises(NotFoundError):
        metier.hopping.document("absent")
