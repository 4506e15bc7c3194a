"""The website's routes: every page, as HTML and as JSON, with and without scripts."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stand_in.cards import HOSTILE_TEXT, assistant, banking, bare, hostile, spam, underpowered
from stand_in.metier import StandIn
from stand_in.serving import serving

ROWS = ("rows.csv", b"text,label\na,b\nc,d\n")
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    fleet = [banking(), assistant(), spam(), underpowered(), hostile(), bare()]
    fleet.append(spam().model_copy(update={"name": "team/spam:2"}))
    with (
        serving(StandIn(tmp_path_factory.mktemp("fleet"), fleet)) as address,
        httpx.Client(base_url=address, headers=PAGE) as client,
    ):
        yield client


NAMES = ["banking-intents", "message-spam", "issue-triage", "hostile", "bare", "team/spam:2"]


def test_the_fleet_shows_everybody(client: httpx.Client) -> None:
    page = client.get("/fleet").text
    for name in NAMES:
        assert f'href="/specialists/{name}"' in page
    assert page.count('action="/fleet/remove"') == 7
    assert "of 8.0\u202fGB for models" in page


def test_the_list_is_narrowed_without_scripts(client: httpx.Client) -> None:
    page = client.get("/fleet", params={"q": "bank customer"}).text
    assert 'href="/specialists/banking-intents"' in page
    assert 'href="/specialists/message-spam"' not in page
    assert "matches" in client.get("/fleet", params={"q": "<nothing>"}).text


@pytest.mark.parametrize("name", NAMES)
def test_a_specialist_has_its_page_and_its_json(client: httpx.Client, name: str) -> None:
    page = client.get(f"/specialists/{name}")
    assert page.status_code == 200
    assert page.text.count("<h1") == 1
    as_json = client.get(f"/specialists/{name}.json")
    assert as_json.json()["name"] == name
    asked = client.get(f"/specialists/{name}", headers={"Accept": "application/json"})
    assert asked.json() == as_json.json()


def test_every_page_is_also_json(client: httpx.Client) -> None:
    for path in ("/", "/fleet", "/specialists/banking-intents", "/make", "/docs"):
        page = client.get(path).text
        address = re.search(r'rel="alternate" type="application/json" href="([^"]+)"', page)
        assert address is not None, path
        assert client.get(html.unescape(address.group(1))).json()


def test_a_number_links_to_its_result(client: httpx.Client) -> None:
    page = client.get("/specialists/banking-intents").text
    links = set(re.findall(r'href="(/metier/v1/specialists/banking-intents/results/\w+)"', page))
    assert len(links) == 4
    assert all(client.get(link).status_code == 200 for link in links)


@pytest.mark.parametrize("path", ["/", "/fleet", "/specialists/hostile"])
def test_a_hostile_card_is_inert(client: httpx.Client, path: str) -> None:
    page = client.get(path).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "onerror=alert(1)>" not in page.replace("&gt;", "")
    assert "\u202e" not in page
    assert "49" not in re.findall(r"\{\{.*?\}\}", page)
    assert "y" * 3000 not in page
    assert len(page) < 400_000


def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(client: httpx.Client) -> None:
    for path in (
        "/",
        "/fleet",
        "/specialists/banking-intents",
        "/make",
        "/docs",
        "/nothing",
        "/sign-in",
    ):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert "javascript:" not in page
        bare_tags = re.sub(r'"[^"]*"', "", page)
        assert not re.search(r"<style|<[^<>]*\s(?:style|on\w+)=", bare_tags), path
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page):
            assert address.startswith(("/", "#")), (path, address)
            assert not address.startswith("//")


def test_a_make_without_scripts_ends_on_the_evidence(client: httpx.Client) -> None:
    started = client.post("/make", files={"data": ROWS}, data={"name": "mine"})
    assert started.status_code == 303
    page = started.headers["location"]
    deadline = time.monotonic() + 10
    while "See the evidence" not in (shown := client.get(page).text):
        assert '<meta http-equiv="refresh"' in shown
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert 'href="/specialists/mine"' in shown
    assert client.get("/specialists/mine").status_code == 200
    assert client.get(f"{page}.json").json()["state"] == "done"
    assert page in client.get("/make").text
    assert client.post(f"{page}/stop").status_code == 303


def test_a_wrong_form_says_how_to_mend_it(client: httpx.Client) -> None:
    reply = client.post("/make", files={"data": ("rows.exe", b"x")}, data={"name": "mine"})
    assert reply.status_code == 422
    assert "Use one of .csv" in reply.text
    assert "Back to the form" in reply.text


@pytest.mark.parametrize("path", ["/specialists/nope", "/jobs/nope", "/specialists/a%20b"])
def test_what_is_not_here_is_a_page_with_a_way_out(client: httpx.Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code in (404, 422)
    assert "<h1>" in reply.text
    assert 'href="/"' in reply.text


def test_an_empty_fleet_says_what_to_do_first(tmp_path: Path) -> None:
    with serving(StandIn(tmp_path)) as address:
        page = httpx.get(address, headers=PAGE).text
    assert "Make your first specialist" in page
    assert "metier make --task classify" in page


def test_assets_are_kept_only_under_their_version(client: httpx.Client) -> None:
    address = re.search(r'href="(/static/site\.css\?\w+)"', client.get("/").text)
    assert address is not None
    versioned = client.get(address.group(1))
    assert "immutable" in versioned.headers["cache-control"]
    assert versioned.headers["content-type"].startswith("text/css")
    assert client.get("/static/site.css").headers["cache-control"] == "no-cache"
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("name", ["nope.css", "..%2fpages.py", "%2e%2e/pages.py", "pages.py"])
def test_only_assets_are_assets(client: httpx.Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_hostile_text_is_really_in_the_fixture() -> None:
    assert "<script>" in HOSTILE_TEXT
    assert hostile().description.count("\u202e") > 10
