"""Chat specialists over HTTP: a real server, a real fleet, a scripted service that writes."""

from __future__ import annotations

import json
import time

import httpx
import pytest

import coding_fleet
import scripted
from stand_in.serving import serving

ASK = {"messages": [{"role": "user", "content": "Write add(a, b)."}]}


@pytest.fixture(scope="module")
def service():
    with scripted.service(key=None) as seen:
        yield seen


@pytest.fixture(scope="module")
def address(tmp_path_factory, service):
    home = tmp_path_factory.mktemp("home")
    metier = coding_fleet.opened(home, service=service.service.url)
    with serving(metier) as found:
        yield found
    metier.close()


def post(address: str, path: str, body: object, **more) -> httpx.Response:
    return httpx.post(f"{address}{path}", json=body, timeout=60, trust_env=False, **more)


def test_an_answer_is_checked_and_carries_its_trace(address, service) -> None:
    service.always = scripted.told(coding_fleet.GOOD)
    body = post(address, "/v1/chat/completions", {"model": "coder@remote:big", **ASK}).json()
    assert "return a + b" in body["choices"][0]["message"]["content"]
    assert body["model"] == "coder@remote:big"
    assert body["metier"]["checked"] is True
    kinds = [step["kind"] for step in body["metier"]["trace"]]
    assert "generate" in kinds
    assert "check" in kinds
    assert body["usage"]["total_tokens"] > 0


def test_a_wrong_draft_is_repaired_by_the_base(address, service) -> None:
    service.script[:] = [scripted.said(coding_fleet.BAD), scripted.said(coding_fleet.GOOD)]
    service.always = scripted.told(coding_fleet.GOOD)
    body = post(address, "/v1/chat/completions", {"model": "coder@remote:big", **ASK}).json()
    assert body["metier"]["checked"] is True
    assert "repair" in [step["kind"] for step in body["metier"]["trace"]]


def test_without_a_base_the_answer_comes_from_the_documents(address) -> None:
    body = post(
        address,
        "/v1/chat/completions",
        {"model": "coder", "messages": [{"role": "user", "content": "How do I open files?"}]},
    ).json()
    assert body["metier"]["base"] is None
    assert body["choices"][0]["message"]["content"]


def test_a_stream_gives_the_text_the_trace_and_the_end(address, service) -> None:
    service.always = scripted.told(coding_fleet.GOOD)
    asked = {
        "model": "coder@remote:big",
        "stream": True,
        "stream_options": {"include_usage": True},
        "metier": {"trace": True},
        **ASK,
    }
    response = post(address, "/v1/chat/completions", asked)
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in response.text.split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    bodies = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    pieces = [choice["delta"].get("content") or "" for body in bodies for choice in body["choices"]]
    assert "return a + b" in "".join(pieces)
    assert any("step" in body.get("metier", {}) for body in bodies)
    assert bodies[-1]["usage"]["total_tokens"] > 0
    assert "stop" in [c["finish_reason"] for body in bodies for c in body["choices"]]


def test_our_own_dialect_streams_named_events(address, service) -> None:
    service.always = scripted.told(coding_fleet.GOOD)
    asked = {"model": "coder@remote:big", "stream": True, **ASK}
    text = post(address, "/metier/v1/answer", asked).text
    names = [line for line in text.splitlines() if line.startswith("event: ")]
    assert "event: step" in names
    assert names[-1] == "event: reply"
    last = json.loads(text.strip().split("data: ")[-1])
    assert last["files"][0]["text"].startswith("def add")


def test_an_agents_loop_is_passed_through(address, service) -> None:
    calls = [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    service.script[:] = [
        scripted.Scripted(document=scripted.body_of(None, finish="tool_calls", tool_calls=calls))
    ]
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    asked = {"model": "coder@remote:big", "tools": tools, **ASK}
    body = post(address, "/v1/chat/completions", asked).json()
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    assert body["choices"][0]["message"]["tool_calls"] == calls
    assert service.bodies[-1]["tools"] == tools


def test_errors_before_the_first_word_have_their_status(address) -> None:
    for stream in (False, True):
        asked = {"model": "coder@remote:none", "stream": stream, **ASK}
        response = post(address, "/v1/chat/completions", asked)
        assert response.status_code == 404, response.text
        assert response.json()["error"]["code"] == "no_service"
    response = post(address, "/v1/chat/completions", {"model": "nobody", **ASK})
    assert response.status_code == 404
    response = post(address, "/v1/chat/completions", {"model": "coder"})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages"


def test_recorded_answers_are_not_served(address) -> None:
    response = post(address, "/v1/chat/completions", {"model": "coder@replay:x.jsonl", **ASK})
    assert response.status_code in (400, 404)
    assert response.json()["error"]["code"] in ("bad_base", "not_servable")


def test_a_caller_who_leaves_stops_the_work(address, service) -> None:
    service.left.clear()
    slow = scripted.stream_of(*[scripted.event(scripted.chunk(content="x"))] * 200, pause=0.05)
    service.script[:] = [slow]
    asked = {"model": "coder@remote:big", "stream": True, "metier": {"first_draft": True}, **ASK}
    with httpx.stream(
        "POST", f"{address}/v1/chat/completions", json=asked, timeout=60, trust_env=False
    ) as response:
        for line in response.iter_lines():
            if '"content":"x' in line:
                break
    deadline = time.monotonic() + 15
    while not service.left.is_set() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert service.left.is_set(), "the base was asked on for nobody"


def test_files_are_checked_explained_and_repaired(address) -> None:
    files = [{"path": "a.py", "text": "def add(a, b)\n    return a + b\n"}]
    for verb in ("check", "explain", "repair"):
        response = post(address, f"/metier/v1/{verb}", {"model": "coder", "files": files})
        assert response.status_code == 200, response.text
        found = response.json()
        assert "ok" in found
    checked = post(address, "/metier/v1/check", {"model": "coder", "files": files}).json()
    assert checked["ok"] is False
    assert checked["diagnostics"][0]["line"] == 1


def test_what_a_tool_cannot_do_is_said(address) -> None:
    files = [{"path": "a.py", "text": "x = 1"}]
    response = post(address, "/metier/v1/migrate", {"model": "coder", "files": files})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "no_migration"


def test_a_pack_is_searched(address) -> None:
    body = post(
        address, "/metier/v1/search", {"model": "notes", "query": "visit every item", "top": 1}
    ).json()
    assert [passage["path"] for passage in body["passages"]] == ["loops.md"]
    assert "for item in items" in body["passages"][0]["text"]


def test_the_reference_describes_the_calls(address) -> None:
    document = httpx.get(f"{address}/openapi.json", trust_env=False).json()
    for path in ("/v1/chat/completions", "/metier/v1/answer", "/metier/v1/check"):
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        assert "model" in schema["schema"]["properties"]
