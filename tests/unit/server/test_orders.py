"""Orders: which fields each verb reads, and the command that does the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import InputError, NotFoundError
from metier.messages import silent
from metier.server import orders
from metier.server.uploads import Upload
from stand_in.cards import banking, spam
from stand_in.metier import StandIn


@pytest.fixture
def metier(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path / "fleet", [banking(), spam()])


def upload(tmp_path: Path, *files: str, **fields: str) -> Upload:
    paths = {}
    for field in files:
        paths[field] = tmp_path / f"{field} rows.csv"
        paths[field].write_text("text,label\na,b\nc,d\n")
    return Upload(tmp_path, fields, paths)


def test_a_make_reads_every_field(metier: StandIn, tmp_path: Path) -> None:
    asked = upload(
        tmp_path,
        "data",
        "eval",
        name="x",
        domain="order questions",
        text="body",
        label="kind",
        group="user",
        budget="2m",
        seed="7",
        drop_leaks="true",
        curve="no",
    )
    order = orders.make_order(metier, asked)
    assert order.command == (
        "metier make --task classify --data 'data rows.csv' --name x --domain "
        "'order questions' --eval 'eval rows.csv' --text body --label kind --group user "
        "--budget 2m --seed 7 --drop-leaks"
    )
    order.work(silent, lambda: False)
    assert metier.made == [
        {
            "data": Path("data rows.csv"),
            "name": "x",
            "domain": "order questions",
            "eval_file": Path("eval rows.csv"),
            "text": "body",
            "label": "kind",
            "group": "user",
            "budget": 120.0,
            "seed": 7,
            "drop_leaks": True,
            "curve": False,
        }
    ]
    assert metier.show("x").card is not None


def test_a_make_needs_little(metier: StandIn, tmp_path: Path) -> None:
    order = orders.make_order(metier, upload(tmp_path, "data", name="x"))
    assert order.command == "metier make --task classify --data 'data rows.csv' --name x"
    order.work(silent, lambda: False)
    assert metier.made[0]["curve"] is True


@pytest.mark.parametrize("domain", ["--", "x" * 81, "a\nb"])
def test_a_wrong_domain_is_refused_before_anything_starts(
    metier: StandIn, tmp_path: Path, domain: str
) -> None:
    with pytest.raises(InputError) as told:
        orders.make_order(metier, upload(tmp_path, "data", name="x", domain=domain))
    assert told.value.code == "bad_domain"


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 700, "a/b/c/d", "$(x)"])
def test_a_wrong_name_is_refused_before_anything_starts(
    metier: StandIn, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InputError):
        orders.make_order(metier, upload(tmp_path, "data", name=name))


def test_a_stop_reaches_the_maker(metier: StandIn, tmp_path: Path) -> None:
    order = orders.make_order(metier, upload(tmp_path, "data", name="x"))
    with pytest.raises(Exception, match="stopped"):
        order.work(silent, lambda: True)


def test_evaluate_and_compare_name_what_is_there(metier: StandIn, tmp_path: Path) -> None:
    asked = upload(tmp_path, "eval", name="banking-intents", against="message-spam, general")
    order = orders.evaluate_order(metier, asked)
    assert order.command == (
        "metier eval banking-intents --on 'eval rows.csv' --against message-spam --against general"
    )
    assert order.work(silent, lambda: False)["against"] == ["message-spam", "general"]
    both = upload(tmp_path, "eval", first="banking-intents", second="message-spam")
    compared = orders.compare_order(metier, both)
    assert compared.work(silent, lambda: False).difference.verdict == "WIN"
    with pytest.raises(NotFoundError):
        orders.evaluate_order(metier, upload(tmp_path, "eval", name="nope"))
    with pytest.raises(InputError, match="itself"):
        orders.compare_order(
            metier, upload(tmp_path, "eval", first="message-spam", second="message-spam")
        )


def test_a_remake_is_an_order(metier: StandIn) -> None:
    assert orders.remake_order(metier).work(silent, lambda: False)["remake"] is True
