"""The vocabulary of the step language, and the refusal of steps that are not in it.

It knows which words stand beside which verb (docs/formats/task.md); it runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metier.coding import Behaviour
from metier.errors import InputError
from metier.tools.behaviour.strings import checked_string

KINDS = ("dom", "module", "kit", "ssr")
WAYS = ("role", "label", "text", "placeholder", "title", "alt", "testid", "css")
STATES = ("level", "checked", "pressed", "selected", "expanded", "current")
_NARROWING = frozenset({"in", "has", "has_text", "nth", "name", "hidden", *STATES})
BOOLEANS = (
    "checked", "disabled", "focused", "required", "selected", "open", "invalid", "readonly",
    "visible",
)  # fmt: skip
OF_ONE = frozenset(
    {"text", "value", "html", "attribute", "class", "no_class", "style", "name", "description",
     "role", "same", "not_same", *BOOLEANS}
)  # fmt: skip
OF_ALL = frozenset({"texts", "values", "count", "present"})
_WAITING = frozenset({"timeout", "hold"})
_OUTCOMES = frozenset(
    [
        "returns",
        "redirect",
        "error",
        "body",
        "fails",
        "throws",
        "status",
        "text",
        "json",
        "headers",
        "cookies",
        "locals",
        "depends",
        "fetched",
        "error_name",
    ]
)
_RESULT = frozenset({"returns", "throws", "error_name", "as", "await", "timeout", "collect"})

BESIDE: dict[str, frozenset[str]] = {
    "mount": frozenset({"file", "export", "listen", "throws"}),
    "set": frozenset(),
    "unmount": frozenset(),
    "click": frozenset({"times"}),
    **{verb: frozenset() for verb in ("dblclick", "hover", "unhover", "focus", "blur", "clear")},
    **{verb: frozenset() for verb in ("check", "uncheck", "submit", "wait", "advance", "page")},
    "type": frozenset({"into"}),
    "fill": frozenset({"into"}),
    "press": frozenset({"on"}),
    "choose": frozenset({"in"}),
    "upload": frozenset({"into"}),
    "fire": frozenset({"on", "init"}),
    "mark": frozenset({"as"}),
    "remember": frozenset({"as"}),
    "expect": OF_ONE | OF_ALL | _WAITING,
    "calls": frozenset({"count", "args", "last", "first", "some", "forget"}) | _WAITING,
    "console": frozenset({"count", "some", "texts", "last"}) | _WAITING,
    "location": _WAITING,
    "stored": frozenset({"value", "present", "session"}) | _WAITING,
    "source": frozenset({"has", "lacks"}),
    "errors": _WAITING,
    "call": frozenset({"args", "file"}) | _RESULT,
    "new": frozenset({"args", "file"}) | _RESULT,
    "read": frozenset({"equals", "file", "throws"}) | _WAITING,
    "assign": frozenset({"to"}),
    "effect": frozenset({"as"}),
    "dispose": frozenset(),
    "subscribe": frozenset({"as"}),
    "get": frozenset({"equals"}) | _WAITING,
    "load": _OUTCOMES | {"file", "timeout"},
    "action": _OUTCOMES | {"file", "timeout", "event"},
    "request": _OUTCOMES | {"file", "timeout", "event"},
    "handle": _OUTCOMES | {"file", "timeout", "response"},
    "render": frozenset({"file", "export", "throws"}),
}
_TARGETED = frozenset(
    [
        "click",
        "dblclick",
        "hover",
        "unhover",
        "focus",
        "blur",
        "clear",
        "check",
        "uncheck",
        "submit",
        "mark",
        "remember",
        "expect",
    ]
)
_NEEDED = {
    "type": ("into",), "fill": ("into",), "choose": ("in",), "upload": ("into",), "fire": ("on",),
    "mark": ("as",), "remember": ("as",), "assign": ("to",), "effect": ("as",),
    "subscribe": ("as",),
}  # fmt: skip
# A word that is a verb too is an argument where one of these stands.
_FIRST = ("expect", "calls", "console", "stored", "source", "choose", "fire", "type", "fill",
          "press", "upload", "mark", "remember", "call", "new", "read", "assign", "effect",
          "subscribe", "get", "load", "action", "request", "handle", "render", "mount")  # fmt: skip


def verb_of(step: Mapping[str, Any]) -> str:
    """The verb of a step.

    Raises:
        InputError: ``bad_task``: it has none, or more than one.
    """
    verbs = [key for key in step if key in BESIDE]
    chief = [key for key in verbs if key in _FIRST]
    for verb in chief or verbs[:1]:
        if all(key in BESIDE[verb] for key in verbs if key != verb):
            return verb
    raise InputError(
        f"A step needs exactly one verb; {sorted(step)} has {verbs or 'none'}.", code="bad_task"
    )


def check_behaviour(behaviour: Behaviour) -> None:
    """Refuse a behaviour that is not in the language.

    Raises:
        InputError: ``bad_task``, with the step's number.
    """
    if behaviour.kind not in KINDS:
        raise InputError(
            f"The kind {behaviour.kind!r} is none of {', '.join(KINDS)}.", code="bad_task"
        )
    if not behaviour.steps:
        raise InputError("A behaviour needs steps.", code="bad_task")
    for number, step in enumerate(behaviour.steps, 1):
        try:
            check_step(step)
        except InputError as error:
            raise InputError(f"Step {number}: {error.message}", code="bad_task") from error
    unknown = sorted(set(behaviour.options) - OPTIONS)
    if unknown:
        raise InputError(f"Unknown options: {', '.join(unknown)}.", code="bad_task")


OPTIONS = frozenset(
    [
        "seconds",
        "clock",
        "now",
        "errors",
        "console_errors",
        "runes",
        "fetch",
        "location",
        "stored",
        "session_stored",
        "media",
        "random",
        "page",
        "actions",
        "env",
        "browser",
        "confirm",
        "prompt",
        "answer",
        "async",
        "dev",
    ]
)


def check_step(step: Mapping[str, Any]) -> None:
    """Refuse a step with unknown words, a bad target or a bad STRING.

    Raises:
        InputError: ``bad_task``.
    """
    verb = verb_of(step)
    unknown = sorted(set(step) - BESIDE[verb] - {verb, "why"})
    if unknown:
        raise InputError(f"'{verb}' does not take {', '.join(unknown)}.", code="bad_task")
    missing = [word for word in _NEEDED.get(verb, ()) if word not in step]
    if missing:
        raise InputError(f"'{verb}' needs {' and '.join(missing)}.", code="bad_task")
    if verb in _TARGETED:
        check_target(step[verb])
    for word in ("into", "on", "in"):
        if word in step and verb != "expect":
            check_target(step[word])
    if step.get("timeout", 0) > 5000 or step.get("hold", 0) > 5000:
        raise InputError("A step waits at most 5,000 ms.", code="bad_task")
    if verb == "wait" and step["wait"] > 2000:
        raise InputError("'wait' waits at most 2,000 ms; use the fake clock.", code="bad_task")
    _check_strings(verb, step)


def _check_strings(verb: str, step: Mapping[str, Any]) -> None:
    if verb == "expect":
        _check_expected(step)
    if verb == "console":
        for item in [step[word] for word in ("some", "last") if word in step]:
            checked_string(item, "console")
    if verb == "location":
        checked_string(step["location"], "location")
    if isinstance(step.get("throws"), (str, Mapping)):
        checked_string(step["throws"], "throws")


def _check_expected(step: Mapping[str, Any]) -> None:
    for word in ("text", "value", "html", "name", "description"):
        if word in step:
            checked_string(step[word], word)
    for word in ("texts", "values"):
        for item in step.get(word, []):
            checked_string(item, word)
    for word in ("attribute", "style"):
        for name, item in step.get(word, {}).items():
            if not isinstance(item, bool):
                checked_string(item, f"{word} {name}")


def check_target(target: Any) -> None:
    """Refuse what is no target.

    Raises:
        InputError: ``bad_task``.
    """
    if isinstance(target, str):
        return
    if not isinstance(target, Mapping):
        raise InputError(f"{target!r} is no target.", code="bad_task")
    ways = [way for way in WAYS if way in target]
    if len(ways) != 1:
        raise InputError(
            f"A target needs exactly one of {', '.join(WAYS)}; it has {ways or 'none'}.",
            code="bad_task",
        )
    unknown = sorted(set(target) - _NARROWING - set(ways))
    if unknown:
        raise InputError(f"A target does not take {', '.join(unknown)}.", code="bad_task")
    if ways[0] not in ("role", "css"):
        checked_string(target[ways[0]], ways[0])
    for word in ("name", "has_text"):
        if word in target:
            checked_string(target[word], word)
    for word in ("in", "has"):
        if word in target:
            check_target(target[word])


def told_target(target: Any) -> str:
    """A target for people: ``role "button" named "Save"``."""
    if isinstance(target, str):
        return f'"{target}"'
    way = next(way for way in WAYS if way in target)
    says = {"testid": "test id", "css": "selector"}.get(way, way)
    words = [f"{says} {_said(target[way])}"]
    if "name" in target:
        words.append(f"named {_said(target['name'])}")
    words += [f"{state} {target[state]}" for state in STATES if state in target]
    if "has_text" in target:
        words.append(f"with the text {_said(target['has_text'])}")
    if "has" in target:
        words.append(f"with {told_target(target['has'])} inside")
    if "nth" in target:
        words.append(f"number {target['nth']}")
    if "in" in target:
        words.append(f"in {told_target(target['in'])}")
    return " ".join(words)


def _said(given: Any) -> str:
    if isinstance(given, str):
        return f'"{given}"'
    return " and ".join(f"{name} {value!r}" for name, value in given.items())
