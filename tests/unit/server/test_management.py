"""/metier/v1: every verb as a call, from a real client to a real server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from metier.card import Card
from stand_in.cards import banking, spam
from stand_in.metier import StandIn
from stand_in.serving import serving

ROWS = b"text,label\nwhere is my card,card\nwhat is the rate,rate\n"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        serving(StandIn(tmp_path, [banking(), spam()], pause=0.01)) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


def ended(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        snapshot: dict[str, Any] = client.get(job["href"]).json()
        if snapshot["ended"]:
            return snapshot
        time.sleep(0.02)
    raise AssertionError("the job did not end")


def test_the_fleet_is_listed_with_its_evidence(client: httpx.Client) -> None:
    rows = client.get("/metier/v1/specialists").json()["specialists"]
    assert [row["name"] for row in rows] == ["banking-intents", "message-spam"]
    assert rows[0]["evidence"][0]["difference"]["verdict"] == "WIN"


def test_a_card_comes_whole_and_its_numbers_lead_to_results(client: httpx.Client) -> None:
    body = client.get("/metier/v1/specialists/banking-intents").json()
    assert Card.model_validate(body["card"]) == banking()
    assert {part["filepath"] for part in body["parts"]} >= {"card.json", "recipe.toml"}
    assert set(body["results"]) == {"specialist", "majority", "base", "general"}
    for address in body["results"].values():
        lines = client.get(address)
        assert lines.headers["content-type"].startswith("application/jsonl")
        assert json.loads(lines.text)["outcome"] == 1.0


@pytest.mark.parametrize("role", ["nope", "..%2Fcard", "%2e%2e", "base.timings"])
def test_a_role_without_a_result_is_not_found(client: httpx.Client, role: str) -> None:
    reply = client.get(f"/metier/v1/specialists/message-spam/results/{role}")
    assert reply.status_code in (404, 422)
    assert reply.json()["error"]["remedy"]


def test_an_unknown_name_is_404_with_near_names(client: httpx.Client) -> None:
    reply = client.get("/metier/v1/specialists/banking")
    assert reply.status_code == 404
    assert "banking-intents" in reply.json()["error"]["remedy"]


def test_a_specialist_is_removed(client: httpx.Client) -> None:
    assert client.delete("/metier/v1/specialists/message-spam").json() == {
        "removed": "message-spam"
    }
    assert client.get("/metier/v1/specialists/message-spam").status_code == 404
    assert client.delete("/metier/v1/specialists/message-spam").status_code == 404


def test_gc_and_verify_answer_at_once(client: httpx.Client) -> None:
    assert client.post("/metier/v1/gc").json() == {"removed": 0, "bytes": 0}
    assert client.post("/metier/v1/verify").json()["problems"] == []
    assert client.post("/metier/v1/verify", json={"remake": False}).json()["remake"] is False


def test_a_remake_is_a_job(client: httpx.Client) -> None:
    reply = client.post("/metier/v1/verify", json={"remake": True})
    assert reply.status_code == 202
    assert ended(client, reply.json())["result"]["remake"] is True


def test_an_upload_becomes_a_specialist(client: httpx.Client) -> None:
    reply = client.post(
        "/metier/v1/make", files={"data": ("rows.csv", ROWS)}, data={"name": "team/triage"}
    )
    assert reply.status_code == 202
    job = reply.json()
    assert reply.headers["location"] == job["href"]
    assert job["command"] == "metier make --task classify --data rows.csv --name team/triage"
    done = ended(client, job)
    assert done["state"] == "done"
    assert done["result"]["name"] == "team/triage"
    assert done["rungs"][0]["name"] == "majority"
    assert done["rungs"][-1]["state"] == "chosen"
    asked = {"model": "team/triage", "input": "where is my card"}
    assert client.post("/v1/classify", json=asked).status_code == 200
    assert client.get("/metier/v1/jobs").json()["jobs"][0]["id"] == job["id"]


@pytest.mark.parametrize(
    ("files", "fields", "code"),
    [
        ({}, {"name": "x"}, "no_file"),
        ({"data": ("rows.csv", ROWS)}, {}, "bad_input"),
        ({"data": ("rows.csv", ROWS)}, {"name": "../x"}, "bad_name"),
        ({"data": ("rows.pkl", ROWS)}, {"name": "x"}, "bad_file_ending"),
        ({"data": ("rows.csv", ROWS)}, {"name": "x", "budget": "soon"}, "bad_input"),
    ],
)
def test_a_wrong_upload_says_what_and_how_to_mend_it(
    client: httpx.Client, files: dict[str, Any], fields: dict[str, str], code: str
) -> None:
    reply = client.post("/metier/v1/make", files=files, data=fields)
    assert reply.status_code == 422
    assert reply.json()["error"]["code"] == code
    assert reply.json()["error"]["remedy"]
    assert client.get("/metier/v1/jobs").json()["jobs"] == []


def test_data_comes_by_upload_only(client: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(ROWS)
    for field in ("data", "eval", "path", "on"):
        asked = {"name": "x", field: str(path)}
        for reply in (
            client.post("/metier/v1/make", json=asked),
            client.post("/metier/v1/make", data=asked),
            client.post("/metier/v1/make", files={"x": ("x.csv", b"")}, data=asked),
        ):
            assert reply.status_code in (400, 422)
    assert client.get("/metier/v1/jobs").json()["jobs"] == []


def test_bad_rows_fail_the_job_not_the_server(client: httpx.Client) -> None:
    reply = client.post("/metier/v1/make", files={"data": ("rows.csv", b"")}, data={"name": "x"})
    failed = ended(client, reply.json())
    assert failed["state"] == "failed"
    assert failed["error"]["remedy"] == "Give a header and two rows."


def events(client: httpx.Client, job: dict[str, Any], after: int = 0) -> list[dict[str, str]]:
    headers = {"Last-Event-ID": str(after)} if after else {}
    found = []
    with client.stream("GET", job["events"], headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for block in "".join(stream.iter_text()).strip().split("\n\n"):
            found.append(dict(line.split(": ", 1) for line in block.split("\n")))
    return found


def test_a_job_is_followed_and_resumed(client: httpx.Client) -> None:
    reply = client.post("/metier/v1/make", files={"data": ("r.csv", ROWS)}, data={"name": "x"})
    seen = events(client, reply.json())
    assert [int(event["id"]) for event in seen] == list(range(1, len(seen) + 1))
    assert [event["event"] for event in seen[:-1]].count("started") == 1
    assert {event["event"] for event in seen[1:-1]} == {"progress"}
    assert seen[-1]["event"] == "done"
    assert json.loads(seen[-1]["data"])["result"]["name"] == "x"
    rung = next(json.loads(event["data"]) for event in seen[1:] if "Trying" in event["data"])
    assert {"stage", "message", "fraction", "seconds_left", "data"} <= set(rung)
    assert events(client, reply.json(), after=3) == seen[3:]


def test_a_job_is_stopped(tmp_path: Path) -> None:
    with (
        serving(StandIn(tmp_path, pause=0.3)) as address,
        httpx.Client(base_url=address) as client,
    ):
        made = [
            client.post(
                "/metier/v1/make", files={"data": ("r.csv", ROWS)}, data={"name": name}
            ).json()
            for name in ("first", "second")
        ]
        assert made[1]["position"] == 1
        for job in made:
            assert client.post(f"{job['href']}/stop").status_code == 200
        assert [ended(client, job)["state"] for job in made] == ["stopped", "stopped"]
        assert client.get("/metier/v1/specialists").json()["specialists"] == []


def test_an_unknown_job_is_404(client: httpx.Client) -> None:
    for method, path in (("GET", "x"), ("GET", "x/events"), ("POST", "x/stop")):
        assert client.request(method, f"/metier/v1/jobs/{path}").status_code == 404


def test_proving_goes_by_upload(client: httpx.Client) -> None:
    files = {"eval": ("eval.csv", ROWS)}
    checked = client.post("/metier/v1/check-eval", files=files)
    assert checked.json() == {"items": 3, "problems": []}
    asked = {"name": "banking-intents", "against": "message-spam"}
    job = client.post("/metier/v1/evaluate", files=files, data=asked).json()
    assert ended(client, job)["result"]["items"] == 3
    asked = {"first": "banking-intents", "second": "message-spam"}
    job = client.post("/metier/v1/compare", files=files, data=asked).json()
    assert ended(client, job)["result"]["difference"]["verdict"] == "WIN"
