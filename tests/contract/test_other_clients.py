"""Other people's clients against a real server: each does its verbs, each trap has its test.

llm with llm-ollama, litellm and langchain-ollama (Python); openai, ai with two providers and
@langchain/ollama (npm). Some speak Ollama's dialect, some OpenAI's. The models write noise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

import clients
from served import ADAPTED, EMBEDS, WRITES, Served

CITIES = ("Paris", "Rome")
WIDTH = 64


@pytest.fixture(scope="module")
def python(server: Served, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return clients.speak("speak_others.py", server.address, tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def node(server: Served, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    home = tmp_path_factory.mktemp("client")
    return clients.speak_javascript("speak_openai.mjs", server.address, home)


def choice(completion: Mapping[str, Any]) -> Mapping[str, Any]:
    assert "raised" not in completion, completion
    (only,) = completion["choices"]
    return only


# --- llm ------------------------------------------------------------------------------------------


@clients.needs_python_clients()
def test_llm_lists_what_can_write(python) -> None:
    assert f"ollama/{WRITES}:latest" in python["llm_models"]
    assert f"ollama/{ADAPTED}:latest" in python["llm_models"]
    assert EMBEDS not in python["llm_models"]


@clients.needs_python_clients()
def test_llm_chats_streams_and_embeds(python) -> None:
    assert python["llm_chat"].strip()
    assert python["llm_stream"].strip()
    assert len(json.loads(python["llm_embed"])) == WIDTH


# --- litellm --------------------------------------------------------------------------------------


@clients.needs_python_clients()
@pytest.mark.parametrize("verb", ["litellm_chat", "litellm_generate", "litellm_openai_chat"])
def test_litellm_chats_in_both_dialects(python, verb: str) -> None:
    assert choice(python[verb])["message"]["content"]
    assert 0 < python[verb]["usage"]["completion_tokens"] <= 12


@clients.needs_python_clients()
@pytest.mark.parametrize("verb", ["litellm_stream", "litellm_openai_stream"])
def test_litellm_streams_in_both_dialects(python, verb: str) -> None:
    assert isinstance(python[verb], list), python[verb]
    text = "".join(choice(chunk)["delta"]["content"] or "" for chunk in python[verb])
    assert text.strip()
    assert choice(python[verb][-1])["finish_reason"]


@clients.needs_python_clients()
def test_litellm_asks_with_tools_and_schemas(python) -> None:
    assert choice(python["litellm_tools"])["finish_reason"]
    (call,) = choice(python["litellm_openai_tools"])["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"])["city"] in CITIES
    answer = choice(python["litellm_schema"])["message"]["content"]
    assert json.loads(answer)["city"] in CITIES


@clients.needs_python_clients()
def test_litellm_embeds_in_both_dialects(python) -> None:
    assert python["litellm_embedding"] == python["litellm_openai_embedding"] == WIDTH


@clients.needs_python_clients()
def test_litellm_tells_errors_apart(python) -> None:
    assert python["litellm_too_long"]["raised"] == "ContextWindowExceededError"
    assert python["litellm_unknown"]["raised"] == "NotFoundError"


@pytest.mark.parametrize("path", ["/api/chat/api/show", "/api/generate/api/show"])
def test_litellms_malformed_path_is_a_quick_json_404(server: Served, path: str) -> None:
    with server.client() as client:
        reply = client.post(path, content=b'{"name":"tiny"}')
    assert (reply.status_code, reply.elapsed.total_seconds() < 1) == (404, True)
    assert isinstance(reply.json()["error"], str)


def test_a_body_without_a_content_type_is_read(server: Served) -> None:
    asked = {"model": WRITES, "messages": [], "images": [], "options": {}, "stream": False}
    with server.client() as client:
        reply = client.post("/api/chat", content=json.dumps(asked).encode())
    assert "content-type" not in reply.request.headers
    assert (reply.status_code, reply.json()["done_reason"]) == (200, "load")


# --- langchain ------------------------------------------------------------------------------------


@clients.needs_python_clients()
def test_langchain_chats_streams_and_embeds(python) -> None:
    assert python["langchain_chat"]["usage_metadata"]["output_tokens"] > 0
    assert "".join(python["langchain_stream"]).strip()
    assert python["langchain_embedding"] == WIDTH


@clients.needs_python_clients()
def test_langchain_asks_with_tools_and_schemas(python) -> None:
    assert python["langchain_schema"]["city"] in CITIES
    assert python["langchain_tools"]["usage_metadata"]["output_tokens"] > 0


@clients.needs_python_clients()
def test_langchain_checks_that_a_model_is_here(python) -> None:
    assert python["langchain_unknown"]["raised"] == "ValidationError"
    assert "not found" in python["langchain_unknown"]["said"]


def test_langchains_options_of_nulls_are_left_alone(server: Served) -> None:
    names = ("num_ctx", "num_gpu", "num_thread", "temperature", "top_k", "seed", "stop", "tfs_z")
    asked = {"model": EMBEDS, "input": ["one"], "options": dict.fromkeys(names)}
    with server.client() as client:
        reply = client.post("/api/embed", json=asked)
    assert len(reply.json()["embeddings"][0]) == WIDTH


# --- npm ------------------------------------------------------------------------------------------


@clients.needs_node_clients()
def test_openai_js_lists_and_finds_models(node) -> None:
    assert {WRITES, ADAPTED, EMBEDS} <= set(node["models"])
    assert node["model"]["id"] == EMBEDS


@clients.needs_node_clients()
def test_openai_js_chats_and_streams(node) -> None:
    assert choice(node["chat"])["message"]["content"]
    *chunks, usage = node["stream"]
    assert "".join(choice(chunk)["delta"].get("content") or "" for chunk in chunks)
    assert (usage["choices"], usage["usage"]["completion_tokens"] > 0) == ([], True)
    assert node["streamHelper"] in ("yes", "no")
    assert choice(node["completion"])["text"]


@clients.needs_node_clients()
def test_openai_js_asks_with_tools_and_schemas(node) -> None:
    (call,) = choice(node["tools"])["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"])["city"] in CITIES
    assert json.loads(choice(node["schema"])["message"]["content"])["city"] in CITIES


@clients.needs_node_clients()
def test_openai_js_reads_base64_embeddings(node) -> None:
    for packed, numbers in zip(node["embeddings"], node["embeddingsInNumbers"], strict=True):
        assert packed == pytest.approx(numbers, abs=1e-7)


@clients.needs_node_clients()
def test_openai_js_reads_errors(node) -> None:
    assert (node["unknown"]["raised"], node["unknown"]["status"]) == ("NotFoundError", 404)


@clients.needs_node_clients()
@pytest.mark.parametrize("provider", ["ai", "ollama"])
def test_the_ai_sdk_writes_and_streams(node, provider: str) -> None:
    written, streamed = node[f"{provider}Text"], node[f"{provider}Stream"]
    assert written.get("text"), written
    assert written["usage"]["outputTokens"] > 0
    assert streamed.get("text"), streamed
    assert "text-delta" in streamed["kinds"]
    assert streamed["usage"]["outputTokens"] > 0


@clients.needs_node_clients()
@pytest.mark.parametrize("provider", ["ai", "ollama"])
def test_the_ai_sdk_makes_objects_and_embeds(node, provider: str) -> None:
    assert node[f"{provider}Object"].get("city") in CITIES, node[f"{provider}Object"]
    assert node[f"{provider}Embedding"] == WIDTH


@clients.needs_node_clients()
def test_the_ai_sdk_gets_the_call_that_it_requires(node) -> None:
    (call,) = node["aiTools"]
    assert (call["name"], call["input"]["city"] in CITIES) == ("weather", True)


@clients.needs_node_clients()
def test_langchain_js_chats_streams_and_embeds(node) -> None:
    assert node["langchain"]
    assert isinstance(node["langchainStream"], str)
    assert node["langchainStream"]
    assert node["langchainEmbedding"] == WIDTH


# --- what programs without a client here call first -----------------------------------------------


def test_vs_code_finds_a_version_and_models_with_tools(server: Served) -> None:
    with server.client() as client:
        version = client.get("/api/version").json()["version"]
        shown = client.post("/api/show", json={"model": WRITES}).json()
    assert tuple(map(int, version.split("."))) >= (0, 6, 4)
    assert "tools" in shown["capabilities"]
    assert shown["model_info"]["general.architecture"] == "qwen2"


def test_continue_shows_by_name_and_sees_that_gaps_can_be_filled(server: Served) -> None:
    with server.client() as client:
        shown = client.post("/api/show", json={"name": WRITES}).json()
    assert "insert" in shown["capabilities"]
    assert isinstance(shown["parameters"], str)


def test_open_web_ui_lists_by_tags_then_ps(server: Served) -> None:
    with server.client() as client:
        assert client.get("/api/tags").json()["models"]
        client.post("/api/generate", json={"model": WRITES, "stream": False})
        running = client.get("/api/ps").json()["models"]
    assert any(model["name"].startswith(WRITES) for model in running)


def test_an_ollama_command_line_sees_that_ollama_is_running(server: Served) -> None:
    with server.client() as client:
        assert client.head("/").status_code == 200
        said = client.get("/")
    assert said.text == "Ollama is running"


def test_any_key_is_taken_where_none_is_set(server: Served) -> None:
    for key in ("any", "sk-proj-whatever"):
        headers = {"Authorization": f"Bearer {key}"}
        reply = httpx.get(f"{server.address}/v1/models", headers=headers, trust_env=False)
        assert reply.status_code == 200
