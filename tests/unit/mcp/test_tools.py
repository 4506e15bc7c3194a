"""What an agent can call, through the SDK's own client and a real fleet."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from mcp import Client

import coding_fleet
import scripted
from metier.mcp import create_server

FILES = [{"path": "a.py", "text": "def add(a, b)\n    return a + b\n"}]


@pytest.fixture(scope="module")
def service():
    with scripted.service(key=None) as seen:
        yield seen


@pytest.fixture(scope="module")
def metier(tmp_path_factory, service):
    opened = coding_fleet.opened(tmp_path_factory.mktemp("home"), service=service.service.url)
    yield opened
    opened.close()


def call(metier, tool: str, arguments: dict, **more: Any) -> Any:
    """The result of one call by a client of its own."""

    async def work() -> Any:
        async with Client(create_server(metier)) as client:
            return await client.call_tool(tool, arguments, **more)

    return anyio.run(work)


def test_the_tools_say_that_they_only_read(metier) -> None:
    async def work() -> Any:
        async with Client(create_server(metier)) as client:
            return client.instructions, (await client.list_tools()).tools

    instructions, tools = anyio.run(work)
    assert "never" in instructions
    assert {tool.name for tool in tools} == {
        "list_specialists",
        "search_docs",
        "classify_texts",
        "check_code",
        "explain_code",
        "repair_code",
        "migrate_code",
        "ask_specialist",
    }
    for tool in tools:
        assert tool.description
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert tool.output_schema, "agents get structured answers"


def test_the_fleet_is_listed_with_what_is_missing(metier) -> None:
    found = call(metier, "list_specialists", {}).structured_content["result"]
    by_name = {item["name"]: item for item in found}
    assert by_name["notes"]["task"] == "search"
    assert by_name["coder"]["task"] == "chat"
    assert all(isinstance(line, str) for line in by_name["coder"]["missing"])


def test_documents_are_searched(metier) -> None:
    found = call(metier, "search_docs", {"query": "open a file", "name": "notes", "top": 1})
    (passage,) = found.structured_content["passages"]
    assert passage["number"] == 1
    assert "with open(path)" in passage["text"]
    assert passage["source"]


def test_code_is_checked_with_line_and_explanation(metier) -> None:
    found = call(metier, "check_code", {"files": FILES, "name": "coder"}).structured_content
    assert found["ok"] is False
    assert found["findings"][0]["line"] == 1
    assert found["findings"][0]["path"] == "a.py"


def test_findings_are_explained(metier) -> None:
    found = call(metier, "explain_code", {"files": FILES, "name": "coder"}).structured_content
    assert found["ok"] is False
    assert "passages" in found["findings"][0]


def test_repairs_give_only_what_changed(metier) -> None:
    files = [{"path": "a.py", "text": "x = 1\n"}, {"path": "b.py", "text": "print(math.pi)\n"}]
    found = call(metier, "repair_code", {"files": files, "name": "coder"}).structured_content
    assert found["report"]["ok"] is True
    assert [file["path"] for file in found["changed"]] == ["b.py"]
    assert found["applied"]


def test_a_specialist_is_asked_with_progress(metier, service) -> None:
    service.always = scripted.told(coding_fleet.GOOD)
    heard: list[str | None] = []

    async def on_progress(_done: float, _total: float | None, message: str | None) -> None:
        heard.append(message)

    found = call(
        metier,
        "ask_specialist",
        {"question": "Write add(a, b).", "name": "coder", "base": "remote:big"},
        progress_callback=on_progress,
    ).structured_content
    assert "return a + b" in found["text"]
    assert found["checked"] is True
    assert found["base"] == "remote:big"
    assert found["tokens"] > 0
    assert heard
    assert found["trace"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("search_docs", {"query": "x", "name": "nobody"}, ("nobody", "not_found")),
        ("check_code", {"files": [*FILES, *FILES], "name": "coder"}, ("twice",)),
        ("migrate_code", {"files": FILES, "name": "coder"}, ("no_migration",)),
        ("ask_specialist", {"question": "x", "name": "coder", "base": "replay:a"}, ("replay",)),
        ("check_code", {"files": [], "name": "coder"}, ("files",)),
        ("search_docs", {"query": "x", "name": "notes", "top": 0}, ("top",)),
    ],
)
def test_an_error_is_a_sentence_for_the_agent(metier, tool, arguments, words) -> None:
    result = call(metier, tool, arguments)
    assert result.is_error
    text = result.content[0].text
    for word in words:
        assert word in text


def test_a_failing_base_is_said_without_its_key(metier, service) -> None:
    service.always = None
    result = call(
        metier, "ask_specialist", {"question": "x", "name": "coder", "base": "remote:big"}
    )
    assert result.is_error
    assert "sk-" not in result.content[0].text
