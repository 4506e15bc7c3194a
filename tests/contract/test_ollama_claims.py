"""The table of claims about Ollama's API: every route is in it, and every claim has its test."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
CLAIMS = tomllib.loads((TESTS / "contract" / "claims_ollama.toml").read_text("utf-8"))["claims"]
# The method+path pairs of Ollama 0.32.9 that are not OpenAI's or Anthropic's.
ROUTES = {
    *("HEAD /", "GET /", "HEAD /api/version", "GET /api/version", "GET /api/status"),
    *("HEAD /api/tags", "GET /api/tags", "GET /api/ps", "POST /api/show", "POST /api/generate"),
    *("POST /api/chat", "POST /api/embed", "POST /api/embeddings", "POST /api/pull"),
    *("POST /api/push", "POST /api/create", "POST /api/copy", "DELETE /api/delete"),
    *("HEAD /api/blobs/{digest}", "POST /api/blobs/{digest}", "POST /api/me"),
    *("POST /api/signout", "DELETE /api/user/keys/{key}", "POST /api/experimental/web_search"),
    *("POST /api/experimental/web_fetch", "GET /api/experimental/model-recommendations"),
}


def test_every_route_is_claimed() -> None:
    assert {claim["route"] for claim in CLAIMS} - {"any"} == ROUTES


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim['route']} {claim['what']}")
def test_a_claim_has_a_test_and_a_difference_a_reason(claim: dict[str, str]) -> None:
    assert claim["state"] in ("done", "different")
    assert ("why" in claim) == (claim["state"] == "different")
    path, _, name = claim["test"].partition("::")
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
