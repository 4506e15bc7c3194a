"""Released clients asking ``auto``: a specialist with a real proof, and a tiny general model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import clients
import tiny_gguf
from routed_fleet import Fleet
from stand_in.serving import serving

python_clients = clients.needs_python_clients()
node_clients = clients.needs_node_clients()


@pytest.fixture(scope="module")
def address(routed: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("auto")
    metier = routed.copied(folder, general_url=None, general_model=None, threads=1)
    metier.fleet.import_gguf(tiny_gguf.tiny_model(folder), "tiny")
    with serving(metier) as found:
        yield found
    metier.close()


@pytest.fixture(scope="module")
def told(address: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return clients.speak("speak_auto.py", address, tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def javascript(address: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return clients.speak_javascript("speak_auto.mjs", address, tmp_path_factory.mktemp("node"))


@python_clients
def test_the_names_are_listed(told: Mapping[str, Any]) -> None:
    assert told["openai_lists"][:2] == ["auto", "auto:python"]
    assert told["ollama_lists"][:2] == ["auto:latest", "auto:python"]
    assert {"completion", "tools"} <= set(told["ollama_shows"])


@python_clients
def test_openai_hears_who_answered_and_why(told: Mapping[str, Any]) -> None:
    chat = told["openai_chat"]
    assert chat["model"] == chat["headers"]["model"] == "helper"
    assert chat["headers"]["route"].startswith("domain; domain=python")
    assert "python" in chat["headers"]["why"]
    route = chat["metier"]["route"]
    assert (route["model"], route["next"], route["ground"]) == ("helper", "tiny", "domain")
    assert route["score"] >= route["threshold"]
    assert "def add_n0" in chat["choices"][0]["message"]["content"]
    assert told["openai_general"]["model"] == "tiny"


@python_clients
def test_openai_streams(told: Mapping[str, Any]) -> None:
    *chunks, end = told["openai_stream"]
    assert {chunk["model"] for chunk in (*chunks, end)} == {"helper"}
    assert end["metier"]["route"]["model"] == "helper"
    assert "content.done" in told["openai_stream_helper"]["kinds"]
    text = told["openai_stream_helper"]["final"]["choices"][0]["message"]["content"]
    assert "def add_n0" in text


@python_clients
def test_openai_names_a_domain_and_overrides(told: Mapping[str, Any]) -> None:
    assert told["openai_domain"]["model"] == "helper"
    assert told["openai_overrides"] == ["tiny", "tiny"]


@python_clients
def test_nobody_is_switched_in_a_tool_loop(told: Mapping[str, Any]) -> None:
    first, again = told["openai_tools"]
    assert first["choices"][0]["finish_reason"] == "tool_calls"
    assert again["model"] == first["model"] == "tiny"
    assert again["metier"]["route"]["ground"] == "kept"


@python_clients
def test_errors_are_the_clients_own(told: Mapping[str, Any]) -> None:
    assert told["openai_unknown_domain"]["raised"] == "NotFoundError"
    assert told["openai_picture"]["raised"] == "BadRequestError"
    assert "see" in told["openai_picture"]["said"]
    assert told["ollama_unknown_domain"]["raised"] == "ResponseError"
    assert "not found" in told["ollama_unknown_domain"]["said"]


@python_clients
def test_ollama_chats_streams_and_generates(told: Mapping[str, Any]) -> None:
    assert told["ollama_chat"]["model"] == "auto"
    assert "def add_n0" in told["ollama_chat"]["message"]["content"]
    assert told["ollama_stream"][-1]["done"]
    assert told["ollama_generate"]["done"]
    assert "```python" in told["ollama_domain"]["message"]["content"]


@node_clients
def test_openai_js(javascript: Mapping[str, Any]) -> None:
    chat = javascript["openaiChat"]
    assert chat["model"] == chat["header"] == chat["metier"]["route"]["model"] == "helper"
    stream = javascript["openaiStream"]
    assert (stream["models"], stream["route"]) == (["helper"], ["helper"])
    assert "def add_n0" in stream["text"]
    assert javascript["unknownDomain"]["status"] == 404


@node_clients
def test_the_ai_sdk(javascript: Mapping[str, Any]) -> None:
    text = javascript["aiText"]
    assert (text["model"], text["header"], text["finish"]) == ("helper", "helper", "stop")
    assert "def add_n0" in text["text"]
    assert javascript["aiStream"]["model"] == "tiny"
    assert javascript["aiStream"]["usage"]["outputTokens"] == 6
    assert javascript["aiByOllama"]["header"] == "tiny"


@node_clients
def test_ollama_js(javascript: Mapping[str, Any]) -> None:
    chat = javascript["ollamaChat"]
    assert (chat["model"], chat["metier"]["route"]["model"]) == ("auto", "helper")
    assert javascript["ollamaStream"]["route"] == "tiny"
    assert javascript["ollamaStream"]["done"]
