"""OpenAI's routes over a real server: models of a script, streams, errors before and after."""

from __future__ import annotations

import base64
import json
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from metier.errors import InputError, UnavailableError
from metier.generating import Piece, ToolCall
from stand_in.metier import StandIn
from stand_in.models import TAKEN, chance, listing
from stand_in.serving import serving

HELLO = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
STREAM = {**HELLO, "stream": True}


@pytest.fixture
def metier(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


@pytest.fixture
def client(metier: StandIn) -> Iterator[httpx.Client]:
    with (
        serving(metier) as address,
        httpx.Client(base_url=address, timeout=30, trust_env=False) as client,
    ):
        yield client


def events(text: str) -> list[dict]:
    lines = [line for line in text.split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_a_model_answers_a_chat(client: httpx.Client, metier: StandIn) -> None:
    reply = client.post("/v1/chat/completions", json=HELLO)
    body = reply.json()
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Hello there."}
    assert body["usage"]["prompt_tokens"] == TAKEN.tokens_in
    assert body["model"] == "tiny"
    assert abs(body["created"] - time.time()) < 60
    assert reply.headers["content-type"] == "application/json"
    assert metier.models.asked[0][0] == "tiny"


def test_a_models_own_parameters_stand_above_the_dialects_defaults(
    client: httpx.Client, metier: StandIn
) -> None:
    client.post("/v1/chat/completions", json=HELLO)
    metier.models.here["tiny"] = replace(listing("tiny"), settings=("temperature",))
    client.post("/v1/chat/completions", json=HELLO)
    client.post("/v1/completions", json={"model": "tiny", "prompt": "a"})
    client.post("/v1/chat/completions", json={**HELLO, "temperature": 0.7})
    sampled = [question.options for _, question, _, _ in metier.models.asked]
    assert [(how.temperature, how.top_p) for how in sampled] == [
        (1.0, 1.0),
        (None, 1.0),
        (None, 1.0),
        (0.7, 1.0),
    ]


def test_a_stream_has_the_role_the_pieces_the_end_and_the_usage(client: httpx.Client) -> None:
    asked = {**STREAM, "stream_options": {"include_usage": True}}
    reply = client.post("/v1/chat/completions", json=asked)
    assert reply.headers["content-type"].startswith("text/event-stream")
    role, *pieces, end, usage = events(reply.text)
    assert role["choices"][0]["delta"]["role"] == "assistant"
    text = "".join(piece["choices"][0]["delta"]["content"] for piece in pieces)
    assert text == "Hello there."
    assert (end["choices"][0]["delta"], end["choices"][0]["finish_reason"]) == ({}, "stop")
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], TAKEN.tokens_out)
    assert len({one["created"] for one in events(reply.text)}) == 1


def test_a_stream_without_a_piece_still_has_its_role(client: httpx.Client, metier: StandIn) -> None:
    metier.models.script = ()
    role, end = events(client.post("/v1/chat/completions", json=STREAM).text)
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert end["choices"][0]["finish_reason"] == "stop"


def test_calls_of_tools_come_as_text_in_both_ways(client: httpx.Client, metier: StandIn) -> None:
    metier.models.script = (Piece(tool_calls=(ToolCall("look", {"a": 1}),)),)
    choice = client.post("/v1/chat/completions", json=HELLO).json()["choices"][0]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"a":1}'
    assert choice["finish_reason"] == "tool_calls"
    _, call, end = events(client.post("/v1/chat/completions", json=STREAM).text)
    assert call["choices"][0]["delta"]["tool_calls"][0]["function"]["name"] == "look"
    assert end["choices"][0]["finish_reason"] == "tool_calls"


def test_several_choices_are_asked_at_once(client: httpx.Client, metier: StandIn) -> None:
    metier.models.pause = 0.2
    started = time.monotonic()
    body = client.post("/v1/chat/completions", json={**HELLO, "n": 4, "seed": 1}).json()
    assert time.monotonic() - started < 2 * 3 * 0.2
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]
    seeds = sorted(question.options.seed for _, question, _, _ in metier.models.asked)
    assert seeds == [1, 2, 3, 4]
    assert body["usage"]["completion_tokens"] == 4 * TAKEN.tokens_out
    said = events(client.post("/v1/chat/completions", json={**STREAM, "n": 2}).text)
    for place in (0, 1):
        deltas = [one["choices"][0]["delta"] for one in said if one["choices"][0]["index"] == place]
        assert "".join(delta.get("content", "") for delta in deltas) == "Hello there."


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_before_the_first_word_has_its_status(
    client: httpx.Client, metier: StandIn, stream: bool
) -> None:
    for error, status in (
        (InputError("No.", code="no_capability"), 400),
        (InputError("Long.", code="prompt_too_long"), 400),
        (UnavailableError("Full.", code="queue_full", retryable=True), 503),
        (UnavailableError("Ended.", code="engine_ended", retryable=True), 503),
    ):
        metier.models.script = (error,)
        reply = client.post("/v1/chat/completions", json={**HELLO, "stream": stream})
        assert reply.status_code == status
        assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
        assert ("retry-after" in reply.headers) == (status == 503)
    unknown = client.post("/v1/chat/completions", json={**HELLO, "model": "nobody"})
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "not_found_error")


