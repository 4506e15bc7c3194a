"""Files, findings, repairs and passages as JSON: what ``/metier/v1`` reads and writes of code.

Pure translation: no I/O, no framework. Requests are checked field by field; the JSON schemas for
the OpenAPI document stand beside the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage, Reply
from metier.errors import InputError
from metier.server import chat

MOST_FILES = 200
MOST_CHARACTERS = 1_000_000
MOST_PATH = 400
MOST_PASSAGES = 50
MOST_QUERY = 10_000

_FILE = {
    "type": "object",
    "required": ["path", "text"],
    "properties": {"path": {"type": "string"}, "text": {"type": "string"}},
}
FILES: dict[str, Any] = {
    "type": "object",
    "required": ["model", "files"],
    "properties": {
        "model": {"type": "string", "description": "A chat specialist, like `sveltekit`."},
        "files": {"type": "array", "items": _FILE, "maxItems": MOST_FILES},
    },
}
SEARCH: dict[str, Any] = {
    "type": "object",
    "required": ["model", "query"],
    "properties": {
        "model": {"type": "string", "description": "A pack, or a specialist with packs."},
        "query": {"type": "string"},
        "top": {"type": "integer", "default": 5, "maximum": MOST_PASSAGES},
    },
}
CHAT: dict[str, Any] = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "description": "`sveltekit`, or `sveltekit@remote:NAME`."},
        "messages": {"type": "array", "items": {"type": "object"}},
        "stream": {"type": "boolean", "default": False},
        "metier": {
            "type": "object",
            "description": "base, candidates, repairs, documents, tools, first_draft, tokens, "
            "seconds, trace.",
        },
    },
}


def body(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The request body's part of the OpenAPI document."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@dataclass(frozen=True, slots=True)
class FilesQuestion:
    """Files for a specialist's tool."""

    model: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """A question for a pack."""

    model: str
    query: str
    top: int


def parse_files(asked: Mapping[str, Any]) -> FilesQuestion:
    """The checked request; raises InputError (``bad_request``) naming the field."""
    given = asked.get("files")
    if not isinstance(given, list) or not given:
        raise _wrong("'files' is missing or empty.", "files", "Give a list of {path, text}.")
    if len(given) > MOST_FILES:
        raise _wrong(
            f"'files' has {len(given):,} entries; {MOST_FILES} are read.",
            "files",
            "Send what belongs together.",
        )
    files = tuple(_file(item, f"files[{place}]") for place, item in enumerate(given))
    paths = [file.path for file in files]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise _wrong(f"The file {twice[:80]!r} is given twice.", "files", "Give each once.")
    return FilesQuestion(_model(asked), files)


def parse_search(asked: Mapping[str, Any]) -> SearchQuestion:
    """The checked request; raises InputError (``bad_request``) naming the field."""
    query = asked.get("query")
    if not isinstance(query, str) or not query.strip():
        raise _wrong("'query' is missing or blank.", "query", "Write what you look for.")
    if len(query) > MOST_QUERY:
        raise _wrong(
            f"'query' has {len(query):,} characters; {MOST_QUERY:,} are read.",
            "query",
            "Ask in fewer words.",
        )
    top = asked.get("top", 5)
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MOST_PASSAGES:
        raise _wrong(
            f"'top' is {str(top)[:40]!r}.", "top", f"It is a number from 1 to {MOST_PASSAGES}."
        )
    return SearchQuestion(_model(asked), query, top)


def checked(found: Checked) -> dict[str, Any]:
    """What a tool found."""
    return {
        "ok": found.ok,
        "diagnostics": [item.as_dict() for item in found.diagnostics],
        "seconds": round(found.seconds, 4),
    }


def explained(pairs: Sequence[tuple[Diagnostic, Sequence[Passage]]]) -> dict[str, Any]:
    """Each finding with its passages."""
    return {
        "ok": all(diagnostic.severity != "error" for diagnostic, _ in pairs),
        "diagnostics": [
            {**diagnostic.as_dict(), "passages": passages(about)} for diagnostic, about in pairs
        ],
    }


def mended(
    files: Sequence[SourceFile],
    mending: Mended | None,
    check: Callable[[str, Sequence[SourceFile]], Checked],
    model: str,
) -> dict[str, Any]:
    """Repairs and the files after them; without a repair, the files as they came."""
    if mending is None:
        return {"applied": [], "files": _files(files), **checked(check(model, files))}
    applied = [{"rule": rule, "did": sentence} for rule, sentence in mending.applied]
    return {"applied": applied, "files": _files(mending.files), **checked(mending.checked)}


def passages(found: Sequence[Passage]) -> list[dict[str, Any]]:
    """Passages, numbered from 1."""
    return [
        {
            "number": number,
            "id": passage.id,
            "title": passage.title,
            "trail": list(passage.trail),
            "text": passage.text,
            "path": passage.path,
            "source": passage.source,
            "address": passage.address,
            "version": passage.version,
            "score": round(passage.score, 6),
        }
        for number, passage in enumerate(found, start=1)
    ]


def reply(value: Reply) -> dict[str, Any]:
    """An answer with everything behind it."""
    return {
        "text": value.text,
        "tool_calls": value.extra.get("tool_calls", []),
        "usage": chat.usage(value),
        **chat.trace_of(value),
        "passages": passages(value.passages),
    }


def _files(files: Sequence[SourceFile]) -> list[dict[str, str]]:
    return [{"path": file.path, "text": file.text} for file in files]


def _model(asked: Mapping[str, Any]) -> str:
    model = asked.get("model")
    if not isinstance(model, str) or not model:
        raise _wrong("'model' is missing or not text.", "model", "Name a specialist or a pack.")
    return model


def _file(item: object, where: str) -> SourceFile:
    path = item.get("path") if isinstance(item, dict) else None
    text = item.get("text") if isinstance(item, dict) else None
    if not isinstance(path, str) or not 0 < len(path) <= MOST_PATH:
        raise _wrong(f"{where}.path is missing or too long.", f"{where}.path", "Name the file.")
    if not isinstance(text, str):
        raise _wrong(f"{where}.text is not text.", f"{where}.text", "Give the whole file.")
    if len(text) > MOST_CHARACTERS:
        raise _wrong(
            f"{where} has {len(text):,} characters; {MOST_CHARACTERS:,} are read.",
            f"{where}.text",
            "Send a smaller file.",
        )
    return SourceFile(path, text)


def _wrong(message: str, param: str, remedy: str) -> InputError:
    return InputError(message, code="bad_request", remedy=remedy, details={"param": param})
