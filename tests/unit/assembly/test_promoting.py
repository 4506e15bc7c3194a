"""Names and ledger change together: judged, promoted, rolled back, whatever dies in between."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import workshop
from metier.assembly import Metier
from metier.assembly.promoting import MOST_REJECTED, Promoting
from metier.card import Evidence
from metier.errors import InputError, MetierError, NotFoundError, StorageError, UnavailableError
from metier.fleet import Installed
from metier.hop import Challenger, without_leaks
from metier.ledger import Ledger
from metier.reference import Reference
from metier.store import Store

FULL = """
import resource, signal, sys
from metier.assembly import Metier
from metier.card import Evidence
from metier.errors import StorageError
from metier.hop import Challenger, without_leaks
from metier.settings import Settings
home, system, name, evidence = sys.argv[1:]
made = Challenger("new", system, name, Evidence.model_validate_json(evidence))
metier = Metier.open(Settings.read({"METIER_HOME": home, "HOME": home}))
champion = metier.show("tickets")
metier.ledger.head()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    metier.hopping.promoting.conclude(champion, [made])
except StorageError:
    sys.exit(7)
"""
TEXTS = ["the parcel is late", "my password was stolen", "the card was declined"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A champion that always says the same, and a better one under another name."""
    home = tmp_path_factory.mktemp("promoting") / "home"
    home.mkdir()
    metier = workshop.opened(home, base=False)
    data = workshop.tickets(home / "data", train=30, held_out=30)
    for name, rungs in (("tickets", ("majority",)), ("better", ("majority", "linear"))):
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


def promoting(metier: Metier) -> Promoting:
    return metier.hopping.promoting


def challenger(metier: Metier, key: str = "new", *, against: str = "tickets") -> Challenger:
    """The better one, put aside as a hop does, and asked."""
    better = metier.show("better")
    champion = metier.show(against)
    aside = promoting(metier).aside(champion.reference, str(better.system))
    metier.fleet.store.rename({aside: better.digest})
    evidence = without_leaks(metier.compare(aside.familiar, against, on="tickets"))
    return Challenger(key, system=str(better.system), name=aside.familiar, evidence=evidence)


def said(metier: Metier, name: str) -> list[object]:
    return list(metier.classify(name, TEXTS))


def loser(metier: Metier) -> tuple[Installed, Challenger]:
    """The better one as champion, and the other one as its challenger."""
    champion, other = metier.show("better"), metier.show("tickets")
    aside = promoting(metier).aside(champion.reference, str(other.system))
    metier.fleet.store.rename({aside: other.digest})
    evidence = without_leaks(metier.compare(aside.familiar, "better", on="better"))
    made = Challenger("worse", system=str(other.system), name=aside.familiar, evidence=evidence)
    return champion, made


def test_the_winner_answers_and_the_champion_stays_beside_it(metier: Metier) -> None:
    before, after = said(metier, "tickets"), said(metier, "better")
    champion = metier.show("tickets")
    promotion = promoting(metier).conclude(champion, [challenger(metier)])
    assert promotion.promoted is not None
    assert said(metier, "tickets") == after
    assert said(metier, "tickets@previous") == before
    assert {item.name for item in metier.list()} == {"tickets", "better"}
    (act,) = promoting(metier).history("tickets")
    assert (act.act, act.before, act.after) == (
        "hop",
        str(champion.system),
        str(metier.show("better").system),
    )
    assert act.evidence[0]["verdict"] == "WIN"
    previous = promoting(metier).previous("tickets")
    assert previous is not None
    assert previous.digest == champion.digest
    assert metier.verify()["problems"] == []
    assert metier.collect_garbage()["removed"] == 0


def test_rolling_back_brings_the_same_bytes_and_once_more_the_new_ones(metier: Metier) -> None:
    before, after = said(metier, "tickets"), said(metier, "better")
    digest = metier.show("tickets").digest
    promoting(metier).conclude(metier.show("tickets"), [challenger(metier)])
    done = promoting(metier).rollback("tickets")
    assert done.act == "rollback"
    assert metier.show("tickets").digest == digest
    assert said(metier, "tickets") == before
    assert said(metier, "tickets@previous") == after
    promoting(metier).rollback("tickets")
    assert said(metier, "tickets") == after
    assert [one.act for one in promoting(metier).history("tickets")] == [
        "rollback",
        "rollback",
        "hop",
    ]


def test_the_loser_is_kept_with_its_reason_and_can_be_promoted_by_hand(metier: Metier) -> None:
    champion, made = loser(metier)
    promotion = promoting(metier).conclude(champion, [made])
    assert promotion.promoted is None
    assert metier.show("better").digest == champion.digest
    (kept,) = promoting(metier).history("better")
    assert (kept.act, kept.ground, kept.name) == ("kept", "loss", made.name)
    assert metier.show(made.name).system == metier.show("tickets").system
    side = made.name.partition("@")[2]
    done = promoting(metier).rollback("better", to=side)
    assert done.act == "by-hand"
    assert said(metier, "better") == said(metier, "tickets")
    assert metier.show("better@previous").digest == champion.digest
    assert [item.reference.side for item in metier.fleet.aside("better")] == ["previous"]


