"""The pages of Make over HTTP: look, look again, leave rows out, start, and jobs as pages."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import made_up
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    home = tmp_path_factory.mktemp("home")
    with (
        serving(StandIn(tmp_path_factory.mktemp("fleet"), [banking()]), home=home) as address,
        httpx.Client(base_url=address, headers={"Accept": "text/html"}, timeout=30) as client,
    ):
        yield client


def rows(number: int = 8) -> bytes:
    lines = [f'"{row["text"]}",{row["label"]}' for row in made_up.rows(number)]
    return "\n".join(["text,label", *lines]).encode()


def send(client: httpx.Client, content: bytes, name: str = "My Rows.csv", **fields: str) -> str:
    reply = client.post("/make/look", files={"data": (name, content)}, data=fields)
    assert reply.status_code == 303, reply.text
    return str(reply.headers["location"])


def ended(client: httpx.Client, page: str) -> dict[str, Any]:
    end = time.monotonic() + 15
    while time.monotonic() < end:
        job: dict[str, Any] = client.get(f"{page}.json").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def test_rows_are_looked_at_and_then_made(client: httpx.Client) -> None:
    page = send(client, rows())
    shown = client.get(page).text
    assert "32 rows" in shown
    assert 'value="my-rows"' in shown
    assert client.get(f"{page}.json").json()["found"]["label"] == "label"
    started = client.post(page, data={"act": "start", "name": "mine", "budget": "2m"})
    assert started.status_code == 303
    job = started.headers["location"]
    done = ended(client, job)
    assert (done["state"], done["name"]) == ("done", "mine")
    assert done["command"].endswith("--name mine --budget 2m")
    again = client.get(page)
    assert (again.status_code, again.headers["location"]) == (303, job)
    assert client.post(page, data={"act": "start"}).headers["location"] == job
    client.delete("/metier/v1/specialists/mine")


def test_columns_are_changed_and_kept(client: httpx.Client) -> None:
    page = send(client, b"a,b,c\n" + b"some text here,x,p\nother words there,y,q\n" * 6)
    assert "could be any of the columns" in client.get(page).text
    looked = client.post(page, data={"act": "look", "text": "a", "label": "c", "group": ""})
    assert looked.headers["location"] == page
    found = client.get(f"{page}.json").json()["found"]
    assert (found["text"], found["label"]) == ("a", "c")
    assert '<option value="c" selected>' in client.get(page).text
    client.post(page, data={"act": "look", "text": "nope"})
    assert "has no column" in client.get(page).text


def test_rows_are_left_out_on_request_only(client: httpx.Client) -> None:
    page = send(client, rows() + b"\n,card\nalone,lonely\n")
    assert 'value="clean"' in client.get(page).text
    assert client.post(page, data={"act": "clean"}).headers["location"] == page
    told = client.get(f"{page}.json").json()
    assert told["found"]["problem"] is None
    assert "1 because it has no text" in told["done"][0]
    assert told["files"]["data"].startswith("clean-")
    nothing = send(client, b"text,label\na,x\nb,y\n")
    refused = client.post(nothing, data={"act": "clean"})
    assert refused.status_code == 422
    assert "no row can be used" in refused.text


def test_a_wrong_start_keeps_what_was_filled_in(client: httpx.Client) -> None:
    page = send(client, rows())
    for name, budget, said in (
        ("", "", "is missing"),
        ("no such name!", "", "no such name!"),
        ("fine", "soon", "Give a duration"),
        ("banking-intents", "", "There is a model called"),
    ):
        refused = client.post(page, data={"act": "start", "name": name, "budget": budget})
        assert refused.status_code == 422
        assert said in refused.text
        assert f'value="{name}"' in refused.text
        assert f'value="{budget}"' in refused.text
    replaced = {"act": "start", "name": "banking-intents", "replace": "true"}
    job = client.post(page, data=replaced).headers["location"]
    assert ended(client, job)["state"] == "done"


@pytest.mark.parametrize(
    ("files", "fields", "said"),
    [
        ({"data": ("", b"")}, {}, "No rows were sent"),
        ({"data": ("a.xlsx", b"PK")}, {}, "an ending that Metier does not read"),
        ({"eval": ("a.csv", b"x")}, {"pasted": " "}, "No rows were sent"),
    ],
)
def test_what_cannot_be_sent_is_said_in_the_form(
    client: httpx.Client, files: Any, fields: dict[str, str], said: str
) -> None:
    reply = client.post("/make/look", files=files, data=fields)
    assert reply.status_code == 422
    assert said in reply.text
    assert 'name="pasted"' in reply.text


def test_rows_are_pasted(client: httpx.Client) -> None:
    text = rows().decode().replace("\n", "\r\n")
    reply = client.post("/make/look", files={"eval": ("", b"")}, data={"pasted": text})
    found = client.get(f"{reply.headers['location']}.json").json()
    assert found["files"] == {"data": "pasted.txt"}
    assert found["found"]["rows"] == 32
    assert found["fields"]["name"] == ""


def test_hostile_names_labels_and_columns_stay_text(client: httpx.Client) -> None:
    lines = [
        f'"{SCRIPT} \u202e{row["text"]}","{SCRIPT}{row["label"]}","{"z" * 20_000}"'
        for row in made_up.rows(8)
    ]
    content = "\n".join([f'text,label,"{SCRIPT}{"n" * 3_000}"', *lines]).encode()
    page = send(client, content, f"{SCRIPT}\u202e{'x' * 300}.csv")
    shown = client.get(page).text
    assert SCRIPT not in shown
    assert "\u202e" not in shown
    assert len(shown) < 120_000
    assert re.search(r"<(?:img|script)(?![^>]*src=\"/static)", shown) is None
    job = client.post(page, data={"act": "start", "name": "odd"}).headers["location"]
    ended(client, job)
    assert SCRIPT not in client.get(job).text
    client.delete("/metier/v1/specialists/odd")


def test_an_upload_is_thrown_away(client: httpx.Client) -> None:
    page = send(client, rows())
    assert client.post(page, data={"act": "forget"}).headers["location"] == "/make"
    assert client.get(page).status_code == 404


def test_a_preview_is_also_a_call(client: httpx.Client) -> None:
    files = {"data": ("r.csv", rows())}
    found = client.post("/metier/v1/preview", files=files, data={"label": "label"}).json()
    assert (found["rows"], found["problem"]) == (32, None)
    assert client.post("/metier/v1/preview", files={"eval": ("r.csv", b"x")}).status_code == 422


def test_jobs_are_stopped_resumed_and_forgotten_by_forms(client: httpx.Client) -> None:
    page = send(client, rows())
    job = client.post(page, data={"act": "start", "name": "slow"}).headers["location"]
    assert client.post(f"{job}/stop").headers["location"] == job
    assert ended(client, job)["state"] == "stopped"
    assert "Resume" in client.get(job).text
    assert "Resume" in client.get("/make").text
    assert client.post(f"{job}/resume", data={"next": "/fleet"}).headers["location"] == (
        "/fleet#downloads"
    )
    client.post(f"{job}/stop")
    ended(client, job)
    assert client.post(f"{job}/forget").headers["location"] == "/make"
    assert client.get(job).status_code == 404
    for path in ("/jobs/x/stop", "/jobs/x/resume"):
        assert client.get(path).headers["location"] == "/jobs/x"
    assert client.get("/jobs/x/odd").status_code == 404
    assert client.get("/make/look").headers["location"] == "/make"
