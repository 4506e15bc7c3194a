"""A guest application: made when it is first asked, ended with the server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import coding_fleet
from metier.mcp import http_app
from metier.server.guest import Guest
from stand_in.serving import serving

SCOPE = {"type": "http", "method": "GET", "path": "/mcp", "headers": [], "query_string": b""}


def application(events: list[str]) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app):
        events.append("begun")
        yield
        events.append("ended")

    async def endpoint(_request):
        return PlainTextResponse("hello")

    return Starlette(routes=[Route("/mcp", endpoint)], lifespan=lifespan)


async def ask(guest: Guest) -> list[dict]:
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    async def send(message: dict) -> None:
        sent.append(message)

    await guest(dict(SCOPE), receive, send)
    return sent


def test_it_is_made_once_and_ended_once() -> None:
    events: list[str] = []

    def make() -> Starlette:
        events.append("made")
        return application(events)

    async def work() -> list[list[dict]]:
        guest = Guest(make)
        answers = await asyncio.gather(*(ask(guest) for _ in range(3)))
        await guest.close()
        return answers

    answers = asyncio.run(work())
    assert [answer[0]["status"] for answer in answers] == [200, 200, 200]
    assert events == ["made", "begun", "ended"]


def test_one_that_nobody_asked_is_never_made() -> None:
    async def work() -> None:
        await Guest(lambda: pytest.fail("made for nobody")).close()

    asyncio.run(work())


def test_one_that_cannot_begin_says_why_and_may_be_tried_again() -> None:
    tries: list[int] = []

    def make() -> Starlette:
        tries.append(1)

        @asynccontextmanager
        async def lifespan(_app):
            if len(tries) == 1:
                raise OSError("no room")
            yield

        app = application([])
        app.router.lifespan_context = lifespan
        return app

    async def work() -> int:
        guest = Guest(make)
        with pytest.raises(OSError, match="no room"):
            await ask(guest)
        status = (await ask(guest))[0]["status"]
        await guest.close()
        return status

    assert asyncio.run(work()) == 200


def test_agents_are_answered_behind_the_guard(tmp_path) -> None:
    metier = coding_fleet.opened(tmp_path)
    key = "a-key-that-is-long-enough"
    with serving(metier, api_key=key, agents=lambda: http_app(metier, guarded=True)) as address:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        refused = httpx.post(f"{address}/mcp", json=body, trust_env=False)
        assert refused.status_code == 401

        async def work():
            headers = {"Authorization": f"Bearer {key}"}
            async with httpx_client(headers) as http:
                transport = streamable_http_client(f"{address}/mcp", http_client=http)
                async with Client(transport) as client:
                    return await client.call_tool(
                        "search_docs", {"query": "loops", "name": "notes"}
                    )

        assert anyio.run(work).structured_content["passages"]
    metier.close()


def httpx_client(headers: dict):
    """The SDK's own HTTP client, with the key."""
    from mcp.shared._httpx_utils import create_mcp_http_client

    return create_mcp_http_client(headers=headers)
