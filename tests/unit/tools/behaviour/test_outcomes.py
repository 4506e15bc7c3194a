from typing import Any

import pytest

from metier.tools.behaviour.outcomes import came_of_call, came_of_kit
from metier.tools.behaviour.talking import Threw


def result(came: dict[str, Any], **more: Any) -> dict[str, Any]:
    nothing = {"cookies": {}, "headers": {}, "depends": [], "locals": {}, "fetched": []}
    return {"came": came, **nothing, **more}


REDIRECT = result({"kind": "redirect", "status": 303, "location": "/login"})
ERROR = result({"kind": "error", "status": 404, "body": {"message": "Not found", "id": 1}})
FAIL = result({"kind": "fail", "status": 400, "data": {"missing": True}})
THREW = result({"kind": "threw", "name": "TypeError", "message": "x is not a function"})
JSON = {"kind": "response", "status": 201, "headers": {"x": "1"}, "text": '{"id": 1}'}
MADE = result({"kind": "returned", "value": {"a": 1}})
COOKIE = {"value": "n1", "path": "/", "httpOnly": True}


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        (
            {"redirect": {"status": 303, "location": "/login"}},
            {"redirect": {"status": 302}},
            REDIRECT,
        ),
        ({"redirect": True}, {"redirect": {"location": "/"}}, REDIRECT),
        ({"error": {"status": 404, "message": "Not found"}}, {"error": {"status": 403}}, ERROR),
        ({"body": {"message": "Not found", "id": 1}}, {"error": {"message": "No"}}, ERROR),
        ({"fails": {"status": 400, "data": {"missing": True}}}, {"fails": {"data": {}}}, FAIL),
        ({"throws": {"contains": "not"}}, {"error_name": "Error"}, THREW),
        ({"returns": {"a": 1}}, {"returns": {"a": 2}}, MADE),
        ({"returns": {"a": 1}}, {"redirect": True}, MADE),
        ({"status": 201, "json": {"id": 1}}, {"json": {"id": 2}}, result(JSON)),
        (
            {"text": {"contains": "id"}, "headers": {"X": "1"}},
            {"headers": {"y": "1"}},
            result(JSON),
        ),
        ({"headers": {"y": False}}, {"headers": {"x": False}}, result(JSON)),
        ({"cookies": {}}, {"cookies": {"s": True}}, MADE),
        ({"cookies": {"s": "n1"}}, {"cookies": {}}, result(MADE["came"], cookies={"s": COOKIE})),
        (
            {"cookies": {"s": {"value": "n1", "httpOnly": True}}},
            {"cookies": {"s": {"value": "n1", "maxAge": 60}}},
            result(MADE["came"], cookies={"s": COOKIE}),
        ),
        (
            {"cookies": {"s": False}},
            {"cookies": {"s": "n1"}},
            result(MADE["came"], cookies={"s": None}),
        ),
        ({"locals": {"u": 1}}, {"locals": {}}, result(MADE["came"], locals={"u": 1})),
        ({"depends": ["a:b"]}, {"depends": []}, result(MADE["came"], depends=["a:b"])),
        ({"fetched": ["GET /a"]}, {"fetched": []}, result(MADE["came"], fetched=["GET /a"])),
    ],
)
def test_what_came_of_kit(
    right: dict[str, Any], wrong: dict[str, Any], found: dict[str, Any]
) -> None:
    assert came_of_kit(right, "load", found) is None
    assert came_of_kit(wrong, "load", found)


@pytest.mark.parametrize("found", [REDIRECT, ERROR, FAIL, THREW])
def test_what_nobody_asked_for_fails(found: dict[str, Any]) -> None:
    assert came_of_kit({"cookies": {}}, "load", found)


def test_what_came_of_a_call() -> None:
    threw = Threw("RangeError", "too big")
    assert came_of_call({"returns": 3}, "f()", 3, None) is None
    assert "returned 4" in str(came_of_call({"returns": 3}, "f()", 4, None))
    assert (
        came_of_call({"throws": "too big", "error_name": "RangeError"}, "f()", None, threw) is None
    )
    assert came_of_call({"throws": True}, "f()", 1, None)
    assert came_of_call({"throws": "other"}, "f()", None, threw)
    assert came_of_call({"error_name": "TypeError"}, "f()", None, threw)
    assert "threw" in str(came_of_call({"returns": 3}, "f()", None, threw))
