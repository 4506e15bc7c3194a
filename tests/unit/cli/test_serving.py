"""Serving: the port that was asked for or the next free one, and no open door without a key."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import metier as package
from metier.cli.serving import serve_nearby
from metier.errors import UnavailableError


def taken(*ports: int) -> Callable[[int, Callable[[], None]], None]:
    def serve(port: int, ready: Callable[[], None]) -> None:
        if port in ports:
            raise UnavailableError(f"Port {port} is taken.", code="port_taken")
        ready()

    return serve


def test_the_port_that_was_asked_for_if_it_is_free() -> None:
    used: list[int] = []
    serve_nearby(11434, taken(), used.append)
    assert used == [11434]


def test_the_next_free_port_if_it_is_taken() -> None:
    used: list[int] = []
    serve_nearby(11434, taken(11434, 11435), used.append)
    assert used == [11436]


def test_no_port_at_all_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="the 20 after it are taken") as raised:
        serve_nearby(11434, taken(*range(11434, 11500)), print)
    assert raised.value.code == "no_port"


def test_the_last_port_has_no_next() -> None:
    with pytest.raises(UnavailableError) as raised:
        serve_nearby(65_535, taken(65_535), print)
    assert raised.value.code == "no_port"


def test_other_troubles_are_not_hidden() -> None:
    def serve(_port: int, _ready: Callable[[], None]) -> None:
        raise UnavailableError("Something else.", code="other")

    with pytest.raises(UnavailableError, match="Something else"):
        serve_nearby(11434, serve, print)


class BarePages:
    """A website of one page."""

    def fleet(self, installed: Any, options: Any) -> str:
        return f"{len(installed)} here"

    def find(self, found: Any, options: Any) -> str:
        return f"{found.total} found"

    def version(self) -> str:
        return "1"


DOOR = """
import importlib.util, pathlib, sys
sys.path[:0] = [{source!r}, {tests!r}]
def load(name):
    spec = importlib.util.spec_from_file_location(name, pathlib.Path({here!r}) / (name + ".py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
small, door = load("conftest"), load("test_serving")
facade = small.SmallFacade(pathlib.Path({folder!r}))
small.main(obj=small.Session(lambda: facade, door.BarePages))
"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``metier up WORDS`` over the small façade and the real server."""
    if importlib.util.find_spec("metier.server") is None:
        pytest.skip("the server is not part of this tree")
    script = tmp_path / "door.py"
    here = Path(__file__).parent
    source = Path(package.__file__).parents[1]
    places = {"source": str(source), "tests": str(here.parents[1]), "here": str(here)}
    script.write_text(DOOR.format(**places, folder=str(tmp_path)))
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(script), "up", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_taken_port_is_said_and_the_next_one_answers(up: Any, taken_port: int) -> None:
    process = up("--port", str(taken_port))
    assert process.stdout.readline().startswith("Metier ")
    said = process.stdout.readline()
    used = int(said.rstrip(".\n").rsplit(" ", 1)[1])
    assert said.startswith(f"Port {taken_port} is taken by ")
    assert f"(process {os.getpid()})" in said
    assert used > taken_port
    rest = [process.stdout.readline() for _ in range(5)]
    assert rest[0] == f"  site  http://127.0.0.1:{used}\n"
    assert rest[2] == f"  MCP   http://127.0.0.1:{used}/mcp\n"
    assert rest[4] == 'Try one:  metier run banking-intents "your text"\n'
    body = json.dumps({"model": "sms-spam", "input": "hello"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{used}/v1/classify", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["label"] == "card_arrival"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 0
    assert told.endswith("Stopped.\n")


def test_json_is_one_document_with_the_address(up: Any, taken_port: int) -> None:
    process = up("--port", str(taken_port), "--json")
    lines = []
    while not lines or lines[-1] != "}\n":
        line = process.stdout.readline()
        assert line, process.stderr.read()
        lines.append(line)
    document = json.loads("".join(lines))
    assert document["asked_port"] == taken_port
    assert document["address"] == f"http://127.0.0.1:{document['port']}"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_requests_are_logged_to_stderr_and_further_names_are_heard(
    up: Any, taken_port: int
) -> None:
    process = up("--port", str(taken_port), "--log-requests", "--name", "models.lan", "--json")
    lines = []
    while not lines or lines[-1] != "}\n":
        line = process.stdout.readline()
        assert line, process.stderr.read()
        lines.append(line)
    address = json.loads("".join(lines))["address"]
    for host, status in (("models.lan", 200), ("elsewhere.example", 403)):
        reply = httpx.get(f"{address}/openapi.json", headers={"Host": host}, trust_env=False)
        assert reply.status_code == status
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=20)
    logged = [json.loads(line) for line in told.splitlines()]
    assert out == ""
    assert [line["status"] for line in logged] == [200, 403]
    assert logged[0]["route"] == "/openapi.json"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "0.0.0.0"), "lets others in and needs a key."),
        (("--api-key-file", "nowhere"), "cannot be read."),
        (("--api-key-file", "EMPTY"), "is empty."),
        (("--port", "0"), "0 is not in the range"),
    ],
)
def test_wrong_words_are_input(metier: Any, tmp_path: Path, words: Any, told: str) -> None:
    empty = tmp_path / "key"
    empty.write_text("\n")
    outcome = metier("up", *(str(empty) if word == "EMPTY" else word for word in words))
    assert outcome.code == 2
    assert told in " ".join(outcome.err.split())
