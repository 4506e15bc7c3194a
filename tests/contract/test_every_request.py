"""Requests made up from our own OpenAPI document, good and bad: none ends in a defect or hangs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import clients
from served import ADAPTED, EMBEDS, RANKS, WRITES, Served

SECONDS = 40
# What fetches from elsewhere or starts work that outlives its request has tests of its own.
CHANGES = ("/api/create", "/api/copy", "/api/delete")
LEFT_OUT = "^/(api/pull|metier/v1/(make|evaluate|compare|check-eval|verify))"


def narrowed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with models that are here and answers that are short, so that most requests
    get as far as a model."""
    for path, operations in document["paths"].items():
        if path in CHANGES:
            continue
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            fields = schema.get("properties", {})
            if "model" in fields:
                fields["model"] = {"enum": [WRITES, ADAPTED, EMBEDS, RANKS, "message-spam"]}
            if "max_tokens" in fields:
                fields["max_tokens"] = {"type": "integer", "minimum": 1, "maximum": 12}
                fields["n"] = {"type": "integer", "minimum": 1, "maximum": 2}
                schema["required"] = [*schema["required"], "max_tokens"]
            if "options" in fields:
                short = {"type": "object", "properties": {"num_predict": {"const": 12}}}
                fields["options"] = {**short, "required": ["num_predict"]}
                schema["required"] = [*schema["required"], "options"]
    return document


@pytest.mark.slow
@clients.needs_python_clients()
def test_no_request_ends_in_a_defect(server: Served, tmp_path: Path) -> None:
    with server.client() as client:
        document = narrowed(client.get("/openapi.json").json())
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(document), encoding="utf-8")
    command = [
        str(clients.python_client().with_name("st")),
        "--config-file", str(clients.HERE / "schemathesis.toml"),
        "run", str(described),
        "--url", server.address,
        "--exclude-path-regex", LEFT_OUT,
        "--phases", "coverage,fuzzing",
        "--checks", "not_a_server_error",
        "--max-time", str(SECONDS),
        "--seed", "1",
        "--report-dir", str(tmp_path),
        "--no-color",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "*"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    with server.client() as client:
        assert client.get("/health").json()["status"] == "ok"
    assert "Traceback" not in server.log.read_text(encoding="utf-8")
