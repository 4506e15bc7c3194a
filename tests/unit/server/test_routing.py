"""``POST /v1/route`` and the page ``/route``: decisions without an answer."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from metier.assembly import Metier
from metier.errors import InputError
from metier.server.routing import parse_route
from routed_fleet import ELSEWHERE, OF_PYTHON, Fleet
from stand_in.metier import StandIn
from stand_in.serving import serving

GENERAL = "remote:general"
PAGE = {"accept": "text/html"}


@pytest.fixture
def copy(routed: Fleet, tmp_path: Path) -> Iterator[Metier]:
    metier = routed.copied(tmp_path)
    yield metier
    metier.close()


@pytest.fixture
def client(copy: Metier) -> Iterator[httpx.Client]:
    with (
        serving(copy) as address,
        httpx.Client(base_url=address, timeout=60, trust_env=False) as client,
    ):
        yield client


def test_it_decides_and_asks_nobody(client: httpx.Client, routed: Fleet) -> None:
    asked = len(routed.mine.bodies) + len(routed.general.bodies)
    reply = client.post("/v1/route", json={"input": OF_PYTHON})
    body = reply.json()
    assert (body["object"], body["chosen"], body["ground"]) == ("route", "helper", "domain")
    assert body["scores"][0]["domain"] == "python"
    assert body["request"]["characters"] == len(OF_PYTHON)
    assert OF_PYTHON not in reply.text, "the text is not repeated"
    assert reply.headers["x-metier-model"] == "helper"
    assert len(routed.mine.bodies) + len(routed.general.bodies) == asked


def test_it_takes_a_conversation_and_every_wish(client: httpx.Client) -> None:
    messages = [{"role": "user", "content": ELSEWHERE}]
    for asked, who in (
        ({"messages": messages}, GENERAL),
        ({"input": ELSEWHERE, "domain": "python"}, "helper"),
        ({"input": ELSEWHERE, "model": "auto:python"}, "helper"),
        ({"input": OF_PYTHON, "not": ["helper"]}, GENERAL),
        ({"input": OF_PYTHON, "model": GENERAL}, GENERAL),
        ({"input": OF_PYTHON, "task": "chat"}, "helper"),
        ({"input": ELSEWHERE, "most_cost": "8 GB"}, ""),
    ):
        assert client.post("/v1/route", json=asked).json()["chosen"] == who, asked


def test_a_picture(client: httpx.Client) -> None:
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    for asked in ({"images": [picture]}, {"images": [f"data:image/png;base64,{picture}"]}):
        body = client.post("/v1/route", json=asked).json()
        assert body["chosen"] == ""
        assert body["request"]["pictures"] == 1
        assert body["remedy"].startswith("metier pull ")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"input": "  "},
        {"input": 5},
        {"input": "a", "task": "classify"},
        {"input": "a", "images": "x"},
        {"input": "a", "images": ["%"]},
        {"input": "a", "images": [5]},
        {"input": "a", "metier": []},
        {"input": "a", "domain": 5},
        {"messages": []},
    ],
)
def test_what_is_wrong_is_named(asked: dict) -> None:
    with pytest.raises(InputError) as caught:
        parse_route(asked, {})
    assert caught.value.code == "bad_request"
    assert caught.value.details["param"]


def test_the_page_shows_a_decision_and_the_latest_ones(client: httpx.Client) -> None:
    page = client.get("/route", headers=PAGE)
    assert "Who would answer?" in page.text
    assert "auto:python" in page.text
    decided = client.post("/route", data={"q": OF_PYTHON}, headers=PAGE)
    assert decided.status_code == 200
    assert "helper" in decided.text
    assert 'class="threshold"' in decided.text
    assert "Next would be" in decided.text
    after = client.get("/route", headers=PAGE).text
    assert "decided only" in after
    assert "add_n0" not in after, "texts are not kept"


def test_its_json_twin(client: httpx.Client) -> None:
    document = client.get("/route.json", params={"q": OF_PYTHON}).json()
    assert document["decision"]["chosen"] == "helper"
    assert document["latest"][0]["chosen"] == "helper"
    assert document["general"]["name"] == GENERAL
    assert document["command"] == f"metier route '{OF_PYTHON}' --explain"
    same = client.get("/route", headers={"accept": "application/json"}).json()
    assert same["names"] == ["auto", "auto:python"]


def test_a_picture_and_a_wrong_field_in_the_form(client: httpx.Client) -> None:
    files = {"picture": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    shown = client.post("/route", data={"q": ""}, files=files, headers=PAGE)
    assert "does not see pictures" in shown.text
    wrong = client.post("/route", data={"q": "a", "most_cost": "much"}, headers=PAGE)
    assert wrong.status_code == 422
    assert "no cost class" in wrong.text or "not a cost class" in wrong.text
    large = {"picture": ("a.png", b"\x89PNG" + b"0" * 6_000_001, "image/png")}
    assert client.post("/route", files=large, headers=PAGE).status_code == 422


def test_with_nobody_the_page_says_what_to_pull(tmp_path: Path) -> None:
    with serving(StandIn(tmp_path)) as address, httpx.Client(trust_env=False) as client:
        page = client.get(f"{address}/route", headers=PAGE)
        assert "nothing to route to" in page.text
        assert "metier pull" in page.text
