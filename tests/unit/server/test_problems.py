"""Errors as HTTP: statuses by code and class, and both shapes."""

from __future__ import annotations

import json

import pytest

from metier.errors import (
    CorruptError,
    DidNotPassError,
    InputError,
    InternalError,
    MetierError,
    NotFoundError,
    StorageError,
    UnavailableError,
)
from metier.server.problems import Problem, as_native, as_openai, body_for, problem_of, wants_page


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("x"), 422),
        (InputError("x", code="not_json"), 400),
        (InputError("x", code="too_large"), 413),
        (NotFoundError("x"), 404),
        (DidNotPassError("x"), 422),
        (UnavailableError("x"), 503),
        (UnavailableError("x", code="queue_full"), 429),
        (StorageError("x"), 500),
        (StorageError("x", code="disk_full"), 507),
        (CorruptError("x"), 500),
        (InternalError("x"), 500),
        (MetierError("x"), 500),
    ],
)
def test_each_error_has_its_status(error: MetierError, status: int) -> None:
    assert problem_of(error).status == status


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("x"), 400, "bad_input"),
        (InputError("x", code="prompt_too_long"), 400, "context_length_exceeded"),
        (InputError("x", code="cancelled"), 499, "cancelled"),
        (InputError("x", code="too_large"), 413, "too_large"),
        (NotFoundError("x"), 404, "not_found"),
        (UnavailableError("x", code="queue_full", retryable=True), 503, "queue_full"),
        (UnavailableError("x", code="engine_ended", retryable=True), 503, "engine_ended"),
        (InternalError("x"), 500, "internal"),
    ],
)
def test_openais_dialect_has_openais_statuses(error: MetierError, status: int, code: str) -> None:
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"):
        problem = problem_of(error, path)
        assert (problem.status, problem.code) == (status, code)
    assert problem_of(InputError("x"), "/v1/classify").status == 422


def test_openai_shape_carries_the_remedy_in_its_message() -> None:
    error = InputError("It is wrong.", remedy="Mend it.", details={"param": "input"})
    assert as_openai(problem_of(error)) == {
        "error": {
            "message": "It is wrong. Mend it.",
            "type": "invalid_request_error",
            "param": "input",
            "code": "bad_input",
        }
    }


def test_native_shape_keeps_remedy_and_details_apart() -> None:
    error = NotFoundError("No.", remedy="Look.", details={"near": ["a"]}, retryable=True)
    body = as_native(problem_of(error))["error"]
    assert (body["message"], body["remedy"], body["retryable"]) == ("No.", "Look.", True)
    assert body["details"] == {"near": ["a"]}
    assert body["type"] == "not_found_error"


def test_the_path_decides_the_shape() -> None:
    problem = Problem(404, "No.", "not_found")
    assert "remedy" not in json.loads(body_for("/v1/models/x", problem))["error"]
    assert "remedy" in json.loads(body_for("/metier/v1/jobs/x", problem))["error"]
    assert "remedy" in json.loads(body_for("/v1x", problem))["error"]


def test_retry_after_is_given_only_when_a_retry_helps() -> None:
    assert problem_of(UnavailableError("x", code="overloaded", retryable=True)).headers
    assert not problem_of(UnavailableError("x")).headers


@pytest.mark.parametrize(
    ("path", "accept", "page"),
    [
        ("/", "text/html,*/*", True),
        ("/specialists/x", "text/html", True),
        ("/specialists/x", "*/*", False),
        ("/specialists/x.json", "text/html", False),
        ("/v1/models/x", "text/html", False),
        ("/metier/v1/jobs", "text/html", False),
    ],
)
def test_people_get_pages_and_programs_get_json(path: str, accept: str, page: bool) -> None:
    assert wants_page(path, accept) is page
