"""The first page and its JSON over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from metier.errors import StorageError
from metier.finding import Entry, Found, Hit, Query
from metier.server.finding import warm
from metier.server.queries import parameters
from metier.site import Site
from metier.site.finding import entry_address
from stand_in.cards import banking, spam
from stand_in.metier import StandIn
from stand_in.serving import serving

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    made = StandIn(tmp_path_factory.mktemp("fleet"), [banking(), spam()])
    made.of_hub.append(Hit(Entry(name="hub/coder", kind="model", task="chat"), "hub"))
    return made


@pytest.fixture(scope="module")
def client(metier: StandIn) -> Iterator[httpx.Client]:
    with (
        serving(metier) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/find.json", "/metier/v1/find"])
def test_what_was_found_is_told_as_json(client: httpx.Client, path: str) -> None:
    told = client.get(path, params={"q": "bank"}).json()
    assert told["query"]["words"] == "bank"
    assert told["total"] == 1
    assert told["hits"][0]["installed"] == "banking-intents"
    refused = client.get(path, params={"limit": "x"})
    assert refused.status_code == 422
    assert "'limit' cannot be 'x'" in refused.text


def test_the_first_page_answers_people_scripts_and_programs(client: httpx.Client) -> None:
    page = client.get("/", headers=PAGE)
    assert 'href="/specialists/message-spam' in page.text
    told = client.get("/", headers={"Accept": "application/json"}).json()
    assert told["total"] == 2
    assert client.get("/").text == "Ollama is running"


def test_a_hit_that_is_not_here_leads_to_its_page(client: httpx.Client, metier: StandIn) -> None:
    hit = Hit(Entry(name="owner/far-away", kind="model", task="chat"), "curated")
    metier.found.append(hit)
    metier.catalogue["curated", "owner/far-away"] = hit
    shown = client.get("/", params={"q": "far-away"}, headers=PAGE).text
    assert f'href="{entry_address(hit)}"' in shown
    assert client.get(entry_address(hit), headers=PAGE).status_code == 200
    metier.found.remove(hit)


def test_a_bad_filter_is_said_on_a_page(client: httpx.Client) -> None:
    page = client.get("/", params={"since": "yesterday"}, headers=PAGE)
    assert page.status_code == 422
    assert "since" in page.text
    assert "Give a day like 2026-11-23." in page.text


def test_the_hub_is_asked_by_a_form_and_never_by_an_address(
    client: httpx.Client, metier: StandIn
) -> None:
    opened = client.get("/find/hub?q=coder", headers=PAGE, follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, "/?q=coder")
    page = client.post("/find/hub", data={"q": "coder", "task": "chat"}, headers=PAGE).text
    assert "From the hub" in page
    assert "hub/coder" in page
    assert "From the hub" not in client.get("/?q=coder", headers=PAGE).text
    assert 'name="task" value="chat"' in client.get("/?q=coder&task=chat", headers=PAGE).text
    told = client.post("/metier/v1/find/hub", json={"q": "coder", "fits": False, "task": None})
    (hit,) = told.json()["hits"]
    assert (hit["origin"], hit["fit"]["runs"]) == ("hub", "unknown")


def test_a_hub_that_does_not_answer_is_said(client: httpx.Client) -> None:
    page = client.post("/find/hub", data={"q": "offline"}, headers=PAGE)
    assert page.status_code == 503
    assert "The hub cannot be reached. Look at the network." in page.text
    assert client.post("/metier/v1/find/hub", json={"q": "offline"}).status_code == 503
    refused = client.post("/metier/v1/find/hub", json={"limit": 1000})
    assert refused.json()["error"]["param"] == "limit"


def test_the_first_page_is_drawn_before_anybody_asks(metier: StandIn) -> None:
    drawn: list[str] = []

    class Drawing(Site):
        def find(self, *told: Any) -> str:
            drawn.append(super().find(*told))
            return drawn[-1]

    warm(metier, Drawing(), "http://127.0.0.1:1")
    assert "banking-intents" in drawn[0]


def test_what_cannot_be_read_in_at_the_start_is_told_to_who_asks(metier: StandIn) -> None:
    class Damaged(StandIn):
        def find(self, query: Query, /) -> Found:
            raise StorageError("The disk is full.")

    warm(Damaged(metier.folder), Site(), "http://127.0.0.1:1")


def test_every_field_is_described(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    described = document["paths"]["/metier/v1/find"]["get"]
    assert described["tags"] == ["find"]
    assert [one["name"] for one in described["parameters"]] == [one["name"] for one in parameters()]
