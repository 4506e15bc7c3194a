"""Ollama's released clients, Python's and JavaScript's, on a real server and tiny models.

What the models write is noise: the tests look at shapes, counts and errors. The drivers
(``ollama_python.py``, ``ollama_javascript.mjs``) run in the clients' own environments.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import tiny_gguf
from clients import (
    needs_node_clients,
    needs_python_clients,
    node,
    node_client,
    python_client,
)
from metier.assembly import Metier
from metier.settings import Settings
from stand_in.hub import serving_hub
from stand_in.serving import serving

HERE = Path(__file__).parent
PULLED = "hf.co/owner/tiny-GGUF"
python_clients = needs_python_clients()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("files")
    home = tmp_path_factory.mktemp("home")
    with serving_hub() as hub:
        settings = Settings.read()
        settings = replace(settings, home=home, general_url=None, threads=1, hub_endpoint=hub.url)
        metier = Metier.open(settings)
        tiny = tiny_gguf.tiny_model(folder)
        other = tiny_gguf.tiny_model(tmp_path_factory.mktemp("other"), seed=5)
        hub.add("owner/tiny-GGUF", {"tiny-f16.gguf": other.read_bytes()})
        metier.fleet.import_gguf(tiny, "tiny")
        metier.fleet.import_gguf(tiny_gguf.tiny_embedder(folder), "team/words:v1")
        metier.fleet.import_gguf(tiny_gguf.tiny_reranker(folder), "ranks")
        try:
            with serving(metier) as address:
                yield address
        finally:
            metier.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loose")
    tiny_gguf.tiny_model(folder, seed=7).rename(folder / "other.gguf")
    return folder


def speak(*command: str) -> dict[str, Any]:
    """What a driver told."""
    ended = subprocess.run(
        command, capture_output=True, timeout=300, env={**os.environ, "NO_PROXY": "*"}
    )
    assert ended.returncode == 0, ended.stderr.decode()
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture(scope="module")
def python(address: str, files: Path) -> dict[str, Any]:
    driver = HERE / "ollama_python.py"
    return speak(str(python_client()), str(driver), address, str(files), PULLED)


@pytest.fixture(scope="module")
def javascript(address: str, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    # Modules are found beside the program that asks for them.
    place = tmp_path_factory.mktemp("node")
    (place / "node_modules").symlink_to(node_client() / "node_modules")
    driver = place / "ollama_javascript.mjs"
    driver.write_bytes((HERE / driver.name).read_bytes())
    return speak(node(), str(driver), address, PULLED)


def whole(told: dict[str, Any]) -> None:
    assert told["done"] is True
    assert told["done_reason"] in ("stop", "length")
    assert told["prompt_eval_count"] > 0
    assert told["eval_count"] > 0
    assert told["total_duration"] > 0
    assert datetime.fromisoformat(told["created_at"]).tzinfo is not None


# -- asking --------------------------------------------------------------------------------------


@python_clients
def test_chat(python: dict[str, Any]) -> None:
    told = python["chat"]
    whole(told)
    assert told["model"] == "tiny"
    assert told["message"]["role"] == "assistant"
    assert told["message"]["content"]
    assert told["eval_count"] <= 12


@python_clients
def test_chat_in_pieces(python: dict[str, Any]) -> None:
    lines = python["chat stream"]
    assert len(lines) > 2
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    whole(lines[-1])
    text = "".join(line["message"]["content"] for line in lines)
    assert text == python["chat"]["message"]["content"], "the same seed gives the same text"


@python_clients
def test_chat_with_tools(python: dict[str, Any]) -> None:
    whole(python["chat tools"])
    whole(python["chat tools stream"][-1])
    whole(python["chat after a call"])


@python_clients
def test_an_answer_of_a_schema(python: dict[str, Any]) -> None:
    told = python["chat schema"]
    if told["done_reason"] == "stop":
        answer = json.loads(told["message"]["content"])
        assert isinstance(answer["age"], int)
        assert isinstance(answer["ok"], bool)
    assert told["message"]["content"].lstrip().startswith("{")


@python_clients
@pytest.mark.parametrize("name", ["chat json", "generate json"])
def test_an_answer_of_json(python: dict[str, Any], name: str) -> None:
    told = python[name]
    text = told["response"] if "response" in told else told["message"]["content"]
    assert text.lstrip().startswith("{")


@python_clients
def test_log_probabilities(python: dict[str, Any]) -> None:
    told = python["chat logprobs"]
    assert told["logprobs"]
    for one in told["logprobs"]:
        assert one["logprob"] <= 0
        assert len(one["top_logprobs"]) == 2


@python_clients
def test_thinking(python: dict[str, Any]) -> None:
    whole(python["chat think"])
    whole(python["chat think false"])
    refused = {"error": '"mine:2" does not support thinking', "status": 400}
    assert python["think unable"] == refused


@python_clients
def test_pictures_are_refused_by_a_model_that_does_not_see(python: dict[str, Any]) -> None:
    assert python["chat images"] == {"error": '"tiny" does not support images', "status": 400}


@python_clients
@pytest.mark.parametrize("name", ["chat unknown", "chat unknown stream", "show unknown"])
def test_an_unknown_model(python: dict[str, Any], name: str) -> None:
    assert python[name] == {"error": "model 'none' not found", "status": 404}


@python_clients
def test_a_bad_option(python: dict[str, Any]) -> None:
    told = python["chat bad option"]
    assert told == {"error": 'option "num_ctx" must be of type integer', "status": 400}


@python_clients
def test_a_prompt_that_is_too_long_is_400_or_says_truncated(python: dict[str, Any]) -> None:
    told = python["chat too long"]
    assert told.get("status") == 400
    assert "long" in told["error"] or "context" in told["error"]


@python_clients
def test_generate(python: dict[str, Any]) -> None:
    told = python["generate"]
    whole(told)
    assert told["response"]
    assert told["context"]
    assert all(isinstance(token, int) for token in told["context"])
    lines = python["generate stream"]
    assert len(lines) > 2
    whole(lines[-1])


@python_clients
@pytest.mark.parametrize("way", ["context", "raw", "template", "stop"])
def test_generate_in_its_ways(python: dict[str, Any], way: str) -> None:
    whole(python[f"generate {way}"])


@python_clients
def test_a_context_stands_before_the_prompt(python: dict[str, Any]) -> None:
    before, after = python["generate"], python["generate context"]
    assert after["prompt_eval_count"] > len(before["context"])


@python_clients
def test_a_suffix_is_filled_in_or_refused(python: dict[str, Any]) -> None:
    told = python["generate suffix"]
    if "insert" in python["show"]["capabilities"]:
        whole(told)
    else:
        assert told == {"error": '"tiny" does not support insert', "status": 400}


@python_clients
def test_loading_and_unloading(python: dict[str, Any]) -> None:
    assert python["chat load"]["done_reason"] == "load"
    running = python["ps"]["models"]
    assert [one["name"] for one in running] == ["tiny:latest"]
    assert running[0]["size"] > 0
    assert running[0]["context_length"] > 0
    assert datetime.fromisoformat(running[0]["expires_at"]) > datetime.now(UTC)
    assert python["generate unload"]["done_reason"] == "unload"
    assert "tiny:latest" not in [one["name"] for one in python["ps after"]["models"]]


@python_clients
def test_four_streams_at_once(python: dict[str, Any]) -> None:
    assert len(python["four streams"]) == 4
    assert all(python["four streams"])


# -- lists and vectors ---------------------------------------------------------------------------


@python_clients
def test_list(python: dict[str, Any]) -> None:
    models = {one["model"]: one for one in python["list"]["models"]}
    assert {"tiny:latest", "team/words:v1", "ranks:latest"} <= models.keys()
    tiny = models["tiny:latest"]
    assert len(tiny["digest"]) == 64
    assert int(tiny["size"]) > 0
    assert tiny["details"]["format"] == "gguf"
    assert tiny["details"]["parameter_size"]
    assert tiny["modified_at"]


@python_clients
def test_show(python: dict[str, Any]) -> None:
    told = python["show"]
    family = told["modelinfo"]["general.architecture"]
    assert told["modelinfo"][f"{family}.context_length"] > 0
    assert told["modelinfo"]["general.parameter_count"] > 0
    assert "completion" in told["capabilities"]
    assert told["template"]
    assert told["modelfile"].lstrip().startswith(("FROM", "#"))


@python_clients
def test_embed(python: dict[str, Any]) -> None:
    vectors = python["embed"]["embeddings"]
    assert len(vectors) == 2
    assert abs(sum(value * value for value in vectors[0]) - 1) < 1e-4
    assert [len(vector) for vector in python["embed one"]["embeddings"]] == [8]
    assert len(python["embeddings"]["embedding"]) == len(vectors[0])
    assert python["embed unable"]["status"] == 400


# -- keeping -------------------------------------------------------------------------------------


@python_clients
def test_create(python: dict[str, Any]) -> None:
    assert python["create"]["status"] == "success"
    assert python["create stream"][-1]["status"] == "success"
    assert len(python["create stream"]) > 1
    assert python["create unknown"] == {"error": "model 'none' not found", "status": 404}
    told = python["show created"]
    assert "Be brief." in told["modelfile"]
    assert "temperature" in told["parameters"]
    assert told["license"] == "MIT"
    assert told["details"]["parent_model"] == "tiny"
    whole(python["chat created"])


@python_clients
def test_blobs(python: dict[str, Any]) -> None:
    assert python["blob"].startswith("sha256:")
    assert python["blob"] == python["blob again"]
    assert python["create files"]["status"] == "success"
    whole(python["chat files"])


def test_an_older_client_makes_a_model_of_a_modelfile(address: str) -> None:
    text = "FROM tiny\nSYSTEM Be brief.\nPARAMETER stop x\nMESSAGE user Hi\n"
    asked = {"name": "older", "modelfile": text, "stream": False}
    made = httpx.post(f"{address}/api/create", json=asked, timeout=60)
    assert made.json() == {"status": "success"}
    told = httpx.post(f"{address}/api/show", json={"name": "older"}).json()
    assert told["system"] == "Be brief."
    assert told["messages"] == [{"role": "user", "content": "Hi"}]
    asked["modelfile"] = "FROM /etc/passwd"
    refused = httpx.post(f"{address}/api/create", json=asked)
    assert refused.status_code == 400
    assert "in the store" in refused.json()["error"]


@python_clients
def test_copy_and_delete(python: dict[str, Any]) -> None:
    assert python["copy"]["status"] == "success"
    assert python["copy unknown"] == {"error": "model 'none' not found", "status": 404}
    listed = {one["model"] for one in python["list copied"]["models"]}
    assert {"mine:latest", "mine:2", "team/copy:latest"} <= listed
    assert python["delete"]["status"] == "success"
    assert python["delete again"] == {"error": "model 'team/copy' not found", "status": 404}


@python_clients
def test_push_says_that_sharing_comes_later(python: dict[str, Any]) -> None:
    for name in ("push", "push stream"):
        assert python[name]["status"] == 501
        assert "comes later" in python[name]["error"]


# -- pulling -------------------------------------------------------------------------------------


@python_clients
def test_pull(python: dict[str, Any]) -> None:
    told = [line["status"] for line in python["pull stream"]]
    assert told[0] == "pulling manifest"
    assert told[-1] == "success"
    sized = [line for line in python["pull stream"] if line["total"]]
    assert sized
    assert all(line["digest"].startswith("sha256:") for line in sized)
    assert all(0 <= line["completed"] <= line["total"] for line in sized)
    assert python["pull"]["status"] == "success"
    whole(python["chat pulled"])


@python_clients
def test_a_pull_of_nothing_ends_with_an_error(python: dict[str, Any]) -> None:
    assert python["pull unknown"]["error"]


# -- JavaScript ----------------------------------------------------------------------------------


@needs_node_clients()
def test_javascript_speaks_every_verb(javascript: dict[str, Any]) -> None:
    told = javascript
    for name in ("chat", "generate", "chat tools", "chat schema"):
        whole(told[name])
    for name in ("chat stream", "generate stream"):
        assert len(told[name]) > 2
        whole(told[name][-1])
    assert told["chat unknown"] == {"error": "model 'none' not found", "status": 404}
    assert told["think unable"]["status"] == 400
    assert "does not support images" in told["chat images"]["error"]
    assert len(told["embed"]["embeddings"]) == 2
    assert told["embeddings"]["embedding"]
    assert {"tiny:latest"} <= {one["name"] for one in told["list"]["models"]}
    assert told["show"]["model_info"]["general.architecture"]
    assert told["ps"]["models"][0]["expires_at"]
    assert told["version"] == {"version": "0.32.9"}
    assert told["create"][-1]["status"] == "success"
    assert told["copy"]["status"] == "success"
    assert told["delete"]["status"] == "success"
    assert told["pull"][-1]["status"] == "success"
    assert told["push"]["status"] == 501
