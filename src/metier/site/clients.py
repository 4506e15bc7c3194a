"""Editors and agents: what to write where so that they ask this server for this model.

Each block names the file or command, the text, and the page that says so (address and the day it
was read). Nothing here was guessed; an editor whose page was not read is not listed.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from metier.site.values import Place


class Setting(NamedTuple):
    """What one program wants: its name, where the text goes, the text, and who says so."""

    program: str
    where: str
    code: str
    source: str
    read: str


_READ = "2026-11-23"


def mcp(here: Place) -> str:
    """How an agent gets the tools of this home over the Model Context Protocol."""
    config = {"mcpServers": {"metier": {"command": "metier", "args": ["mcp"]}}}
    return (
        "# Claude Code and Codex\n"
        "claude mcp add metier -- metier mcp\n"
        "codex mcp add metier -- metier mcp\n\n"
        "# or in a configuration file\n"
        f"{json.dumps(config)}\n\n"
        f"# or over HTTP, while this server runs\n{here.address}/mcp"
    )


def editors(name: str, here: Place, *, context: int = 0, tools: bool = False) -> list[Setting]:
    """The settings of editors for one model that writes.

    Args:
        name: The model or chat specialist.
        here: Where this server answers.
        context: Tokens of context it gets, 0 if not known.
        tools: Whether it calls tools.
    """
    return [
        _continue(name, here),
        _zed(name, here, context, tools),
        _copilot(here),
        _opencode(name, here),
    ]


def _continue(name: str, here: Place) -> Setting:
    key = "\n    apiKey: YOUR_KEY" if here.needs_key else ""
    code = f"""name: Metier
version: 0.0.1
schema: v1
models:
  - name: {json.dumps(name)}
    provider: ollama
    model: {json.dumps(name)}
    apiBase: {json.dumps(here.address)}{key}
    roles: [chat, edit]"""
    return Setting(
        "Continue",
        "config.yaml in ~/.continue",
        code,
        "https://docs.continue.dev/customize/model-providers/top-level/ollama",
        _READ,
    )


def _zed(name: str, here: Place, context: int, tools: bool) -> Setting:
    model = {"name": name, "display_name": name, "max_tokens": context or 4096}
    if tools:
        model["supports_tools"] = True
    ollama = {"api_url": here.address, "auto_discover": False, "available_models": [model]}
    return Setting(
        "Zed",
        "settings.json",
        json.dumps({"language_models": {"ollama": ollama}}, indent=2, ensure_ascii=False),
        "https://zed.dev/docs/ai/use-a-local-model",
        _READ,
    )


def _copilot(here: Place) -> Setting:
    return Setting(
        "VS Code with Copilot",
        "settings.json; then Manage Models, Ollama. It lists models that call tools",
        json.dumps({"github.copilot.chat.byok.ollamaEndpoint": here.address}, indent=2),
        "https://github.com/microsoft/vscode/issues/246474",
        _READ,
    )


def _opencode(name: str, here: Place) -> Setting:
    options = {"baseURL": f"{here.address}/v1"}
    if here.needs_key:
        options["apiKey"] = "{env:METIER_KEY}"
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Metier",
        "options": options,
        "models": {name: {"name": name}},
    }
    whole = {"$schema": "https://opencode.ai/config.json", "provider": {"metier": provider}}
    return Setting(
        "opencode",
        "opencode.json",
        json.dumps(whole, indent=2, ensure_ascii=False),
        "https://github.com/anomalyco/opencode/issues/6231",
        _READ,
    )
