"""What came of calls and of SvelteKit's functions, compared with what a step expects of it.

It knows observations as JSON; it knows no process. Every check returns ``None`` if it holds, else a
sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from metier.tools.behaviour.strings import holds, quoted, told
from metier.tools.behaviour.talking import Threw
from metier.tools.behaviour.values import equal, shown


def came_of_call(
    step: Mapping[str, Any], what: str, result: Any, threw: Threw | None
) -> str | None:
    """Compare a call's result or error with ``returns``, ``throws`` and ``error_name``."""
    if "throws" in step or "error_name" in step:
        if threw is None:
            return f"expected {what} to throw, it returned {shown(result)}"
        wanted = step.get("throws", True)
        if wanted is not True and not holds(wanted, threw.message):
            return f"expected the error of {what} to {told(wanted)}, found {quoted(threw.message)}"
        if step.get("error_name", threw.name) != threw.name:
            return f"expected {what} to throw {step['error_name']}, it threw {quoted(str(threw))}"
        return None
    if threw is not None:
        return f"{what} threw {quoted(str(threw))}"
    if "returns" in step and not equal(step["returns"], result):
        return f"expected {what} to return {quoted(step['returns'])}, it returned {shown(result)}"
    return None


_ASKED_BY = {
    "redirect": ("redirect",),
    "error": ("error", "body"),
    "fail": ("fails",),
    "threw": ("throws", "error_name"),
}


def came_of_kit(step: Mapping[str, Any], what: str, result: Mapping[str, Any]) -> str | None:
    """Compare what a load, an action, an endpoint or a hook did with what the step expects."""
    came = result["came"]
    kind = came["kind"]
    if kind in _ASKED_BY and not any(word in step for word in _ASKED_BY[kind]):
        return f"{what} {_told_came(came)}"
    for word, check in _OUTCOMES.items():
        if word in step and (why := check(step[word], came, result)) is not None:
            return f"{what}: {why}"
    return None


def _told_came(came: Mapping[str, Any]) -> str:
    kind = came["kind"]
    if kind == "redirect":
        return f"redirected with {came['status']} to {quoted(came['location'])}"
    if kind == "error":
        return f"threw error {came['status']} with {shown(came['body'])}"
    if kind == "fail":
        return f"failed with {came['status']} and {shown(came['data'])}"
    if kind == "threw":
        return f"threw {quoted(came['name'] + ': ' + came['message'])}"
    if kind == "response":
        return f"responded with {came['status']} and {quoted(came['text'])}"
    return f"returned {shown(came.get('value'))}"


Came = Mapping[str, Any]


def _returns(expected: Any, came: Came, _: Came) -> str | None:
    if came["kind"] == "returned" and equal(expected, came["value"]):
        return None
    return f"expected it to return {quoted(expected)}, it {_told_came(came)}"


def _redirect(expected: Any, came: Came, _: Came) -> str | None:
    said = f"it {_told_came(came)}"
    if came["kind"] != "redirect":
        return f"expected a redirect, {said}" if expected else None
    if expected is True:
        return None
    if expected.get("status", came["status"]) != came["status"]:
        return f"expected a redirect with {expected['status']}, {said}"
    if "location" in expected and not holds(expected["location"], came["location"]):
        return f"expected a redirect whose location is to {told(expected['location'])}, {said}"
    return None


def _error(expected: Any, came: Came, _: Came) -> str | None:
    said = f"it {_told_came(came)}"
    if came["kind"] != "error":
        return f"expected an error by kit's error(), {said}"
    if expected is True:
        return None
    if expected.get("status", came["status"]) != came["status"]:
        return f"expected error {expected['status']}, {said}"
    message = (came["body"] or {}).get("message", "") if isinstance(came["body"], dict) else ""
    if "message" in expected and not holds(expected["message"], str(message)):
        return f"expected an error whose message is to {told(expected['message'])}, {said}"
    return None


def _body(expected: Any, came: Came, _: Came) -> str | None:
    if came["kind"] == "error" and equal(expected, came["body"]):
        return None
    return f"expected an error with the body {quoted(expected)}, it {_told_came(came)}"


