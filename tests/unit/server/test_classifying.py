"""The try box of a classifier without scripts: several lines, limits, errors, the way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from metier.server.classifying import MOST_TEXTS
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving

FORM = "/specialists/banking-intents/classify"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        serving(StandIn(tmp_path, [banking()])) as address,
        httpx.Client(base_url=address, headers={"Accept": "text/html", "Origin": address}) as found,
    ):
        yield found


def test_each_line_is_answered_with_the_servers_time(client: httpx.Client) -> None:
    page = client.post(FORM, data={"text": "where is my card\r\n\r\n<b>what</b> is the rate"})
    assert page.status_code == 200
    assert page.text.count('aria-label="Answer ') == 2
    assert "2 texts in" in page.text
    assert "on the server" in page.text
    assert "&lt;b&gt;what" in page.text


@pytest.mark.parametrize("text", ["", " \n ", "a\n" * (MOST_TEXTS + 1)])
def test_none_and_too_many_are_said(client: httpx.Client, text: str) -> None:
    page = client.post(FORM, data={"text": text})
    assert f"Write 1 to {MOST_TEXTS} texts, one a line" in page.text


def test_a_failing_text_is_said_and_kept(client: httpx.Client) -> None:
    page = client.post(FORM, data={"text": "FAIL"})
    assert "A text could not be read. Leave FAIL out." in page.text
    assert "FAIL</textarea>" in page.text
    long = client.post(FORM, data={"text": "x" * 100_001})
    assert "may have 100,000" in long.text


def test_the_forms_address_leads_back(client: httpx.Client) -> None:
    answer = client.get(FORM)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/specialists/banking-intents",
    )
    assert client.post("/specialists/nobody/classify", data={"text": "x"}).status_code == 404
