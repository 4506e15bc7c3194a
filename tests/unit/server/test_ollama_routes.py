"""Ollama's routes over real HTTP, on models that say what a test tells them."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from metier.errors import UnavailableError
from metier.generating import Message, ModelSheet, Piece, RunningModel, ToolCall
from metier.server import create_app
from metier.site import Site
from metier.version import __version__
from stand_in.metier import StandIn
from stand_in.models import ScriptedModels, listing
from stand_in.serving import serving

WORDS = (Piece("Hello"), Piece(" there"), Piece("."))
HI = [{"role": "user", "content": "hi"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


class Door:
    """A server, and the models behind it."""

    def __init__(self, metier: StandIn, address: str) -> None:
        self.metier = metier
        self.address = address

    @property
    def models(self) -> ScriptedModels:
        return self.metier.models

    def post(self, verb: str, **fields: Any) -> httpx.Response:
        return httpx.post(f"{self.address}/api/{verb}", json=fields)

    def told(self, verb: str, **fields: Any) -> dict[str, Any]:
        reply = self.post(verb, **fields)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def stream(self, verb: str, **fields: Any) -> list[dict[str, Any]]:
        reply = self.post(verb, **fields)
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in reply.text.splitlines()]

    def refused(self, status: int, verb: str, **fields: Any) -> str:
        reply = self.post(verb, **fields)
        assert reply.status_code == status, reply.text
        assert reply.headers["content-type"] == "application/json"
        return reply.json()["error"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    metier = StandIn(tmp_path_factory.mktemp("fleet"))
    with serving(metier) as address:
        yield Door(metier, address)


@pytest.fixture
def door(running: Door) -> Door:
    running.metier.models = ScriptedModels()
    return running


ROUTES = {
    *("GET /api/version", "GET /api/status", "GET /api/tags", "GET /api/ps"),
    *("POST /api/show", "POST /api/generate", "POST /api/chat", "POST /api/embed"),
    *("POST /api/embeddings", "POST /api/pull", "POST /api/push", "POST /api/create"),
    *("POST /api/copy", "DELETE /api/delete", "HEAD /api/blobs/{digest}"),
    *("POST /api/blobs/{digest}", "POST /api/me", "POST /api/signout"),
    *("DELETE /api/user/keys/{key}", "POST /api/experimental/web_search"),
    *("POST /api/experimental/web_fetch", "GET /api/experimental/model-recommendations"),
}


def test_every_route_of_ollama_is_described(tmp_path: Path) -> None:
    document = create_app(StandIn(tmp_path), Site()).openapi()
    described = {
        f"{method.upper()} {path}"
        for path, verbs in document["paths"].items()
        for method in verbs
        if path.startswith("/api/")
    }
    assert described == {route for route in ROUTES if not route.startswith("HEAD")}


# -- about the server --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_program_hears_that_ollama_is_running(door: Door, method: str) -> None:
    reply = httpx.request(method, f"{door.address}/")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.text == ("Ollama is running" if method == "GET" else "")
    axios = {"Accept": "application/json, text/plain, */*"}
    assert httpx.get(f"{door.address}/", headers=axios).text == "Ollama is running"


def test_a_browser_gets_the_page(door: Door) -> None:
    reply = httpx.get(f"{door.address}/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert reply.headers["content-type"].startswith("text/html")
    reply = httpx.get(f"{door.address}/", headers={"Accept": "application/json"})
    assert {"query", "hits", "total"} <= set(reply.json())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_version_is_ollamas_and_ours_stands_beside_it(door: Door, method: str) -> None:
    reply = httpx.request(method, f"{door.address}/api/version")
    assert reply.status_code == 200
    assert reply.headers["x-metier-version"] == __version__
    if method == "GET":
        assert reply.json() == {"version": "0.32.9"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "status"), ("GET", "tags"), ("HEAD", "tags"), ("GET", "ps")]
)
def test_lists_are_answered(door: Door, method: str, path: str) -> None:
    reply = httpx.request(method, f"{door.address}/api/{path}")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    ["chat/api/show", "generate/api/show", "nothing", "", "tags/", "blobs", "chat/"],
)
def test_litellms_broken_path_is_a_fast_404(door: Door, path: str) -> None:
    started = time.perf_counter()
    reply = httpx.post(f"{door.address}/api/{path}", content=b'{"name": "tiny"}')
    assert reply.status_code == 404
    assert isinstance(reply.json()["error"], str)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "tags"), ("GET", "chat"), ("OPTIONS", "chat"), ("POST", "delete")]
)
def test_a_wrong_method_is_405_with_a_text(door: Door, method: str, path: str) -> None:
    reply = httpx.request(method, f"{door.address}/api/{path}")
    assert reply.status_code == 405
    assert isinstance(reply.json()["error"], str)


# -- lists ---------------------------------------------------------------------------------------


def test_llm_ollama_needs_capabilities_and_stable_digests(door: Door) -> None:
    first, second = (httpx.get(f"{door.address}/api/tags").json() for _ in range(2))
    assert first == second
    assert [one["name"] for one in first["models"]] == [
        "tiny:latest",
        "plain:latest",
        "team/words:2",
        "spam:latest",
    ]
    assert all(one["capabilities"] and len(one["digest"]) == 64 for one in first["models"])


def test_open_webui_reads_when_a_model_leaves(door: Door) -> None:
    door.models.in_memory = [RunningModel(listing("tiny"), 10, 2048, None)]
    told = httpx.get(f"{door.address}/api/ps").json()["models"][0]
    assert told["expires_at"] == "2318-01-01T00:00:00Z"


@pytest.mark.parametrize("field", ["model", "name"])
def test_continue_shows_by_the_older_field(door: Door, field: str) -> None:
    told = door.told("show", **{field: "library/tiny", "verbose": True})
    assert told["model_info"]["general.architecture"] == "llama"
    assert told["capabilities"]


def test_vs_code_shows_a_model_that_has_tools_and_model_info(door: Door) -> None:
    door.models.sheet_of = ModelSheet(listing("x"), template="t")
    reply = httpx.post(
        f"{door.address}/api/show",
        json={"model": "tiny"},
        headers={"User-Agent": "GitHubCopilotChat/1"},
    )
    told = reply.json()
    assert "tools" in told["capabilities"]
    assert told["model_info"]["general.basename"] == "tiny"
    assert told["model_info"]["llama.context_length"] == 2048


def test_a_body_needs_no_content_type(door: Door) -> None:
    reply = httpx.post(
        f"{door.address}/api/show", content=b'{"model": "tiny"}', headers={"Content-Type": ""}
    )
    assert reply.status_code == 200


# -- answers ---------------------------------------------------------------------------------------


def test_a_chat_is_streamed_unless_it_says_otherwise(door: Door) -> None:
    lines = door.stream("chat", model="tiny", messages=HI)
    assert [line["message"]["content"] for line in lines] == ["Hello", " there", ".", ""]
    assert [line["done"] for line in lines] == [False, False, False, True]
    assert all(line["model"] == "tiny" and line["created_at"].endswith("Z") for line in lines)
    assert lines[-1]["done_reason"] == "stop"
    whole = door.told("chat", model="tiny", messages=HI, stream=False)
    assert whole["message"] == {"role": "assistant", "content": "Hello there."}


def test_a_prompt_is_streamed_unless_it_says_otherwise(door: Door) -> None:
    lines = door.stream("generate", model="tiny:latest", prompt="Once")
    assert "".join(line["response"] for line in lines) == "Hello there."
    assert lines[-1]["context"] == [1, 2, 3]
    whole = door.told("generate", model="tiny:latest", prompt="Once", stream=False)
    assert (whole["response"], whole["model"]) == ("Hello there.", "tiny:latest")
    assert door.models.asked[0][1].messages == (Message("user", "Once"),)


def test_calls_and_thoughts_are_streamed(door: Door) -> None:
    door.models.script = (
        Piece(thinking="Hm"),
        Piece(tool_calls=(ToolCall("f", {"a": [1]}, "c"),)),
    )
    lines = door.stream("chat", model="tiny", messages=HI, tools=TOOLS, think=True)
    assert lines[0]["message"]["thinking"] == "Hm"
    assert lines[1]["message"]["tool_calls"][0]["function"]["arguments"] == {"a": [1]}
    assert door.models.asked[0][1].tools == tuple(TOOLS)


def test_what_was_asked_arrives(door: Door) -> None:
    door.told(
        "chat",
        model="registry.ollama.ai/library/tiny",
        messages=HI,
        stream=False,
        options={"num_ctx": 512, "temperature": 0},
        keep_alive="1h",
    )
    name, question, loading, keep_alive = door.models.asked[0]
    assert name == "tiny"
    assert question.options.temperature == 0
    assert loading.num_ctx == 512
    assert keep_alive == 3600


def test_nothing_asked_loads_and_unloads(door: Door) -> None:
    told = door.told("generate", model="tiny", keep_alive=-1)
    assert (told["done"], told["done_reason"], told["response"]) == (True, "load", "")
    assert door.models.loaded[0][:2] == ("tiny", -1.0)
    told = door.told("chat", model="tiny", messages=[], keep_alive=0)
    assert (told["done_reason"], told["message"]["role"]) == ("unload", "assistant")
    assert door.models.loaded == []
    assert door.told("chat", model="tiny")["done_reason"] == "load"


def test_vectors(door: Door) -> None:
    told = door.told("embed", model="team/words:2", input=["abc", "d"], dimensions=2)
    assert [len(vector) for vector in told["embeddings"]] == [2, 2]
    assert told["model"] == "team/words:2"
    assert door.told("embed", model="team/words:2")["embeddings"] == []
    assert door.models.loaded[0][0] == "team/words:2"
    assert door.told("embeddings", model="team/words:2", prompt="abc") == {
        "embedding": [3.0, 3.0, 4.0]
    }
    assert door.told("embeddings", model="team/words:2", prompt="") == {"embedding": []}


def test_langchain_embeds_with_thirteen_nulls(door: Door) -> None:
    nulls = dict.fromkeys(("mirostat", "num_ctx", "num_gpu", "stop", "tfs_z", "top_k", "top_p"))
    door.told("embed", model="team/words:2", input=["a"], options=nulls, truncate=True)


# -- errors ----------------------------------------------------------------------------------------

ASKING = ["chat", "generate", "embed", "embeddings", "show", "push", "delete", "copy"]


@pytest.mark.parametrize("verb", ["chat", "generate", "embed", "embeddings", "show", "push"])
def test_an_unknown_model_is_404_in_ollamas_words(door: Door, verb: str) -> None:
    fields = {"messages": HI, "prompt": "x", "input": "x"}
    error = door.refused(404, verb, model="library/None:1", **fields)
    assert error == "model 'library/None:1' not found"


@pytest.mark.parametrize("verb", ["chat", "generate", "embed", "embeddings", "show", "pull"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"model": 7}', b"\xff\xfe"])
def test_a_bad_body_is_400(door: Door, verb: str, body: bytes) -> None:
    reply = httpx.post(f"{door.address}/api/{verb}", content=body)
    assert reply.status_code == 400
    assert isinstance(reply.json()["error"], str)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "a/b/c/d", "\ud800", "é"])
def test_a_bad_name_is_400(door: Door, name: str) -> None:
    body = json.dumps({"model": name, "messages": HI}).encode()
    assert httpx.post(f"{door.address}/api/chat", content=body).status_code == 400


def test_a_bad_option_is_400_and_named(door: Door) -> None:
    error = door.refused(400, "chat", model="tiny", messages=HI, options={"num_ctx": "big"})
    assert error == 'option "num_ctx" must be of type integer'


@pytest.mark.parametrize(
    ("verb", "fields", "ability"),
    [
        ("chat", {"messages": HI, "think": True}, "thinking"),
        ("chat", {"messages": HI, "tools": TOOLS}, "tools"),
        ("chat", {"messages": [{"role": "user", "images": ["aGk="]}]}, "images"),
        ("generate", {"prompt": "a", "suffix": "b"}, "insert"),
        ("embed", {"input": "a"}, "embeddings"),
    ],
)
def test_what_a_model_cannot_do_is_400(
    door: Door, verb: str, fields: dict[str, Any], ability: str
) -> None:
    error = door.refused(400, verb, model="plain", **fields)
    assert error == f'"plain" does not support {ability}'


def test_a_classifier_does_not_chat(door: Door) -> None:
    assert "does not support chat" in door.refused(400, "chat", model="spam", messages=HI)


@pytest.mark.parametrize(
    ("code", "status"),
    [("queue_full", 503), ("cancelled", 499), ("engine_ended", 500), ("no_memory", 500)],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_before_the_first_word_has_its_status(
    door: Door, code: str, status: int, stream: bool
) -> None:
    door.models.script = (UnavailableError("It is full.", code=code, remedy="Wait."),)
    error = door.refused(status, "chat", model="tiny", messages=HI, stream=stream)
    assert error == "It is full. Wait."


def test_a_later_error_is_a_last_line(door: Door) -> None:
    door.models.script = (Piece("He"), UnavailableError("It broke.", code="engine_ended"))
    door.models.pause = 0.02
    lines = door.stream("chat", model="tiny", messages=HI)
    assert lines[0]["message"]["content"] == "He"
    assert lines[-1] == {"error": "It broke."}


# -- streams ---------------------------------------------------------------------------------------


class Waiting:
    """A script that says one word, and the rest once somebody lets it."""

    def __init__(self, let: Callable[[], object]) -> None:
        self.let = let

    def __iter__(self) -> Iterator[Piece]:
        yield Piece("Hello")
        self.let()
        yield Piece(" there.")


def test_lines_are_flushed_at_once(door: Door) -> None:
    heard = threading.Event()
    door.models.script = Waiting(lambda: heard.wait(20) or pytest.fail("no line came"))
    with httpx.stream(
        "POST", f"{door.address}/api/chat", json={"model": "tiny", "messages": HI}
    ) as reply:
        lines = reply.iter_lines()
        assert json.loads(next(lines))["message"]["content"] == "Hello"
        heard.set()
        assert [json.loads(line)["done"] for line in lines] == [False, True]


def test_a_caller_who_leaves_cancels_the_question(door: Door) -> None:
    door.models.script = WORDS * 1000
    door.models.pause = 0.01
    place = urlsplit(door.address)
    body = json.dumps({"model": "tiny", "messages": HI}).encode()
    with socket.create_connection((place.hostname or "", place.port or 0)) as caller:
        head = f"POST /api/chat HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}"
        caller.sendall(head.encode() + b"\r\n\r\n" + body)
        assert b"200" in caller.recv(100)
    _wait_for(lambda: door.models.stopped == ["tiny"])
    assert len(door.models.said_at) < 100


def test_a_caller_who_leaves_a_whole_answer_cancels_it_too(door: Door) -> None:
    door.models.script = WORDS * 1000
    door.models.pause = 0.01
    place = urlsplit(door.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 0)
    body = json.dumps({"model": "tiny", "messages": HI, "stream": False})
    connection.request("POST", "/api/chat", body)
    _wait_for(lambda: bool(door.models.asked))
    connection.close()
    _wait_for(lambda: door.models.stopped == ["tiny"])


def test_many_streams_run_side_by_side(door: Door) -> None:
    together = threading.Barrier(12, timeout=20)
    door.models.script = Waiting(together.wait)
    answers: list[list[dict[str, Any]]] = []

    def ask() -> None:
        answers.append(door.stream("chat", model="tiny", messages=HI))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [len(answer) for answer in answers] == [3] * 12


def _wait_for(true: Any) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)
