"""``metier ps`` and ``metier stop`` against a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from metier.cli.presence import announce_presence
from metier.cli.residing import until

RUNNING = {
    "name": "tiny:latest",
    "size": 12_000_000,
    "context_length": 4096,
    "details": {"parent_model": "base"},
    "expires_at": "2318-01-01T00:00:00Z",
}


class Door(BaseHTTPRequestHandler):
    """Answers as ``metier up`` does, and keeps what was sent."""

    server: Any

    def do_GET(self) -> None:
        self._answer({"models": self.server.models})

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.server.sent.append(json.loads(self.rfile.read(length)))
        self._answer({"done": True, "done_reason": "unload"})

    def _answer(self, document: Any) -> None:
        key = self.server.key
        status = self.server.status
        if key and self.headers.get("authorization") != f"Bearer {key}":
            status, document = 401, {"error": "a key is needed"}
        elif status != 200:
            document = {"error": "it broke"}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        """Quiet."""


@pytest.fixture
def server(facade: Any) -> Iterator[Any]:
    found: Any = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    found.models, found.sent, found.key, found.status = [RUNNING], [], "", 200
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    facade.settings.home.mkdir(parents=True, exist_ok=True)
    announce_presence(facade.settings.home, f"http://127.0.0.1:{found.server_port}")
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def test_what_is_in_memory_is_a_table(metier: Any, server: Any):
    lines = metier("ps").out.splitlines()
    assert lines[0].split() == ["name", "size", "context", "base", "until"]
    assert lines[1].split() == ["tiny:latest", "12", "MB", "4,096", "base", "for", "ever"]
    assert metier("ps", "--json").json()["models"] == [RUNNING]
    server.models = []
    assert metier("ps").err == "No model is in memory.\n"


def test_stopping_takes_a_model_out(metier: Any, server: Any):
    assert metier("stop", "tiny").err == "tiny leaves the memory.\n"
    assert server.sent == [{"model": "tiny", "keep_alive": 0, "stream": False}]


def test_stopping_what_is_not_there_names_what_is(metier: Any, server: Any):
    outcome = metier("stop", "other")
    assert outcome.code == 2
    assert "in memory: tiny:latest" in outcome.err
    assert server.sent == []


def test_without_a_server_it_says_how_to_start_one(metier: Any):
    outcome = metier("ps")
    assert outcome.code == 3
    assert "metier up" in outcome.err


def test_a_key_is_asked_for_and_sent(metier: Any, server: Any, tmp_path: Any):
    server.key = "secret"
    assert "--api-key-file" in metier("ps").err
    key = tmp_path / "key"
    key.write_text("secret\n")
    assert metier("ps", "--api-key-file", str(key)).code == 0


def test_a_servers_failure_is_said(metier: Any, server: Any):
    server.status = 500
    outcome = metier("ps")
    assert outcome.code == 3
    assert "it broke" in outcome.err


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "leaving"), (30, "30 s"), (300, "5 min"), (7200, "2.0 h"), (10**10, "for ever")],
)
def test_how_long_it_stays(seconds: float, words: str):
    from datetime import UTC, datetime

    now = 1_000_000_000.0
    moment = datetime.fromtimestamp(min(now + seconds, 2e11), UTC).isoformat()
    assert until(moment, now=now) == words
    assert until("soon", now=now) == "not known"
