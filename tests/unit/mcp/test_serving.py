"""Over HTTP: the SDK's client gets in, a page of another origin does not."""

from __future__ import annotations

import socket
import threading

import anyio
import httpx
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

import coding_fleet
from metier.errors import UnavailableError
from metier.mcp import http_app, serve_http


@pytest.fixture(scope="module")
def metier(tmp_path_factory):
    opened = coding_fleet.opened(tmp_path_factory.mktemp("home"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(metier):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(http_app(metier), log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}/mcp"
        server.should_exit = True
        thread.join(20)


def test_a_client_searches_over_http(address) -> None:
    async def work():
        async with Client(streamable_http_client(address)) as client:
            return await client.call_tool("search_docs", {"query": "loops", "name": "notes"})

    assert anyio.run(work).structured_content["passages"]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_another_host_or_origin_is_refused(address, headers) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream", **headers}
    response = httpx.post(address, json=body, headers=accept, trust_env=False)
    assert response.status_code in (403, 421)


def test_a_port_that_is_taken_is_said(metier) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UnavailableError) as caught:
            serve_http(metier, port)
    assert caught.value.code == "port_taken"
    assert str(port) in caught.value.message
