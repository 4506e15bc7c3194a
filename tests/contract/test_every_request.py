"""Requests made up from our own OpenAPI document, good and bad: none ends in a defect or hangs."""

from __future__ import annotations

from pathlib import Path

import pytest

import clients
from clients.requesting import request_all
from served import Served

SECONDS = 30


@pytest.mark.slow
@clients.needs_python_clients()
def test_no_request_ends_in_a_defect(server: Served, tmp_path: Path) -> None:
    assert request_all(server, tmp_path, SECONDS) == ""
    with server.client() as client:
        assert client.get("/health").json()["status"] == "ok"
    assert "Traceback" not in server.log.read_text(encoding="utf-8")
