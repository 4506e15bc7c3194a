from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from metier.server.origins import cors, is_of_models, may_ask, preflight
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving

ALLOWED = [
    "http://localhost",
    "https://localhost:5173",
    "http://127.0.0.1:8080",
    "http://0.0.0.0:3000",
    "app://obsidian.md",
    "file://",
    "tauri://localhost",
    "vscode-webview://0abc1d",
    "vscode-file://vscode-app",
]
REFUSED = [
    "http://evil.example",
    "http://localhost.evil.example",
    "http://localhost@evil.example",
    "http://localhost:80:80",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.2",
    "http://[::1]:80",
    "chrome-extension://abc",
    "ftp://localhost",
    "xapp://a",
    "null",
    "",
    "http://localhost/\nx",
    "app://a b",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(StandIn(tmp_path_factory.mktemp("fleet"), [banking()])) as address:
        yield address


@pytest.mark.parametrize("origin", ALLOWED)
def test_ollamas_origins_may_ask_models(origin: str) -> None:
    assert may_ask("/api/chat", origin.encode())
    assert may_ask("/v1/chat/completions", origin.encode())
    assert not may_ask("/metier/v1/gc", origin.encode())
    assert not may_ask("/", origin.encode())


@pytest.mark.parametrize("origin", REFUSED)
def test_no_other_origin_may(origin: str) -> None:
    assert not may_ask("/api/chat", origin.encode())
    assert cors("/api/chat", {b"origin": origin.encode()}) == ()


@pytest.mark.parametrize(
    ("path", "of_models"),
    [("/api", True), ("/v1", True), ("/api/x", True), ("/apix", False), ("/metier/v1/x", False)],
)
def test_the_models_apis_are_two(path: str, of_models: bool) -> None:
    assert is_of_models(path) is of_models


@pytest.mark.parametrize("origin", ALLOWED)
@pytest.mark.parametrize("path", ["/api/tags", "/v1/models"])
def test_an_allowed_page_reads_the_answer(server: str, origin: str, path: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    reply = httpx.get(server + path, headers=headers)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == origin
    assert reply.headers["vary"] == "origin"


@pytest.mark.parametrize("path", ["/api/chat", "/v1/classify"])
def test_an_allowed_page_reads_errors_too(server: str, path: str) -> None:
    headers = {"Origin": "vscode-webview://x", "Sec-Fetch-Site": "cross-site"}
    reply = httpx.post(server + path, content=b"{", headers=headers)
    assert reply.status_code == 400
    assert reply.headers["access-control-allow-origin"] == "vscode-webview://x"


@pytest.mark.parametrize("path", ["/", "/index.json", "/metier/v1/specialists", "/health", "/docs"])
def test_an_allowed_page_reads_nothing_else(server: str, path: str) -> None:
    reply = httpx.get(server + path, headers={"Origin": "http://localhost:5173"})
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_a_refused_page_is_told_so_at_every_method(server: str, method: str) -> None:
    reply = httpx.request(method, f"{server}/api/tags", headers={"Origin": "http://evil.example"})
    assert reply.status_code in (403, 405)
    assert not [name for name in reply.headers if name.startswith("access-control")]


def test_the_first_question_of_a_browser_is_answered(server: str) -> None:
    headers = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-stainless-os, x-evil, x-stainless-lang",
    }
    reply = httpx.options(f"{server}/v1/chat/completions", headers=headers)
    assert reply.status_code == 204
    assert reply.content == b""
    allowed = reply.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "x-stainless-os", "x-stainless-lang"} <= set(allowed)
    assert "x-evil" not in allowed
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert reply.headers["access-control-allow-origin"] == "http://localhost:5173"


def test_it_is_not_answered_for_anybody_else() -> None:
    asked = {b"origin": b"http://evil.example", b"access-control-request-method": b"POST"}
    assert preflight("OPTIONS", "/api/chat", asked) is None
    own = {**asked, b"origin": b"http://localhost"}
    assert preflight("OPTIONS", "/make", own) is None
    assert preflight("POST", "/api/chat", own) is None
    assert preflight("OPTIONS", "/api/chat", {b"origin": b"http://localhost"}) is None
