"""The access log and the numbers: what is written down of a request, and what never is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from metier.generating import Taken
from metier.server.observing import Seen, seen
from stand_in.metier import StandIn
from stand_in.models import TAKEN
from stand_in.serving import serving

SECRET = "a-secret-that-nobody-may-log"


@pytest.fixture
def lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[httpx.Client, list]]:
    found: list[str] = []
    with (
        caplog.at_level(logging.INFO, logger="metier.access"),
        serving(StandIn(tmp_path), log_requests=True, api_key=SECRET) as address,
        httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {SECRET}", "X-Request-Id": "known"},
            trust_env=False,
        ) as client,
    ):
        yield client, found
        found.extend(record.getMessage() for record in caplog.records)


def logged(caplog: pytest.LogCaptureFixture) -> list[dict]:
    return [json.loads(record.getMessage()) for record in caplog.records]


def test_a_line_has_the_route_the_status_and_the_time(lines, caplog) -> None:
    client, _ = lines
    client.get("/health")
    (line,) = logged(caplog)
    assert line.pop("ms") >= 0
    assert line.pop("time").endswith("+00:00")
    assert line == {"id": "known", "method": "GET", "route": "/health", "status": 200}


def test_an_answer_adds_its_model_and_tokens_and_no_text(lines, caplog) -> None:
    client, _ = lines
    asked = {
        "model": "tiny",
        "stream": True,
        "messages": [{"role": "user", "content": "a private question"}],
    }
    said = client.post("/v1/chat/completions", json=asked).text
    assert "Hello" in said
    (line,) = logged(caplog)
    assert (line["model"], line["tokens_in"], line["tokens_out"]) == (
        "tiny",
        TAKEN.tokens_in,
        TAKEN.tokens_out,
    )
    assert 0 <= line["first_ms"] <= line["ms"]
    written = caplog.text
    assert "private" not in written
    assert "Hello" not in written
    assert SECRET not in written


def test_answers_in_ollamas_dialect_are_counted_too(lines, caplog) -> None:
    client, _ = lines
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "a private question"}]}
    client.post("/api/chat", json=asked)
    client.post("/api/embed", json={"model": "team/words:2", "input": "private"})
    chat, embed = logged(caplog)
    assert (chat["route"], chat["tokens_out"]) == ("/api/chat", TAKEN.tokens_out)
    assert (embed["model"], embed["tokens_in"]) == ("team/words:2", 1)
    assert "private" not in caplog.text


def test_an_error_is_logged_by_its_code(lines, caplog) -> None:
    client, _ = lines
    client.get("/v1/models/nobody-has-this")
    client.get("/nowhere/at-all")
    client.get("/v1/models", headers={"Authorization": "wrong"})
    named = [(line["route"], line["status"], line["error"]) for line in logged(caplog)]
    assert named == [
        ("/v1/models/{name:path}", 404, "not_found"),
        ("none", 404, "not_found"),
        ("other", 401, "key_needed"),
    ]
    assert "nobody-has-this" not in caplog.text


def test_the_numbers_need_the_key_and_count_what_was_answered(lines) -> None:
    client, _ = lines
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401
    asked = {"model": "tiny", "stream": True, "messages": [{"role": "user", "content": "a"}]}
    client.post("/v1/chat/completions", json=asked)
    client.get("/v1/models/nobody")
    text = client.get("/metrics").text
    assert f'metier_tokens_total{{kind="out",model="tiny"}} {TAKEN.tokens_out}.0' in text
    assert "metier_first_token_seconds_count 1.0" in text
    assert "metier_model_load_seconds_count 1.0" in text
    assert 'metier_failures_total{code="not_found"} 1.0' in text
    assert "metier_http_requests_in_flight 1.0" in text
    assert "nobody" not in text


def test_what_is_seen_of_a_request_is_added_up() -> None:
    scope: dict[str, object] = {}
    told = seen(scope)
    assert seen(scope) is told
    told.answered("tiny", Taken(tokens_in=2, tokens_out=3))
    told.answered("tiny", Taken(tokens_in=2, tokens_out=4))
    assert (told.model, told.tokens_in, told.tokens_out) == ("tiny", 4, 7)
    assert Seen(0.0).first is None


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("tiny:latest", "tiny"),
        ("tiny@remote:x", "tiny"),
        ("team/x:v1", "team/x:v1"),
        ("a b", "other"),
    ],
)
def test_a_model_is_counted_under_one_name(written: str, counted: str) -> None:
    told = Seen(0.0)
    told.answered(written, Taken())
    assert told.model == counted
