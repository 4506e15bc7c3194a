"""schemathesis over our own OpenAPI document: requests made up from it, good and bad."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import clients
from served import ADAPTED, EMBEDS, RANKS, WRITES, Served

# What fetches from elsewhere or starts work that outlives its request has tests of its own.
LEFT_OUT = "^/(api/pull|metier/v1/(make|evaluate|compare|check-eval|verify))"
CHANGES = ("/api/create", "/api/copy", "/api/delete")
"""They may name any model, but not the ones that the others ask."""


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


def request_all(server: Served, folder: Path, seconds: int, seed: int = 1) -> str:
    """Ask everything for so many seconds; "" if no request ended in a defect or hung.

    Args:
        server: Who is asked.
        folder: Where the document and the reports are put.
        seconds: How long.
        seed: Of what is made up.
    """
    with server.client() as client:
        document = narrowed(client.get("/openapi.json").json())
    described = folder / "openapi.json"
    described.write_text(json.dumps(document), encoding="utf-8")
    command = [
        str(clients.python_client().with_name("st")),
        "--config-file", str(clients.HERE / "schemathesis.toml"),
        "run", str(described),
        "--url", server.address,
        "--exclude-path-regex", LEFT_OUT,
        "--phases", "coverage,fuzzing",
        "--checks", "not_a_server_error",
        "--max-time", str(seconds),
        "--seed", str(seed),
        "--report-dir", str(folder),
        "--no-color",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "*"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds + 200,
    )
    return "" if done.returncode == 0 else done.stdout[-6000:] + done.stderr[-2000:]
