"""docs/compatibility.md: every call and field is there, and every row has a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import compatibility
from metier.server import create_app
from metier.site import Site
from stand_in.metier import StandIn


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return create_app(StandIn(tmp_path_factory.mktemp("server")), Site()).openapi()


def calls(document: dict[str, Any]) -> dict[str, set[str]]:
    """Every call of both dialects to the fields of its body."""
    found: dict[str, set[str]] = {}
    for path, verbs in document["paths"].items():
        if path.startswith(("/v1/", "/api/")):
            for method, operation in verbs.items():
                content = operation.get("requestBody", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema", {})
                found[f"{method.upper()} {path}"] = set(schema.get("properties", {}))
    return found


def test_every_claim_has_its_tests() -> None:
    assert compatibility.mistakes() == []


def test_every_call_and_field_is_claimed(document: dict[str, Any]) -> None:
    claimed = {claim["name"]: claim for claim in compatibility.claims()}
    missing = []
    for call, fields in calls(document).items():
        if call not in claimed:
            missing.append(call)
            continue
        told = {*claimed[call].get("done", {}), *claimed[call].get("differs", {})}
        if "later" not in claimed[call]:
            missing += [f"{call}: {field}" for field in sorted(fields - told)]
    assert missing == []


def test_what_is_claimed_is_answered(document: dict[str, Any]) -> None:
    answered = {*calls(document), "GET /", "GET /health", "GET /metrics"}
    for claim in compatibility.claims():
        assert claim["name"] in answered or "later" in claim, claim["name"]


def test_the_page_is_as_make_docs_writes_it() -> None:
    path = Path(compatibility.PAGE)
    assert path.read_text(encoding="utf-8") == compatibility.page(), "run make docs"
