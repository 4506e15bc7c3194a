"""Looking after the fleet over HTTP: forms that lead to a page, and the same as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from metier.errors import UnavailableError
from metier.messages import Progress
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving


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


def test_a_form_pulls_and_leads_to_the_job(client: httpx.Client, metier: StandIn) -> None:
    reply = client.post("/fleet/pull", data={"name": " hf.co/owner/model ", "next": "/x"})
    assert reply.status_code == 303
    page = reply.headers["location"]
    job = ended(client, f"{page}.json")
    assert (job["kind"], job["state"]) == ("pull", "done")
    assert job["command"] == "metier pull hf.co/owner/model"
    assert metier.pulls == ["hf.co/owner/model"]


def test_the_same_as_json(client: httpx.Client) -> None:
    reply = client.post("/metier/v1/pull", json={"name": "m"})
    assert reply.status_code == 202
    assert reply.headers["location"] == reply.json()["href"]
    assert ended(client, reply.json()["href"])["result"]["name"] == "m"
    assert client.post("/metier/v1/pull", json={}).status_code == 422
    assert client.post("/fleet/pull", data={"name": " "}).status_code == 422
    assert client.post("/fleet/pull", data={"name": "x" * 500}).status_code == 422


def test_a_pull_that_failed_keeps_its_remedy_and_can_go_on(
    client: httpx.Client, metier: StandIn
) -> None:
    error = UnavailableError("It is gated.", code="gated", remedy="Ask for access.")
    metier.progress = [Progress("pull", "pulling abc", 0.5), error]
    href = client.post("/metier/v1/pull", json={"name": "m"}).json()["href"]
    assert ended(client, href)["error"]["remedy"] == "Ask for access."
    metier.progress = []
    assert client.post(f"{href}/resume").status_code == 202
    assert ended(client, href)["state"] == "done"
    assert client.delete(href).json() == {"forgotten": href.rsplit("/", 1)[1]}
    assert client.get(href).status_code == 404


def test_a_page_of_another_origin_changes_nothing(client: httpx.Client) -> None:
    for path in ("/fleet/pull", "/metier/v1/pull"):
        reply = client.post(path, headers={"Origin": "http://evil.example"}, data={"name": "m"})
        assert reply.status_code == 403
