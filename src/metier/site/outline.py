"""The HTTP interface as a page: the OpenAPI document put in order for reading.

It knows the document's shape only, and shows what it finds; nothing is fetched.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from metier.site.values import Place

_TAGS = {
    "find": "Find",
    "answer": "Answer",
    "fleet": "The fleet",
    "make": "Make",
    "prove": "Prove",
    "jobs": "Jobs",
    "store": "Store",
    "server": "Server",
    "ollama": "Ollama's API",
}
_EXAMPLES = {
    "input": '"where is my card"',
    "model": '"banking-intents"',
    "top": "5",
    "remake": "false",
}
_PLACES = {"name": "banking-intents", "role": "specialist", "job": "ID"}


def outline(document: Mapping[str, Any], here: Place) -> list[dict[str, Any]]:
    """Groups of operations, each with what it reads, what it answers and a curl line."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["server"])[0]
            groups.setdefault(tag, []).append(
                _operation(document, path, method.upper(), operation, here)
            )
    order = [*_TAGS, *(tag for tag in groups if tag not in _TAGS)]
    return [
        {"key": tag, "title": _TAGS.get(tag, tag), "operations": groups[tag]}
        for tag in order
        if tag in groups
    ]


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], here: Place
) -> dict[str, Any]:
    media_type, schema = _body(document, operation)
    fields = [
        {
            "name": parameter["name"],
            "place": parameter["in"],
            "type": _type(document, parameter.get("schema", {})),
            "needed": parameter.get("required", False),
            "text": parameter.get("description", ""),
        }
        for parameter in operation.get("parameters", [])
    ]
    needed = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        fields.append(
            {
                "name": name,
                "place": "form" if "form" in media_type else "body",
                "type": _type(document, part),
                "needed": name in needed,
                "text": part.get("description", ""),
            }
        )
    return {
        "method": method,
        "path": path,
        "key": f"{method}-{path}".lower().replace("/", "-").replace("{", "").replace("}", ""),
        "summary": operation.get("summary", ""),
        "text": operation.get("description", ""),
        "fields": fields,
        "answers": [
            {"status": status, "text": answer.get("description", "")}
            for status, answer in operation.get("responses", {}).items()
        ],
        "curl": _curl(method, path, media_type, schema, here),
    }


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    content = operation.get("requestBody", {}).get("content", {})
    for media_type, described in content.items():
        return media_type, _resolved(document, described.get("schema", {}))
    return "", {}


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    name = reference.rpartition("/")[2]
    found: dict[str, Any] = (
        document.get("components", {}).get("schemas", {}).get(name, {})
        if reference
        else dict(schema)
    )
    return found


def _type(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(document, part) for part in schema["anyOf"])
    if schema.get("format") == "binary":
        return "file"
    if schema.get("type") == "array":
        return f"list of {_type(document, schema.get('items', {}))}"
    return str(schema.get("type") or schema.get("$ref", "").rpartition("/")[2] or "any")


def _curl(method: str, path: str, media_type: str, schema: Mapping[str, Any], here: Place) -> str:
    line = ["curl"] + (["-X", method] if method not in ("GET", "POST") else [])
    if method == "POST" and not media_type:
        line += ["-X", "POST"]
    if here.needs_key:
        line += ["-H", "Authorization: Bearer KEY"]
    needed = schema.get("required", [])
    if "form" in media_type:
        for name in needed:
            binary = schema["properties"][name].get("format") == "binary"
            line += ["-F", f"{name}=@rows.csv" if binary else f"{name}={name.upper()}"]
    elif media_type:
        names = needed or list(schema.get("properties", {}))
        pairs = ", ".join(f'"{name}": {_EXAMPLES.get(name, chr(34) * 2)}' for name in names)
        line += ["-d", json.dumps(schema["example"]) if "example" in schema else f"{{{pairs}}}"]
    example = re.sub(r"{(\w+)}", lambda match: _PLACES.get(match[1], match[1].upper()), path)
    return shlex.join([*line, here.address + example])
