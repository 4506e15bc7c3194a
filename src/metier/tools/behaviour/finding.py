"""Finding the elements that a target means, in what the harness says of the page.

Names, labels and texts are compared here, outside: the harness is only asked for everything of a
kind. It knows targets; it knows no expectation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from metier.tools.behaviour.steps import STATES, WAYS, told_target
from metier.tools.behaviour.strings import holds
from metier.tools.behaviour.talking import Conversation

_ATTRIBUTES = {
    "placeholder": "placeholder",
    "title": "title",
    "alt": "alt",
    "testid": "data-testid",
}


class NotOne(Exception):  # noqa: N818  an outcome of looking, turned into a failure by the caller
    """A target that should mean one element means none or several."""


class Finder:
    """Looks for targets in one page."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def all(
        self, target: Any, want: Iterable[str] = (), style: Sequence[str] = ()
    ) -> list[Mapping[str, Any]]:
        """Every element that the target means, in document order, with what is wanted of each.

        Raises:
            NotOne: The element to look in is not one.
            Threw, Lost: As for :meth:`Conversation.ask`.
        """
        if isinstance(target, str):
            target = {"css": target}
        way = next(way for way in WAYS if way in target)
        wanted = set(want) | {state for state in STATES if state in target}
        wanted |= {"text"} if "has_text" in target else set()
        wanted |= {"above"} if way == "text" else set()
        request: dict[str, Any] = {"by": way, "want": sorted(wanted)}
        if way in ("role", "css"):
            request["value"] = target[way]
        if way in _ATTRIBUTES:
            request |= {"by": "attribute", "value": _ATTRIBUTES[way]}
        if way == "role":
            request["hidden"] = bool(target.get("hidden", False))
        if style:
            request["style"] = list(style)
        if "in" in target:
            request["in"] = self.one(target["in"])["id"]
        found = self._conversation.ask("find", **request)
        kept = [item for item in found if self._means(target, way, item)]
        if way == "text":
            outer = {number for item in kept for number in item["above"]}
            kept = [item for item in kept if item["id"] not in outer]
        if "has" in target:
            inside = self.all(target["has"], ("above",))
            above = {number for item in inside for number in item["above"]}
            kept = [item for item in kept if item["id"] in above]
        return _nth(kept, target.get("nth"))

    def one(
        self, target: Any, want: Iterable[str] = (), style: Sequence[str] = ()
    ) -> Mapping[str, Any]:
        """The one element that the target means.

        Raises:
            NotOne: None or several match; the sentence says how many.
        """
        found = self.all(target, want, style)
        if len(found) != 1:
            what = "nothing matches" if not found else f"{len(found)} elements match"
            raise NotOne(f"{what} {told_target(target)}")
        return found[0]

    def _means(self, target: Mapping[str, Any], way: str, item: Mapping[str, Any]) -> bool:
        keys = item["keys"]
        if way not in ("role", "css") and not any(holds(target[way], key) for key in keys):
            return False
        if "name" in target and not any(holds(target["name"], key) for key in keys):
            return False
        if "has_text" in target and not holds(target["has_text"], item["text"]):
            return False
        return all(_state(target[state], item[state]) for state in STATES if state in target)


def _state(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool):
        return bool(found) == expected
    return str(expected) == str(found)


def _nth(found: list[Mapping[str, Any]], nth: int | None) -> list[Mapping[str, Any]]:
    if nth is None:
        return found
    at = nth - 1 if nth > 0 else len(found) + nth
    return [found[at]] if 0 <= at < len(found) else []
