"""``metier mcp`` as an agent starts it: a process, spoken to over its standard streams."""

from __future__ import annotations

import os
import sys
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

import coding_fleet


def test_an_agent_starts_it_and_calls_a_tool(tmp_path) -> None:
    coding_fleet.opened(tmp_path).close()
    environment = {**os.environ, "METIER_HOME": str(tmp_path)}
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "metier", "mcp"], env=environment
    )

    async def work() -> Any:
        async with Client(stdio_client(server)) as client:
            assert client.server_info.name == "metier"
            found = await client.call_tool("search_docs", {"query": "loops", "name": "notes"})
            listed = await client.call_tool("list_specialists", {})
            return found.structured_content, listed.structured_content

    found, listed = anyio.run(work)
    assert found["passages"][0]["title"] == "Loops"
    names = [item["name"] for item in listed["result"]]
    assert "coder" in names
    assert "message-spam" in names, "the starters are put in at the first start"
