"""Hops over HTTP: a job from JSON, a form or an upload; the way back; what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from metier.hop import Done
from stand_in.cards import banking
from stand_in.hopping import HOSTILE, NEW, OLD, put_aside
from stand_in.metier import StandIn
from stand_in.serving import serving

NAME = "banking-intents"
API = f"/metier/v1/specialists/{NAME}"
PAGE = f"/specialists/{NAME}"


@pytest.fixture
def metier(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path / "fleet", [banking()])


@pytest.fixture
def client(metier: StandIn, tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        serving(metier, home=tmp_path / "home") as address,
        httpx.Client(base_url=address, headers={"Accept": "text/html"}) as client,
    ):
        yield client


def ended(client: httpx.Client, href: str) -> dict[str, Any]:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        job: dict[str, Any] = client.get(href).json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.01)
    raise AssertionError(job)


def test_a_hop_is_a_job(client: httpx.Client, metier: StandIn) -> None:
    reply = client.post(f"{API}/hop", json={"bases": ["small", "large@static"], "budget": "2m"})
    assert reply.status_code == 202
    job = ended(client, reply.headers["location"])
    assert (job["kind"], job["state"]) == ("hop", "done")
    assert job["command"] == f"metier hop {NAME} --base small --base large@static --budget 2m"
    assert job["result"]["promoted"] == "small"
    assert job["result"]["page"] == f"{PAGE}#hops"
    assert metier.hopping.asked == [
        {
            "name": NAME,
            "bases": ["small", "large@static"],
            "every": False,
            "budget": 120.0,
            "rows": "",
        }
    ]


def test_every_new_base_and_a_champion_that_stays(client: httpx.Client, metier: StandIn) -> None:
    metier.hopping.promotes = False
    reply = client.post(f"{API}/hop", json={"every_new_base": True})
    job = ended(client, reply.json()["href"])
    assert job["result"]["promoted"] is None
    assert job["command"].endswith("--every-new-base")
    assert metier.hopping.asked[0]["every"]


def test_a_form_leads_to_the_job_and_fresh_items_come_by_upload(
    client: httpx.Client, metier: StandIn
) -> None:
    rows = b'{"text": "a", "label": "b"}\n'
    reply = client.post(f"{PAGE}/hop", data={"base": "small"}, files={"fresh": ("new.jsonl", rows)})
    assert reply.status_code == 303
    job = ended(client, reply.headers["location"] + ".json")
    assert job["state"] == "done"
    assert metier.hopping.asked[0]["rows"] == rows.decode()
    page = client.get(reply.headers["location"])
    assert f'href="{PAGE}#hops"' in page.text
    assert "new: because" in page.text
    assert "Promoted: " in page.text
    plain = client.post(f"{PAGE}/hop", files={"base": (None, "a,b")})
    ended(client, plain.headers["location"] + ".json")
    assert metier.hopping.asked[1]["bases"] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"bases": []}, 422, "no_bases"),
        ({"bases": "small"}, 422, "no_bases"),
        ({"bases": ["x"] * 2, "budget": True}, 422, "bad_request"),
        ({"bases": ["x"], "budget": "soon"}, 422, "bad_input"),
        ({"every_new_base": "yes"}, 422, "bad_request"),
        ({"bases": ["x"], "fresh": "/etc/passwd"}, 422, "bad_request"),
        ({"docs": "kit@3"}, 422, "bad_request"),
        ({"docs": 3}, 422, "bad_request"),
        ({"bases": ["x"], "on": ["svelte"]}, 422, "bad_request"),
        ({"bases": [f"b{number}" for number in range(21)]}, 422, "no_bases"),
    ],
)
def test_what_is_wrong_is_said(
    client: httpx.Client, metier: StandIn, body: dict[str, Any], status: int, code: str
) -> None:
    reply = client.post(f"{API}/hop", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert metier.hopping.asked == []


def test_who_is_not_here_does_not_hop(client: httpx.Client) -> None:
    reply = client.post("/metier/v1/specialists/absent/hop", json={"bases": ["x"]})
    assert reply.status_code == 404
    page = client.post("/specialists/absent/hop", files={"base": (None, "x")})
    assert page.status_code == 422
    assert "text/html" in page.headers["content-type"]


def test_the_way_back(client: httpx.Client, metier: StandIn) -> None:
    assert client.post(f"{API}/rollback").status_code == 404
    assert client.post(f"{PAGE}/rollback").status_code == 422
    metier.hopping.previous = put_aside(NAME, "previous")
    reply = client.post(f"{API}/rollback")
    assert reply.json() | {"row": ""} == {
        "name": NAME,
        "act": "rollback",
        "date": "2026-11-23T10:00:00Z",
        "from": OLD,
        "to": NEW,
        "why": "It is back.",
        "key": "",
        "ground": "",
        "evidence": [],
        "suspect": False,
        "row": "",
    }
    form = client.post(f"{PAGE}/rollback", data={"to": "rejected-0123abcd"})
    assert (form.status_code, form.headers["location"]) == (303, f"{PAGE}#hops")
    assert metier.hopping.rolled == [(NAME, None), (NAME, "rejected-0123abcd")]
    assert client.post(f"{API}/rollback", json={"to": 7}).status_code == 422


def test_the_page_shows_what_was_done_and_the_acts(client: httpx.Client, metier: StandIn) -> None:
    metier.hopping.previous = put_aside(NAME, "previous")
    metier.hopping.aside = [put_aside(NAME, "rejected-0123abcd")]
    metier.hopping.done = [
        Done("hop", "2026-11-23T10:00:00Z", OLD, NEW, f"small {HOSTILE}: WIN", suspect=True),
        Done("kept", "2026-11-22T10:00:00Z", OLD, NEW, "large: LOSS", ground="loss"),
    ]
    page = client.get(PAGE).text
    assert HOSTILE not in page
    assert f'action="{PAGE}/hop"' in page
    assert f'action="{PAGE}/rollback"' in page
    assert f"metier rollback {NAME} --to rejected-0123abcd" in page
    assert "promoted" in page
    assert "suspect" in page
    assert "not promoted" in page
    told = client.get(f"{PAGE}.json").json()["hops"]
    assert told == client.get(f"{API}/hops").json() == client.get(f"{PAGE}/hops.json").json()
    for act in ("hop", "rollback"):
        assert client.get(f"{PAGE}/{act}").headers["location"] == f"{PAGE}#hops"


def test_a_job_that_was_interrupted_is_ordered_again(metier: StandIn, tmp_path: Path) -> None:
    from metier.server.orders import again

    order = again(metier, "hop", None, {"name": NAME, "bases": "small"}, {})
    assert order.command == f"metier hop {NAME} --base small"
