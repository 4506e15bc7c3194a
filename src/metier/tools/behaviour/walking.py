"""Walking through the steps of a behaviour: acts are sent, expectations are asked until they hold.

It knows every verb of the step language and what is asked of the harness for it; how observations
are compared is known elsewhere, and the harness never learns what is expected.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from metier.coding import SourceFile
from metier.tools.behaviour.expecting import counted, expect, told_count
from metier.tools.behaviour.finding import Finder, NotOne
from metier.tools.behaviour.outcomes import came_of_call, came_of_kit
from metier.tools.behaviour.steps import verb_of
from metier.tools.behaviour.strings import folded, holds, quoted, told
from metier.tools.behaviour.talking import PATIENCE_MS, Conversation, Threw
from metier.tools.behaviour.values import equal, shown

DEADLINE_MS = 1000
_QUIET_SECONDS = 0.1  # with no timer and no answer outstanding, nothing changes after this
_CAME_LATE = 0.03  # seconds that must still hold what did not hold at the first look: no guessing
_POINTED = frozenset(["click", "dblclick", "hover", "unhover", "focus", "blur", "clear", "submit"])

Step = Mapping[str, Any]
Miss = str | None


class Walk:
    """One walk through the steps of one behaviour."""

    def __init__(self, conversation: Conversation, sources: Sequence[SourceFile]) -> None:
        self._talk = conversation
        self._find = Finder(conversation)
        self._sources = {file.path: file.text for file in sources}
        self._texts: dict[str, str] = {}
        self._marks: dict[str, int] = {}
        self.errors_expected = False

    def take(self, step: Step) -> Miss:
        """Do one step; ``None``, or what was expected and what was found.

        Raises:
            Lost: The conversation is over.
        """
        verb = verb_of(step)
        doing = self._acts().get(verb)
        try:
            if doing is not None:
                return doing(step)
            return self._until(step, self._checks()[verb])
        except NotOne as error:
            return f"cannot {verb}: {error}"
        except Threw as error:
            return f"'{verb}' failed: {error}"

    # -- acts ---------------------------------------------------------------------------------

    def _acts(self) -> dict[str, Callable[[Step], Miss]]:
        acts: dict[str, Callable[[Step], Miss]] = dict.fromkeys(_POINTED, self._point)
        return acts | {
            "mount": lambda step: self._appear("mount", step),
            "render": lambda step: self._appear("render", step),
            "set": lambda step: self._say("set", props=step["set"]),
            "unmount": lambda _: self._say("unmount"),
            "check": lambda step: self._tick(step, "check", True),
            "uncheck": lambda step: self._tick(step, "uncheck", False),
            "type": lambda step: self._write(step, "type"),
            "fill": lambda step: self._write(step, "fill"),
            "press": self._press,
            "choose": self._choose,
            "upload": lambda step: self._act(
                "upload", self._id(step["into"]), files=step["upload"]
            ),
            "fire": self._fire,
            "call": self._call,
            "new": self._call,
            "assign": lambda step: self._say("assign", name=step["assign"], to=step["to"]),
            "effect": lambda step: self._say("effect", **_only(step, "effect", "as")),
            "subscribe": lambda step: self._say("subscribe", **_only(step, "subscribe", "as")),
            "dispose": lambda step: self._say("dispose", name=step["dispose"]),
            "wait": self._wait,
            "advance": lambda step: self._say("advance", milliseconds=step["advance"]),
            "mark": self._mark,
            "remember": self._remember,
            "page": lambda step: self._say("page", page=step["page"]),
            "load": self._kit,
            "action": self._kit,
            "request": self._kit,
            "handle": self._kit,
            "source": self._source,
        }

    def _say(self, do: str, **arguments: Any) -> Miss:
        self._talk.ask(do, **arguments)
        return None

    def _act(self, verb: str, number: int | str | None, **arguments: Any) -> Miss:
        more = arguments if number is None else {"id": number, **arguments}
        return self._say("act", verb=verb, **more)

    def _id(self, target: Any) -> int | str:
        """The number of the one element; waits for it like an expectation does."""
        if target in ("window", "document"):
            return str(target)
        until = time.monotonic() + DEADLINE_MS / 1000
        while True:
            try:
                return int(self._find.one(target)["id"])
            except NotOne:
                if time.monotonic() >= until or self._talk.pending == 0:
                    raise
            time.sleep(0.01)

    def _appear(self, do: str, step: Step) -> Miss:
        arguments = _only(step, "file", "export", "listen")
        try:
            self._talk.ask(do, props=step[do], **arguments)
        except Threw as error:
            wanted = step.get("throws")
            if wanted is not None and (wanted is True or holds(wanted, error.message)):
                return None
            return f"'{do}' failed: {error}"
        return f"expected '{do}' to throw, it did not" if "throws" in step else None

    def _point(self, step: Step) -> Miss:
        verb = verb_of(step)
        return self._act(verb, self._id(step[verb]), **_only(step, "times"))

    def _tick(self, step: Step, verb: str, wanted: bool) -> Miss:
        number = self._id(step[verb])
        found = self._talk.ask("find", by="number", value=number, want=["checked"])
        if found and bool(found[0]["checked"]) == wanted:
            return None
        return self._act("click", number)

    def _write(self, step: Step, verb: str) -> Miss:
        return self._act(verb, self._id(step["into"]), text=str(step[verb]))

    def _press(self, step: Step) -> Miss:
        return self._act("press", self._id(step["on"]) if "on" in step else None, key=step["press"])

    def _choose(self, step: Step) -> Miss:
        choices = step["choose"] if isinstance(step["choose"], list) else [step["choose"]]
        return self._act("choose", self._id(step["in"]), choices=[str(one) for one in choices])

    def _fire(self, step: Step) -> Miss:
        return self._act("fire", self._id(step["on"]), event=step["fire"], **_only(step, "init"))

    def _wait(self, step: Step) -> Miss:
        time.sleep(step["wait"] / 1000)
        return None

    def _mark(self, step: Step) -> Miss:
        self._marks[step["as"]] = int(self._id(step["mark"]))
        return None

    def _remember(self, step: Step) -> Miss:
        self._texts[step["as"]] = folded(str(self._find.one(step["remember"], ("text",))["text"]))
        return None

    def _call(self, step: Step) -> Miss:
        verb = "call" if "call" in step else "new"
        arguments = _only(step, "args", "file", "as", "await", "collect")
        patience = step.get("timeout", PATIENCE_MS)
        result, threw = None, None
        try:
            result = self._talk.ask(
                "call", name=step[verb], make=verb == "new", patience=patience, **arguments
            )
        except Threw as error:
            threw = error
        what = f"{'new ' if verb == 'new' else ''}{step[verb]}({_told_arguments(step)})"
        return came_of_call(step, what, result, threw)

    def _kit(self, step: Step) -> Miss:
        verb = verb_of(step)
        named = verb in ("action", "request")
        event = step.get("event", {}) if named else step[verb]
        arguments = _only(step, "file", "response")
        result = self._talk.ask(
            "kit",
            what=verb,
            event=event,
            name=step[verb] if named else None,
            patience=step.get("timeout", PATIENCE_MS),
            **arguments,
        )
        return came_of_kit(step, f"{verb} {step[verb]}" if named else verb, result)

    def _source(self, step: Step) -> Miss:
        path = step["source"]
        if path not in self._sources:
            return f"the answer has no file {path}"
        text = without_comments(self._sources[path])
        for word, wanted in (("has", True), ("lacks", False)):
            patterns = step.get(word, [])
            for pattern in [patterns] if isinstance(patterns, str) else patterns:
                if (re.search(pattern, text) is not None) != wanted:
                    does = "contain" if wanted else "not contain"
                    return f"expected the text of {path} to {does} {quoted(pattern)}"
        return None

    # -- expectations -------------------------------------------------------------------------

    def _checks(self) -> dict[str, Callable[[Step], Miss]]:
        return {
            "expect": lambda step: expect(step, self._find, self._texts, self._marks),
            "calls": self._calls,
            "console": self._console,
            "location": self._location,
            "stored": self._stored,
            "errors": self._errors,
            "read": lambda step: self._value(step, "read"),
            "get": lambda step: self._value(step, "get"),
        }

    def _until(self, step: Step, check: Callable[[Step], Miss]) -> Miss:
        """Ask until it holds or time is over, then as long as it must keep holding."""
        started = time.monotonic()
        hold = step.get("hold", 0) / 1000
        until = started + step.get("timeout", DEADLINE_MS) / 1000
        pause = 0.004
        while (why := check(step)) is not None:
            now = time.monotonic()
            quiet = self._talk.pending == 0 and now - started > _QUIET_SECONDS
            if now >= until or quiet:
                return why
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
            hold = step.get("hold", 1000 * _CAME_LATE) / 1000
        if self._talk.pending == 0 and "hold" not in step:
            hold = 0.0
        held = time.monotonic() + hold
        while time.monotonic() < held:
            time.sleep(0.01)
            if (why := check(step)) is not None:
                return f"{why}: it did not keep holding"
        return self._forget(step)

    def _forget(self, step: Step) -> Miss:
        if step.get("forget") and "calls" in step:
            self._talk.ask("calls", name=step["calls"], forget=True)
        return None

    def _calls(self, step: Step) -> Miss:
        name = step["calls"]
        made = self._talk.ask("calls", name=name)
        what = f"calls of {quoted(name)}"
        if "count" in step and not counted(step["count"], len(made)):
            shows = f" with {shown(made)}" if made else ""
            return f"expected {told_count(step['count'])} {what}, found {len(made)}{shows}"
        if "args" in step and not equal(step["args"], made):
            return f"expected {what} with {quoted(step['args'])}, found {shown(made)}"
        for word, at in (("last", -1), ("first", 0)):
            if word in step and not (made and equal(step[word], made[at])):
                found = shown(made[at]) if made else "no call"
                return f"expected the {word} of the {what} with {quoted(step[word])}, found {found}"
        if "some" in step and not any(equal(step["some"], one) for one in made):
            return f"expected one of the {what} with {quoted(step['some'])}, found {shown(made)}"
        if not {"count", "args", "last", "first", "some", "forget"} & set(step) and not made:
            return f"expected {what}, found none"
        return None

    def _console(self, step: Step) -> Miss:
        method = step["console"]
        lines = [text for name, text in self._talk.ask("console") if method in (name, "any")]
        what = f"lines of console.{method}"
        if "count" in step and not counted(step["count"], len(lines)):
            return f"expected {told_count(step['count'])} {what}, found {quoted(lines)}"
        if "texts" in step:
            same = len(lines) == len(step["texts"])
            if not same or not all(map(holds, step["texts"], lines)):
                return f"expected the {what} to be {quoted(step['texts'])}, found {quoted(lines)}"
        if "last" in step and not (lines and holds(step["last"], lines[-1])):
            shows = quoted(lines[-1:])
            return f"expected the last of the {what} to {told(step['last'])}, found {shows}"
        if "some" in step and not any(holds(step["some"], line) for line in lines):
            return f"expected one of the {what} to {told(step['some'])}, found {quoted(lines)}"
        return None

    def _location(self, step: Step) -> Miss:
        found = self._talk.ask("location")
        if holds(step["location"], found, self._texts):
            return None
        return f"expected the location to {told(step['location'])}, found {quoted(found)}"

    def _stored(self, step: Step) -> Miss:
        name = step["stored"]
        found = self._talk.ask("stored", name=name, session=bool(step.get("session", False)))
        what = f"the storage's {quoted(name)}"
        if "present" in step and (found is not None) != step["present"]:
            wanted = "there" if step["present"] else "absent"
            return f"expected {what} to be {wanted}, found {shown(found)}"
        if "value" in step and (found is None or not holds(step["value"], found, self._texts)):
            return f"expected {what} to {told(step['value'])}, found {shown(found)}"
        return None

    def _errors(self, step: Step) -> Miss:
        self.errors_expected = True
        wanted = step["errors"]
        said = [error["message"] for error in self._talk.ask("errors")]
        if isinstance(wanted, Mapping) and "some" in wanted:
            if any(holds(wanted["some"], text) for text in said):
                return None
            return f"expected an uncaught error to {told(wanted['some'])}, found {quoted(said)}"
        if counted(wanted, len(said)):
            return None
        return f"expected {told_count(wanted)} uncaught errors, found {quoted(said)}"

    def _value(self, step: Step, verb: str) -> Miss:
        try:
            found = self._talk.ask(verb, name=step[verb], **_only(step, "file"))
        except Threw as error:
            if "throws" in step and (
                step["throws"] is True or holds(step["throws"], error.message)
            ):
                return None
            return f"reading {step[verb]} threw {quoted(str(error))}"
        if "throws" in step:
            return f"expected reading {step[verb]} to throw, it gave {shown(found)}"
        if "equals" in step and not equal(step["equals"], found):
            return f"expected {step[verb]} to be {quoted(step['equals'])}, found {shown(found)}"
        return None


def _only(step: Step, *words: str) -> dict[str, Any]:
    return {word: step[word] for word in words if word in step}


def _told_arguments(step: Step) -> str:
    return ", ".join(quoted(one) for one in step.get("args", ()))


_COMMENTS = re.compile(
    r"<!--.*?-->|/\*.*?\*/|(?<![:\"'`\\])//[^\n]*", re.DOTALL
)  # a `//` after a colon is an address


def without_comments(text: str) -> str:
    """Source text without comments of HTML, JavaScript and CSS."""
    return _COMMENTS.sub(" ", text)
