"""Requests made up from our own OpenAPI document, good and bad: none ends in a defect or hangs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import clients
from served import Served

SECONDS = 40
# What fetches from elsewhere or starts work that outlives its request has tests of its own.
LEFT_OUT = "^/(api/pull|metier/v1/(make|evaluate|compare|check-eval|verify))"


@pytest.mark.slow
@clients.needs_python_clients()
def test_no_request_ends_in_a_defect(server: Served, tmp_path: Path) -> None:
    command = [
        str(clients.python_client().with_name("st")),
        "--config-file", str(clients.HERE / "schemathesis.toml"),
        "run", f"{server.address}/openapi.json",
        "--exclude-path-regex", LEFT_OUT,
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