def test_an_error_after_the_first_word_is_an_event(client: httpx.Client, metier: StandIn) -> None:
    metier.models.script = (Piece("Hel"), UnavailableError("It ended.", code="engine_ended"))
    reply = client.post("/v1/chat/completions", json=STREAM)
    assert reply.status_code == 200
    *_, last = events(reply.text)
    assert last["error"]["code"] == "engine_ended"
    assert last["error"]["type"] == "server_error"


def test_one_failing_choice_fails_the_request(client: httpx.Client, metier: StandIn) -> None:
    metier.models.script = (Piece("a"), UnavailableError("It ended.", code="engine_ended"))
    reply = client.post("/v1/chat/completions", json={**HELLO, "n": 3})
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "engine_ended")


def test_a_caller_who_leaves_ends_the_question(client: httpx.Client, metier: StandIn) -> None:
    metier.models.script = (Piece("a"),) * 400
    metier.models.pause = 0.02
    with client.stream("POST", "/v1/chat/completions", json=STREAM) as reply:
        next(reply.iter_lines())
    deadline = time.monotonic() + 5
    while not metier.models.stopped and time.monotonic() < deadline:
        time.sleep(0.02)
    assert metier.models.stopped


def test_many_waiting_answers_do_not_stop_the_other_calls(
    client: httpx.Client, metier: StandIn
) -> None:
    metier.models.pause = 3
    metier.models.script = (Piece("a"),)
    waiting = [
        threading.Thread(target=client.post, args=("/v1/chat/completions",), kwargs={"json": HELLO})
        for _ in range(60)
    ]
    for thread in waiting:
        thread.start()
    deadline = time.monotonic() + 5
    while len(metier.models.asked) < 60 and time.monotonic() < deadline:
        time.sleep(0.02)
    asked = len(metier.models.asked)
    started = time.monotonic()
    status = client.get("/v1/models").status_code
    spent = time.monotonic() - started
    for thread in waiting:
        thread.join()
    assert asked == 60, "each answer has a thread of its own"
    assert (status, spent < 1) == (200, True)


def test_chances_stand_in_one_chunk_with_their_text(client: httpx.Client, metier: StandIn) -> None:
    first, second = chance("Hel", -0.5), chance("lo", -1.0)
    metier.models.script = (
        Piece("Hel"),
        Piece(chances=(first,)),
        Piece("lo"),
        Piece(chances=(second,)),
        Piece("."),
    )
    asked = {**STREAM, "logprobs": True}
    said = events(client.post("/v1/chat/completions", json=asked).text)[1:-1]
    found = [one["choices"][0] for one in said]
    assert [one["delta"]["content"] for one in found] == ["Hel", "lo", "."]
    assert [bool(one["logprobs"]) for one in found] == [True, True, False]


def test_a_base_behind_the_name_is_for_specialists_only(
    client: httpx.Client, metier: StandIn
) -> None:
    reply = client.post("/v1/chat/completions", json={**HELLO, "model": "tiny@remote:big"})
    assert reply.status_code in (400, 404)
    assert metier.models.asked == []


def test_text_is_continued_and_gaps_are_filled(client: httpx.Client, metier: StandIn) -> None:
    asked = {"model": "tiny", "prompt": "Once", "suffix": "end", "echo": True}
    body = client.post("/v1/completions", json=asked).json()
    assert body["choices"][0]["text"] == "OnceHello there."
    assert metier.models.asked[-1][1].suffix == "end"
    said = events(client.post("/v1/completions", json={**asked, "stream": True}).text)
    assert "".join(one["choices"][0]["text"] for one in said) == "OnceHello there."


def test_vectors_are_numbers_or_base64(client: httpx.Client) -> None:
    asked = {"model": "team/words:2", "input": ["a", "bb"]}
    numbers = client.post("/v1/embeddings", json=asked).json()["data"]
    packed = client.post("/v1/embeddings", json={**asked, "encoding_format": "base64"}).json()
    for one, other in zip(numbers, packed["data"], strict=True):
        raw = base64.b64decode(other["embedding"])
        assert struct.unpack(f"<{len(raw) // 4}f", raw) == pytest.approx(one["embedding"])
    assert client.post("/v1/embeddings", json={**asked, "model": "tiny"}).status_code == 400
    long = client.post("/v1/embeddings", json={**asked, "input": "a" * 200})
    assert long.status_code == 400, "a text that is too long is refused, never cut"
    assert long.json()["error"]["code"] == "context_length_exceeded"


def test_documents_are_ranked(client: httpx.Client) -> None:
    asked = {"model": "team/words:2", "query": "q", "documents": ["a", "b"], "top_n": 1}
    body = client.post("/v1/rerank", json=asked).json()
    assert body["results"] == [{"index": 0, "relevance_score": 0.0, "document": {"text": "a"}}]


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"]
)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"model": 3}', b"\xff", b"{}"])
def test_a_body_that_is_wrong_is_a_sentence(client: httpx.Client, path: str, body: bytes) -> None:
    reply = client.post(path, content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]
