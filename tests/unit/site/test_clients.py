"""What editors are told: valid files, filled in, with the page that says so."""

from __future__ import annotations

import json

import yaml

from metier.server.facade import Here
from metier.site import clients

HOSTILE = 'x": {"y'


def codes(name: str, **more: bool) -> dict[str, str]:
    here = Here("http://h:1", **more)
    return {one.program: one.code for one in clients.editors(name, here, context=8192, tools=True)}


def test_every_setting_is_a_valid_file_with_a_source() -> None:
    for name in ("team/coder:2", HOSTILE):
        found = codes(name)
        zed = json.loads(found["Zed"])["language_models"]["ollama"]
        assert zed["api_url"] == "http://h:1"
        assert zed["available_models"][0]["name"] == name
        assert zed["available_models"][0]["max_tokens"] == 8192
        opencode = json.loads(found["opencode"])["provider"]["metier"]
        assert opencode["options"] == {"baseURL": "http://h:1/v1"}
        assert list(opencode["models"]) == [name]
        assert json.loads(found["VS Code with Copilot"]) == {
            "github.copilot.chat.byok.ollamaEndpoint": "http://h:1"
        }
        (model,) = yaml.safe_load(found["Continue"])["models"]
        assert (model["model"], model["apiBase"]) == (name, "http://h:1")
    for one in clients.editors("x", Here("http://h:1")):
        assert one.source.startswith("https://")
        assert one.read == "2026-11-23"


def test_the_key_is_asked_for_only_where_it_is_needed() -> None:
    assert "METIER_KEY" not in "".join(codes("x").values())
    assert "{env:METIER_KEY}" in codes("x", needs_key=True)["opencode"]
    assert "apiKey" in codes("x", needs_key=True)["Continue"]


def test_agents_get_a_command_a_file_and_an_address() -> None:
    text = clients.mcp(Here("http://h:1"))
    assert "claude mcp add metier -- metier mcp" in text
    assert '{"mcpServers": {"metier": {"command": "metier", "args": ["mcp"]}}}' in text
    assert "http://h:1/mcp" in text
