"""Calls of OpenAI's and Anthropic's that come later: refused at once, as their clients read it."""

from __future__ import annotations

import pytest

from served import Served


@pytest.mark.parametrize(
    "path", ["/v1/responses", "/v1/messages", "/v1/audio/transcriptions", "/v1/nothing"]
)
def test_what_comes_later_is_a_quick_json_404(server: Served, path: str) -> None:
    with server.client() as client:
        reply = client.post(path, json={"model": "tiny", "input": "a"})
    assert (reply.status_code, reply.elapsed.total_seconds() < 1) == (404, True)
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
