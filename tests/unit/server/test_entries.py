"""The page of a catalogue's entry over HTTP: as a page, as JSON, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from metier.finding import Entry, Fit, Hit
from stand_in.metier import StandIn
from stand_in.serving import serving


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    metier = StandIn(tmp_path)
    for name in ("team/coder", "plain", "odd.json"):
        entry = Entry(name=name, kind="model", task="chat")
        metier.catalogue["curated", name] = Hit(entry, "curated", fit=Fit("no", why="Too big."))
    with serving(metier) as address, httpx.Client(base_url=address) as found:
        yield found


def test_an_entry_has_a_page_and_its_json(client: httpx.Client) -> None:
    page = client.get("/entries/curated/team/coder", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "Too big." in page.text
    for path, headers in (
        ("/entries/curated/team/coder.json", {}),
        ("/entries/curated/team/coder", {"Accept": "application/json"}),
    ):
        told = client.get(path, headers=headers).json()
        assert told["entry"]["name"] == "team/coder"
        assert told["fit"]["runs"] == "no"


def test_a_name_that_ends_like_json_keeps_its_own_page(client: httpx.Client) -> None:
    page = client.get("/entries/curated/odd.json", headers={"Accept": "text/html"})
    assert "<h1" in page.text


def test_what_is_not_there_is_said(client: httpx.Client) -> None:
    for path in ("/entries/curated/nobody", "/entries/nowhere/plain", "/entries/curated/x.json"):
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 404
