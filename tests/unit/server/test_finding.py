"""What an address asks of the catalogue, and how the answer is told."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from metier.errors import InputError
from metier.finding import Query
from metier.server.finding import parse_query
from stand_in.cards import banking, spam
from stand_in.metier import StandIn
from stand_in.serving import serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        serving(StandIn(tmp_path_factory.mktemp("fleet"), [banking(), spam()])) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


def test_an_empty_address_asks_for_everything() -> None:
    assert parse_query({}) == Query()
    assert parse_query({"q": "", "task": " ", "most_bytes": "", "fits": "0"}) == Query()


def test_every_filter_is_read() -> None:
    asked = {
        "q": " bank ",
        "task": "classify",
        "domain": "general",
        "licence": "MIT",
        "base": "tiny",
        "most_bytes": "1000000",
        "least_context": "2048",
        "fits": "on",
        "proved": "1",
        "verdict": "WIN",
        "since": "2026-01-01",
        "here": "true",
        "origin": "here",
        "order": "smallest",
        "limit": "5",
        "offset": "10",
        "meaning": "0",
    }
    assert parse_query(asked) == Query(
        "bank", "classify", "general", "MIT", "tiny", 1_000_000, 2048, True, True,
        "WIN", "2026-01-01", True, "here", "smallest", 5, 10, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("q", "x" * 401),
        ("task", "x" * 201),
        ("most_bytes", "-1"),
        ("most_bytes", "1e9"),
        ("least_context", "\u0661"),
        ("limit", "0"),
        ("limit", "101"),
        ("offset", "9" * 30),
        ("fits", "perhaps"),
        ("order", "likes"),
    ],
)
def test_a_bad_value_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(InputError) as told:
        parse_query({field: value})
    assert field in told.value.message
    assert told.value.details == {"param": field}
    assert len(told.value.message) < 200


@pytest.mark.parametrize("path", ["/find.json", "/metier/v1/find"])
def test_what_was_found_is_told_as_json(client: httpx.Client, path: str) -> None:
    told = client.get(path, params={"q": "bank"}).json()
    assert told["query"]["words"] == "bank"
    assert told["total"] == 1
    assert told["hits"][0]["installed"] == "banking-intents"
    refused = client.get(path, params={"limit": "x"})
    assert refused.status_code == 422
    assert "limit" in refused.text


def test_the_first_page_answers_people_scripts_and_programs(client: httpx.Client) -> None:
    page = client.get("/", headers={"Accept": "text/html"})
    assert 'href="/specialists/message-spam"' in page.text
    told = client.get("/", headers={"Accept": "application/json"}).json()
    assert told["total"] == 2
    assert client.get("/").text == "Ollama is running"
