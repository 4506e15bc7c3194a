"""``auto`` in every dialect over a real server: who answered, why, fallback, overrides, streams."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import tiny_gguf
import workshop
from metier.assembly import Metier
from metier.errors import InputError
from metier.routing import Candidate, Decision, Refused, Request, Routed, Tried
from metier.server.auto import MODEL, ROUTE, ROUTE_ID, WHY, parted, route_headers, without_wishes
from routed_fleet import ELSEWHERE, GENERAL_SAYS, OF_PYTHON, Fleet
from scripted import Scripted
from stand_in.serving import serving

GENERAL = "remote:general"


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


def said(text: str, **more: object) -> dict:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}


def events(text: str) -> list[dict]:
    lines = [line for line in text.split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_openai_says_who_answered_why_and_who_was_next(client: httpx.Client) -> None:
    reply = client.post("/v1/chat/completions", json=said(OF_PYTHON))
    body = reply.json()
    assert "def add_n0" in body["choices"][0]["message"]["content"]
    assert body["model"] == "helper"
    route = body["metier"]["route"]
    assert (route["model"], route["ground"], route["next"]) == ("helper", "domain", GENERAL)
    assert body["metier"]["checked"] is True, "the specialist's trace stands beside it"
    assert reply.headers[MODEL] == "helper"
    assert reply.headers[ROUTE].startswith("domain; domain=python; score=")
    assert f"next={GENERAL}" in reply.headers[ROUTE]
    assert "python" in reply.headers[WHY]
    assert reply.headers[ROUTE_ID] == route["id"]


def test_what_is_of_no_domain_goes_to_the_general_model(client: httpx.Client) -> None:
    reply = client.post("/v1/chat/completions", json=said(ELSEWHERE))
    assert reply.json()["choices"][0]["message"]["content"] == GENERAL_SAYS
    assert reply.headers[MODEL] == GENERAL
    assert "checked" not in reply.json()["metier"]


def test_a_stream_names_who_answers_from_its_first_chunk(client: httpx.Client) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    reply = client.post("/v1/chat/completions", json=said(OF_PYTHON, **options))
    assert reply.headers[MODEL] == "helper"
    *chunks, end, usage = events(reply.text)
    assert {chunk["model"] for chunk in (*chunks, end)} == {"helper"}
    assert end["choices"][0]["finish_reason"] == "stop"
    assert end["metier"]["route"]["model"] == "helper"
    assert all("metier" not in chunk for chunk in (*chunks, usage))
    assert usage["usage"]["completion_tokens"] > 0


def test_ollama_chat_and_generate(client: httpx.Client) -> None:
    reply = client.post("/api/chat", json=said(OF_PYTHON, stream=False))
    assert reply.json()["model"] == "auto", "Ollama's clients find the name that they asked for"
    assert reply.json()["metier"]["route"]["model"] == "helper"
    assert reply.headers[MODEL] == "helper"
    streamed = client.post("/api/chat", json=said(ELSEWHERE))
    *lines, last = [json.loads(line) for line in streamed.text.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == GENERAL_SAYS
    assert last["done"]
    assert last["metier"]["route"]["model"] == GENERAL
    assert streamed.headers[MODEL] == GENERAL
    asked = {"model": "auto:python", "prompt": "hello", "stream": False}
    written = client.post("/api/generate", json=asked)
    assert written.json()["metier"]["route"]["ground"] == "named"
    assert written.headers[MODEL] == "helper"


def test_our_own_dialect(client: httpx.Client) -> None:
    body = client.post("/metier/v1/answer", json=said(OF_PYTHON)).json()
    assert body["metier"]["route"]["model"] == "helper"
    assert body["files"]
    streamed = client.post("/metier/v1/answer", json=said(ELSEWHERE, stream=True))
    assert streamed.headers[MODEL] == GENERAL
    assert GENERAL_SAYS in streamed.text
    assert '"route"' in streamed.text.rpartition("event: reply")[2]


def test_it_is_listed_while_there_is_somebody_to_route_to(
    client: httpx.Client, copy: Metier
) -> None:
    names = [one["id"] for one in client.get("/v1/models").json()["data"]]
    assert names[:2] == ["auto", "auto:python"]
    tags = [one["name"] for one in client.get("/api/tags").json()["models"]]
    assert tags[:2] == ["auto:latest", "auto:python"]
    assert client.get("/v1/models/auto:python").json()["task"] == "chat"
    shown = client.post("/api/show", json={"model": "auto"}).json()
    assert "completion" in shown["capabilities"]
    assert shown["model_info"]["metier.general"] == GENERAL
    copy.remove("helper")
    names = [one["id"] for one in client.get("/v1/models").json()["data"]]
    assert names[0] == "auto"
    assert "auto:python" not in names


def test_with_nobody_it_is_a_503_that_says_what_to_pull(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    with serving(metier) as address, httpx.Client(base_url=address, trust_env=False) as client:
        assert client.get("/v1/models").json()["data"] == []
        for path, asked in (
            ("/v1/chat/completions", said("hello")),
            ("/v1/chat/completions", said("hello", stream=True)),
            ("/api/chat", said("hello")),
            ("/api/generate", {"model": "auto", "prompt": "hello"}),
            ("/api/generate", {"model": "auto"}),
            ("/metier/v1/answer", said("hello")),
            ("/metier/v1/answer", said("hello", stream=True)),
        ):
            reply = client.post(path, json=asked)
            assert reply.status_code == 503, (path, reply.text)
            assert "metier pull hf.co/" in reply.text
        assert client.get("/v1/models/auto").status_code == 503
    metier.close()


def test_an_unknown_domain_is_a_404(client: httpx.Client) -> None:
    for path in ("/v1/chat/completions", "/api/chat", "/metier/v1/answer"):
        reply = client.post(path, json={**said("hello"), "model": "auto:cooking"})
        assert reply.status_code == 404, reply.text
        assert "cooking" in reply.text


def test_the_person_can_override_by_field_and_by_header(client: httpx.Client) -> None:
    path = "/v1/chat/completions"
    for asked, headers, who in (
        ({"metier": {"model": GENERAL}}, {}, GENERAL),
        ({}, {"x-metier-model": GENERAL}, GENERAL),
        ({"metier": {"not": ["helper"]}}, {}, GENERAL),
        ({"metier": {"not": "helper"}}, {}, GENERAL),
        ({}, {"x-metier-not": "other, helper"}, GENERAL),
        ({"metier": {"domain": "python", "documents": False}}, {}, "helper"),
        ({}, {"x-metier-domain": "python"}, "helper"),
    ):
        text = OF_PYTHON if who == GENERAL else ELSEWHERE
        reply = client.post(path, json=said(text, **asked), headers=headers)
        assert reply.headers[MODEL] == who, (asked, headers, reply.text)
    dear = client.post(path, json=said(ELSEWHERE, metier={"most_cost": "this machine"}))
    assert dear.status_code == 400
    assert "costs more" in dear.text
    assert client.post(path, json=said("hi", metier={"model": "nobody"})).status_code == 404


@pytest.mark.parametrize(
    "field",
    [
        {"metier": 5},
        {"metier": {"domain": 5}},
        {"metier": {"not": {"a": 1}}},
        {"metier": {"candidates": -1}},
        {"metier": {"unknown": 1}},
        {"metier": {"base": "remote:mine"}},
        {"metier": {"most_cost": "much"}},
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, field: dict) -> None:
    reply = client.post("/v1/chat/completions", json=said("hello", **field))
    assert reply.status_code == 400, reply.text
    assert "metier" in reply.text or "much" in reply.text


def test_when_the_chosen_one_fails_the_next_answers(client: httpx.Client, routed: Fleet) -> None:
    def down(_body: dict) -> Scripted:
        return Scripted(401, {"error": "no"})

    before, routed.mine.always = routed.mine.always, down
    try:
        reply = client.post("/v1/chat/completions", json=said(OF_PYTHON, stream=True))
    finally:
        routed.mine.always = before
    assert reply.headers[MODEL] == GENERAL
    assert reply.headers[ROUTE].startswith("fallback; ")
    assert "tried=helper" in reply.headers[ROUTE]
    (_, *_, end) = events(reply.text)
    assert end["metier"]["route"]["tried"][0]["name"] == "helper"


def test_a_conversation_goes_on_with_who_has_it(client: httpx.Client) -> None:
    first = client.post("/v1/chat/completions", json=said(ELSEWHERE)).json()
    answer = first["choices"][0]["message"]["content"] + " rice" * 3000
    turns = [
        {"role": "user", "content": ELSEWHERE},
        {"role": "assistant", "content": answer},
        {"role": "user", "content": "And without eggs?"},
    ]
    reply = client.post("/v1/chat/completions", json={"model": "auto", "messages": turns})
    assert reply.headers[MODEL] == GENERAL


def test_a_picture_that_nobody_sees_is_refused(client: httpx.Client) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [{"role": "user", "content": [picture]}]
    reply = client.post("/v1/chat/completions", json={"model": "auto", "messages": messages})
    assert reply.status_code == 400
    assert "see" in reply.text
    assert "metier pull" in reply.text


def test_ten_megabytes_are_decided_on(client: httpx.Client) -> None:
    reply = client.post("/v1/chat/completions", json=said("word " * 2_000_000))
    assert reply.status_code in (200, 400), reply.text[:300]
    assert client.get("/health").status_code == 200


def test_many_at_once(client: httpx.Client) -> None:
    found: list[str] = []

    def one(text: str) -> None:
        found.append(client.post("/v1/chat/completions", json=said(text)).headers.get(MODEL, ""))

    threads = [
        threading.Thread(target=one, args=(OF_PYTHON if number % 2 else ELSEWHERE,))
        for number in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["helper"] * 5 + [GENERAL] * 5


def test_several_choices_and_a_tiny_model(routed: Fleet, tmp_path: Path) -> None:
    metier = routed.copied(tmp_path, general_url=None, general_model=None)
    metier.fleet.import_gguf(tiny_gguf.tiny_model(tmp_path), "tiny")
    with (
        serving(metier) as address,
        httpx.Client(base_url=address, timeout=60, trust_env=False) as client,
    ):
        how = {"n": 2, "max_tokens": 4, "temperature": 0}
        body = client.post("/v1/chat/completions", json=said(ELSEWHERE, **how)).json()
        assert [one["index"] for one in body["choices"]] == [0, 1]
        assert body["metier"]["route"]["model"] == "tiny"
        named = client.post(
            "/v1/chat/completions", json={**said(ELSEWHERE, **how), "model": "tiny"}
        ).json()
        assert named["choices"][0]["message"] == body["choices"][0]["message"], "the same answer"
        assert "metier" not in named
        loaded = client.post("/api/generate", json={"model": "auto"})
        assert loaded.json()["done_reason"] == "load"
        assert client.post("/api/chat", json={"model": "auto", "keep_alive": 0}).json()["done"]
        metrics = client.get("/metrics").text
        assert 'model="tiny"' in metrics
        assert 'model="auto"' not in metrics, "answers are counted under who gave them"
    metier.close()
    shutil.rmtree(metier.settings.home)


def test_headers_are_one_line_of_ascii_whatever_a_card_says() -> None:
    evil = "zażółć\r\nset-cookie: a=b"
    decision = Decision(
        evil, "domain", f"because {evil}", domain=evil, score=0.5, threshold=0.25, next=evil,
        refused=(Refused(evil, evil),),
    )  # fmt: skip
    routed = Routed("route_1", decision, Request(evil), (Candidate(evil, "1", "chat"),))
    for _, value in route_headers(routed, evil, (Tried(evil, evil),)):
        assert value.isascii()
        assert value.isprintable()


def test_wishes_are_parted_from_the_specialists_manner() -> None:
    asked = {"metier": {"domain": "a", "not": ["b"], "conversation": "c", "candidates": 3}}
    wish, manner = parted(asked, {"x-metier-domain": "other", "x-metier-most-cost": "8 GB"})
    assert (wish.domain, wish.without, wish.conversation, wish.most_cost) == (
        "a",
        ("b",),
        "c",
        "8 GB",
    )
    assert manner == {"candidates": 3}
    assert without_wishes(asked) == {"metier": {"candidates": 3}}
    assert without_wishes({"model": "auto"}) == {"model": "auto"}
    with pytest.raises(InputError):
        parted({"metier": {"not": ["x"] * 51}}, {})
