"""The OpenAPI document: FastAPI's own, with the hot path added.

``/v1/classify`` bypasses FastAPI, so its description is put in here from the models of
``native``; a test holds real replies against it.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from metier.server.native import ClassifyReply, ClassifyRequest

_DESCRIPTION = """\
Small specialist models: list them, ask them, make them, prove them. `/v1` is for programs that
know OpenAI's shapes; `/metier/v1` holds every verb of the command line. Data comes by upload only:
no call takes a path of this machine."""


def describe(app: FastAPI, version: str) -> dict[str, Any]:
    """The OpenAPI document of ``app``."""
    document = get_openapi(
        title="Metier", version=version, description=_DESCRIPTION, routes=app.routes
    )
    _, schemas = models_json_schema(
        [(ClassifyRequest, "validation"), (ClassifyReply, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    classify = {
        "post": {
            "tags": ["answer"],
            "summary": "Classify one text or many",
            "description": "One calibrated answer per text, in order. An answer that is not sure"
            " enough has `label` null and `abstained` true.",
            "operationId": "classify",
            "requestBody": {"required": True, "content": _json("ClassifyRequest")},
            "responses": {
                "200": {"description": "The answers", "content": _json("ClassifyReply")},
                "404": {"description": "No such specialist"},
                "413": {"description": "Too many or too long texts"},
                "422": {"description": "A field is wrong; the error names it"},
            },
        }
    }
    document["paths"] = {"/v1/classify": classify, **document["paths"]}
    return document


def _json(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
