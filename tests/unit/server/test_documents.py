"""The OpenAPI document: complete, with the hot path in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.server import create_app
from metier.site import Site
from stand_in.metier import StandIn


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    return create_app(StandIn(tmp_path), Site()).openapi()


def test_every_verb_is_an_http_call(document: dict[str, Any]) -> None:
    calls = {
        f"{method.upper()} {path}"
        for path, verbs in document["paths"].items()
        for method in verbs
        if not path.startswith("/api/")  # Ollama's, which test_ollama_routes counts
    }
    assert calls == {
        "POST /v1/classify",
        "POST /metier/v1/classify-image",
        "POST /v1/route",
        "GET /metier/v1/watch",
        "GET /metier/v1/watch/{name}",
        "POST /metier/v1/feedback",
        "DELETE /metier/v1/feedback/{name}",
        "GET /metier/v1/specialists/{name}/hops",
        "POST /metier/v1/specialists/{name}/hop",
        "POST /metier/v1/specialists/{name}/rollback",
        "POST /v1/chat/completions",
        "POST /v1/completions",
        "POST /v1/embeddings",
        "POST /v1/rerank",
        "POST /metier/v1/answer",
        "POST /metier/v1/search",
        "POST /metier/v1/check",
        "POST /metier/v1/explain",
        "POST /metier/v1/repair",
        "POST /metier/v1/migrate",
        "GET /v1/models",
        "GET /v1/models/{name}",
        "GET /health",
        "GET /metrics",
        "GET /metier/v1/find",
        "POST /metier/v1/find/hub",
        "GET /metier/v1/specialists",
        "GET /metier/v1/specialists/{name}",
        "DELETE /metier/v1/specialists/{name}",
        "GET /metier/v1/specialists/{name}/results/{role}",
        "GET /metier/v1/fleet",
        "POST /metier/v1/pull",
        "POST /metier/v1/load",
        "POST /metier/v1/unload",
        "POST /metier/v1/preview",
        "POST /metier/v1/jobs/{job}/resume",
        "DELETE /metier/v1/jobs/{job}",
        "POST /metier/v1/gc",
        "POST /metier/v1/verify",
        "POST /metier/v1/make",
        "POST /metier/v1/evaluate",
        "POST /metier/v1/compare",
        "POST /metier/v1/check-eval",
        "GET /metier/v1/jobs",
        "GET /metier/v1/jobs/{job}",
        "GET /metier/v1/jobs/{job}/events",
        "POST /metier/v1/jobs/{job}/stop",
    }


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    return set()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    found = references(document)
    assert "#/components/schemas/ClassifyRequest" in found
    assert {name.rpartition("/")[2] for name in found} <= set(schemas)


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for path, verbs in document["paths"].items():
        for operation in verbs.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert operation["tags"], path


def test_the_reference_names_every_address(document: dict[str, Any]) -> None:
    folder = Path(__file__).parents[3] / "docs" / "reference"
    page = (folder / "http.md").read_text("utf-8") + (folder / "ollama.md").read_text("utf-8")
    assert [path for path in document["paths"] if f" {path}`" not in page] == []