def _fails(expected: Any, came: Came, _: Came) -> str | None:
    said = f"it {_told_came(came)}"
    if came["kind"] != "fail":
        return f"expected a failure by fail(), {said}"
    if expected is True:
        return None
    if expected.get("status", came["status"]) != came["status"]:
        return f"expected a failure with {expected['status']}, {said}"
    if "data" in expected and not equal(expected["data"], came["data"]):
        return f"expected a failure with {quoted(expected['data'])}, {said}"
    return None


def _throws(expected: Any, came: Came, _: Came) -> str | None:
    if came["kind"] == "threw" and (expected is True or holds(expected, came["message"])):
        return None
    return f"expected it to throw an error of its own, it {_told_came(came)}"


def _status(expected: Any, came: Came, _: Came) -> str | None:
    if came["kind"] == "response" and came["status"] == expected:
        return None
    return f"expected a response with {expected}, it {_told_came(came)}"


def _text(expected: Any, came: Came, _: Came) -> str | None:
    if came["kind"] == "response" and holds(expected, came["text"]):
        return None
    return f"expected a response whose text is to {told(expected)}, it {_told_came(came)}"


def _json(expected: Any, came: Came, _: Came) -> str | None:
    is_json = came["kind"] == "response" and _is_json(came["text"])
    if is_json and equal(expected, json.loads(came["text"])):
        return None
    return f"expected a response with the JSON {quoted(expected)}, it {_told_came(came)}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _headers(expected: Any, came: Came, result: Came) -> str | None:
    there = {**result["headers"], **(came.get("headers") or {})}
    for name, wanted in expected.items():
        found = there.get(name.lower())
        if wanted is False:
            if found is not None:
                return f"expected no header {name}, found {quoted(found)}"
        elif found is None or (wanted is not True and not holds(wanted, str(found))):
            shows = "none" if found is None else quoted(found)
            return f"expected the header {name} to {told(wanted)}, found {shows}"
    return None


def _cookies(expected: Any, _: Came, result: Came) -> str | None:
    there = result["cookies"]
    if not expected and there:
        return f"expected that no cookie is set or deleted, found {quoted(sorted(there))}"
    for name, wanted in expected.items():
        why = _cookie(wanted, there.get(name), name in there)
        if why is not None:
            return f"expected the cookie {quoted(name)} to be {why}"
    return None


def _cookie(wanted: Any, found: Any, touched: bool) -> str | None:
    if wanted is False:
        gone = touched and (found is None or found.get("maxAge") == 0)
        return None if gone else f"deleted, found {shown(found) if touched else 'nothing done'}"
    if not touched or found is None:
        return f"set, found it {'deleted' if touched else 'not set'}"
    if wanted is True:
        return None
    if not isinstance(wanted, Mapping) or "value" not in wanted:
        return (
            None
            if holds(wanted, found["value"])
            else f"{quoted(wanted)}, found {quoted(found['value'])}"
        )
    for key, value in wanted.items():
        same = (
            holds(value, found["value"])
            if key == "value"
            else equal(value, found.get(key, {"$undefined": True}))
        )
        if not same:
            return f"set with {key} {quoted(value)}, found {shown(found.get(key))}"
    return None


def _locals(expected: Any, _: Came, result: Came) -> str | None:
    if equal(expected, result["locals"]):
        return None
    return f"expected locals {quoted(expected)}, found {shown(result['locals'])}"


def _list(word: str) -> Callable[[Any, Came, Came], str | None]:
    def check(expected: Any, _: Came, result: Came) -> str | None:
        if list(expected) == result[word]:
            return None
        return f"expected {word} {quoted(expected)}, found {quoted(result[word])}"

    return check


def _error_name(expected: Any, came: Came, _: Came) -> str | None:
    if came["kind"] == "threw" and came["name"] == expected:
        return None
    return f"expected it to throw {expected}, it {_told_came(came)}"


_OUTCOMES: dict[str, Callable[[Any, Came, Came], str | None]] = {
    "redirect": _redirect,
    "error": _error,
    "body": _body,
    "fails": _fails,
    "throws": _throws,
    "error_name": _error_name,
    "returns": _returns,
    "status": _status,
    "text": _text,
    "json": _json,
    "headers": _headers,
    "cookies": _cookies,
    "locals": _locals,
    "depends": _list("depends"),
    "fetched": _list("fetched"),
}
