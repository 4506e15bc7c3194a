"""Errors as HTTP: which status a code has, and how each dialect writes an error.

It is the only place that knows statuses for ``metier.errors``. Pure translation: no I/O, no
framework. ``/v1`` speaks OpenAI's error object and ``/api`` Ollama's text, where the remedy is part
of the message, because their clients show nothing else; ``/metier/v1`` adds ``remedy``,
``retryable`` and ``details``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metier.errors import (
    DidNotPassError,
    InputError,
    InternalError,
    MetierError,
    NotFoundError,
    StorageError,
    UnavailableError,
)

_CODES = {
    "not_json": 400,
    "bad_encoding": 400,
    "too_large": 413,
    "overloaded": 503,
    "queue_full": 429,
    "disk_full": 507,
    "conflict": 409,
    "hopping": 409,
    "name_changed": 409,
}
_KINDS: tuple[tuple[type[MetierError], int], ...] = (
    (NotFoundError, 404),
    (InputError, 422),
    (DidNotPassError, 422),
    (UnavailableError, 503),
    (StorageError, 500),
    (InternalError, 500),
)
# What Ollama answers: its clients know 400, 404 and 503 and take anything else for a defect.
_OLLAMA_CODES = {
    "too_large": 413,
    "overloaded": 503,
    "queue_full": 503,
    "no_general_model": 503,
    "cancelled": 499,
    "disk_full": 507,
    "conflict": 409,
    "not_offered": 501,
}
_OLLAMA_KINDS: tuple[tuple[type[MetierError], int], ...] = (
    (NotFoundError, 404),
    (InputError, 400),
    (DidNotPassError, 400),
    (MetierError, 500),
)
# OpenAI's own statuses and codes, which its clients tell apart; /v1/classify is ours.
_OPENAI = ("/v1/chat/", "/v1/completions", "/v1/embeddings", "/v1/models", "/v1/rerank")
_OPENAI_CODES = {"prompt_too_long": "context_length_exceeded"}
# litellm tells a prompt that is too long by this half of a sentence and by nothing else.
_TOO_LONG = " It is longer than the model's context length."
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error on its way out."""

    status: int
    message: str
    code: str
    remedy: str | None = None
    retryable: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """OpenAI's ``type``."""
        if self.status >= 500:
            return "server_error"
        return _TYPES.get(self.status, "invalid_request_error")


def problem_of(error: MetierError, path: str = "") -> Problem:
    """The problem that ``error`` is on ``path``.

    InputError is 422, and 400 where the body cannot be read; in Ollama's and OpenAI's dialects it
    is 400.
    """
    ollama, openai = is_ollama(path), path.startswith(_OPENAI)
    codes, kinds = (_OLLAMA_CODES, _OLLAMA_KINDS) if ollama else (_CODES, _KINDS)
    status = codes.get(error.code)
    if status is None:
        status = next((number for kind, number in kinds if isinstance(error, kind)), 500)
    if openai:
        status = 503 if error.code == "queue_full" else 400 if status == 422 else status
        status = 499 if error.code == "cancelled" else status
    return Problem(
        status=status,
        message=error.message + (_TOO_LONG if openai and error.code in _OPENAI_CODES else ""),
        code=_OPENAI_CODES.get(error.code, error.code) if openai else error.code,
        remedy=error.remedy,
        retryable=error.retryable,
        details=error.details,
        headers=(("retry-after", "1"),) if status in (429, 503) and error.retryable else (),
    )


def as_openai(problem: Problem) -> dict[str, Any]:
    """``{"error": {"message", "type", "param", "code"}}``."""
    message = f"{problem.message} {problem.remedy}" if problem.remedy else problem.message
    return {
        "error": {
            "message": message,
            "type": problem.kind,
            "param": problem.details.get("param"),
            "code": problem.code,
        }
    }


def as_ollama(problem: Problem) -> dict[str, Any]:
    """``{"error": "…"}``: the message and the remedy in one text."""
    if not problem.remedy:
        return {"error": problem.message}
    return {"error": f"{problem.message.rstrip('.')}. {problem.remedy}"}


def is_ollama(path: str) -> bool:
    """Whether ``path`` is of Ollama's dialect."""
    return path == "/api" or path.startswith("/api/")


def as_native(problem: Problem) -> dict[str, Any]:
    """OpenAI's error object with ``remedy``, ``retryable`` and ``details`` beside it."""
    return {
        "error": {
            "message": problem.message,
            "type": problem.kind,
            "param": problem.details.get("param"),
            "code": problem.code,
            "remedy": problem.remedy,
            "retryable": problem.retryable,
            "details": dict(problem.details),
        }
    }


def body_for(path: str, problem: Problem) -> bytes:
    """The JSON body of ``problem`` in the dialect of ``path``."""
    shape = as_native
    if is_ollama(path):
        shape = as_ollama
    elif path == "/v1" or path.startswith("/v1/"):
        shape = as_openai
    return json.dumps(shape(problem), ensure_ascii=False, default=str).encode("utf-8", "replace")


def wants_page(path: str, accept: str) -> bool:
    """Whether an error on ``path`` is read by a person in a browser."""
    programs = ("/v1/", "/metier/", "/api/", "/health", "/openapi.json", "/static/")
    if path.startswith(programs) or path.endswith(".json"):
        return False
    return "text/html" in accept