def test_only_the_last_losers_are_kept(metier: Metier) -> None:
    champion, made = loser(metier)
    digest = metier.show("tickets").digest
    for number in range(MOST_REJECTED + 3):
        aside = champion.reference.beside(f"rejected-0000000{number}")
        metier.fleet.store.rename({aside: digest})
    promoting(metier).conclude(champion, [made])
    assert len(metier.fleet.aside("better")) == MOST_REJECTED


def test_there_must_be_something_to_go_back_to(metier: Metier) -> None:
    with pytest.raises(NotFoundError) as caught:
        promoting(metier).rollback("tickets")
    assert "metier hop tickets" in str(caught.value.remedy)
    with pytest.raises(NotFoundError):
        promoting(metier).rollback("tickets", to="rejected-00000000")
    with pytest.raises(InputError):
        promoting(metier).rollback("tickets", to="better@previous")
    assert promoting(metier).history("tickets") == ()


@pytest.mark.parametrize("name", ["tickets@previous", "absent"])
def test_only_a_specialist_under_its_own_name_hops(metier: Metier, name: str) -> None:
    with pytest.raises(InputError):
        promoting(metier).champion(name)


def test_a_base_does_not_hop(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path)
    with pytest.raises(InputError) as caught:
        promoting(metier).champion(workshop.BASE)
    assert caught.value.code == "not_a_specialist"


def test_two_hops_at_once_are_told_apart(metier: Metier) -> None:
    with promoting(metier).alone("tickets") as champion:
        assert champion.name == "tickets"
        with (
            pytest.raises(UnavailableError) as caught,
            promoting(metier).alone("tickets"),
        ):
            pass
        assert caught.value.code == "hopping"
        with promoting(metier).alone("better"):
            pass
    with promoting(metier).alone("tickets"):
        pass


def test_a_champion_that_was_replaced_meanwhile_is_not_hopped_over(metier: Metier) -> None:
    champion, made = metier.show("tickets"), challenger(metier)
    metier.fleet.store.rename({champion.reference: metier.show("better").digest})
    with pytest.raises(StorageError) as caught:
        promoting(metier).conclude(champion, [made])
    assert caught.value.code == "name_changed"
    assert promoting(metier).history("tickets") == ()
    assert metier.show("tickets").digest == metier.show("better").digest
    assert metier.show(made.name).digest == metier.show("better").digest


def test_many_rollbacks_at_once_end_in_one_of_the_two(metier: Metier) -> None:
    promoting(metier).conclude(metier.show("tickets"), [challenger(metier)])
    both = {metier.show("tickets").digest, metier.show("tickets@previous").digest}

    codes = []

    def back() -> None:
        try:
            promoting(metier).rollback("tickets")
        except MetierError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {"name_changed"}
    assert {metier.show("tickets").digest, metier.show("tickets@previous").digest} == both
    assert metier.verify()["problems"] == []


@pytest.mark.parametrize("moment", ["store", "ledger", "after the ledger"])
def test_a_kill_leaves_a_champion_and_the_ledger_tells_the_truth(
    metier: Metier, moment: str
) -> None:
    before, after = said(metier, "tickets"), said(metier, "better")
    made = challenger(metier)
    metier.ledger.close()
    child = os.fork()
    if child == 0:
        _die_at(moment)
        again = Metier.open(metier.settings)
        promoting(again).conclude(again.show("tickets"), [made])
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    again = Metier.open(metier.settings)
    happened = moment != "store"
    assert said(again, "tickets") == (after if happened else before)
    acts = promoting(again).history("tickets")
    assert [one.act for one in acts] == (["hop"] if happened else [])
    with promoting(again).alone("tickets"):
        pass
    assert len(promoting(again).history("tickets")) == len(acts)
    assert again.verify()["problems"] == []
    if not happened:
        promoting(again).conclude(again.show("tickets"), [made])
        assert said(again, "tickets") == after
    promoting(again).rollback("tickets")
    assert said(again, "tickets") == before


def _die_at(moment: str) -> None:
    """In a process of its own: end at this moment, as a kill would."""
    rename, append = Store.rename, Ledger.append

    def dying_rename(self: Store, *names: object, **more: object) -> None:
        if moment == "store":
            os._exit(9)
        rename(self, *names, **more)  # type: ignore[arg-type]

    def dying_append(self: Ledger, *row: object, **more: object) -> object:
        if moment == "ledger":
            os._exit(9)
        append(self, *row, **more)  # type: ignore[arg-type]
        os._exit(9)

    Store.rename = dying_rename  # type: ignore[method-assign]
    Ledger.append = dying_append  # type: ignore[method-assign,assignment]


def test_a_disk_that_refuses_leaves_everything(metier: Metier) -> None:
    """No file of this process may grow: what a full disk does to whoever writes."""
    before = metier.show("tickets").digest
    made = challenger(metier)
    assert made.evidence is not None
    told = [made.system, made.name, made.evidence.model_dump_json()]
    words = [sys.executable, "-c", FULL, str(metier.settings.home), *told]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert metier.show("tickets").digest == before
    assert promoting(metier).history("tickets") == ()
    assert metier.verify()["problems"] == []
    promoting(metier).conclude(metier.show("tickets"), [made])
    assert metier.show("tickets@previous").digest == before


def test_evidence_is_of_the_two(metier: Metier) -> None:
    made = challenger(metier)
    assert isinstance(made.evidence, Evidence)
    assert made.evidence.rival == str(metier.show("tickets").system)
    assert Reference.parse(made.name).front == metier.show("tickets").reference
