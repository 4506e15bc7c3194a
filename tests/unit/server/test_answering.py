"""The calls that programs make: /v1/classify, /v1/models, /health."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from metier.server.native import ClassifyReply
from stand_in.cards import banking, spam
from stand_in.metier import StandIn
from stand_in.serving import serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    team = spam().model_copy(update={"name": "team/spam:2"})
    metier = StandIn(tmp_path_factory.mktemp("fleet"), [banking(), team])
    with serving(metier) as address:
        yield address


def test_one_text_has_its_answer_at_the_top(server: str) -> None:
    asked = {"model": "banking-intents", "input": "where is my card, it did not arrive", "top": 3}
    reply = httpx.post(f"{server}/v1/classify", json=asked)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    ClassifyReply.model_validate(body)
    assert body["label"] == body["results"][0]["label"] == body["results"][0]["scores"][0]["label"]
    assert len(body["results"][0]["scores"]) == 3
    assert body["usage"]["texts"] == 1


def test_many_texts_are_answered_in_order(server: str) -> None:
    texts = [f"text number {index}" for index in range(100)]
    single = [
        httpx.post(f"{server}/v1/classify", json={"model": "team/spam:2", "input": text}).json()
        for text in texts[:5]
    ]
    batch = httpx.post(
        f"{server}/v1/classify", json={"model": "team/spam:2", "input": texts}
    ).json()
    assert len(batch["results"]) == 100
    assert batch["results"][:5] == [answer["results"][0] for answer in single]
    assert "label" not in batch


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b"\xff", 400, "bad_encoding"),
        (b"{}", 422, "bad_request"),
        (b'{"model": "nope", "input": "a"}', 404, "not_found"),
        (b'{"model": "a b", "input": "a"}', 422, "bad_name"),
        (json.dumps({"model": "x", "input": ["a"] * 3000}).encode(), 413, "too_large"),
        (b'{"model": "banking-intents", "input": "FAIL"}', 422, "bad_input"),
    ],
)
def test_an_error_has_openais_shape(server: str, body: bytes, status: int, code: str) -> None:
    reply = httpx.post(f"{server}/v1/classify", content=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (status, code)
    assert set(error) == {"message", "type", "param", "code"}


def test_the_hot_path_takes_post_only(server: str) -> None:
    reply = httpx.get(f"{server}/v1/classify")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"


def test_a_body_in_pieces_is_put_together(server: str) -> None:
    body = json.dumps({"model": "banking-intents", "input": "where is my card"}).encode()
    pieces = (body[start : start + 7] for start in range(0, len(body), 7))
    assert httpx.post(f"{server}/v1/classify", content=pieces).status_code == 200


def test_sixteen_callers_at_once_each_get_their_own(server: str) -> None:
    def ask(number: int) -> bool:
        text = f"{'ab' * (number % 5 + 1)} card {number}"
        with httpx.Client(base_url=server) as client:
            asked = {"model": "banking-intents", "input": text}
            replies = [client.post("/v1/classify", json=asked).json() for _ in range(5)]
        return all(reply["results"] == replies[0]["results"] for reply in replies)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))


def test_models_are_listed_and_found_by_every_kind_of_name(server: str) -> None:
    listed = httpx.get(f"{server}/v1/models").json()["data"]
    assert [model["id"] for model in listed] == ["tiny", "plain", "team/words:2", "spam"]
    for model in listed:
        assert httpx.get(f"{server}/v1/models/{model['id']}").json() == model
    assert httpx.get(f"{server}/v1/models/tiny:latest").status_code == 200
    missing = httpx.get(f"{server}/v1/models/nope")
    assert missing.status_code == 404
    assert missing.json()["error"]["type"] == "not_found_error"


def test_health_says_how_many_models_are_in_memory_and_names_none(server: str) -> None:
    told = httpx.get(f"{server}/health").json()
    assert (told["status"], told["resident"]) == ("ok", 0)
    assert set(told) == {"status", "version", "resident"}
    assert httpx.head(f"{server}/health").status_code == 200


def test_the_numbers_are_prometheus_text(server: str) -> None:
    httpx.post(f"{server}/v1/classify", json={"model": "banking-intents", "input": "card"})
    reply = httpx.get(f"{server}/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    counted = 'metier_http_requests_total{method="POST",route="/v1/classify",status="200"}'
    assert counted in reply.text
    assert "python_info" not in reply.text


def test_a_caller_that_leaves_half_way_leaves_the_server_well(server: str) -> None:
    address = urlsplit(server)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0)
    connection.putrequest("POST", "/v1/classify")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b'{"model"')
    connection.close()
    assert httpx.get(f"{server}/health").status_code == 200


def test_a_part_of_the_answer_is_never_lost_with_odd_characters(tmp_path: Path) -> None:
    card = spam().model_copy(update={"labels": ("grüße 🎈", "مرحبا")})
    with serving(StandIn(tmp_path, [card])) as server:
        asked = {"model": "message-spam", "input": "grüße مرحبا 🎈"}
        reply = httpx.post(f"{server}/v1/classify", json=asked)
        assert {score["label"] for score in reply.json()["results"][0]["scores"]} == set(
            card.labels
        )
