"""Parts what a model thinks aloud from what it answers, also while the text is still coming.

It knows the marks ``<think>`` and ``<thinking>`` at the start of an answer; it knows no model.
"""

from __future__ import annotations

import re

_OPENINGS = ("<think>", "<thinking>")
_CLOSING = re.compile(r"</think(?:ing)?>")
_LONGEST_CLOSING = len("</thinking>")


class ThinkingParter:
    """Takes pieces of text, gives pieces of the answer; the thoughts are kept apart.

    Only a block at the very start counts: a later ``<think>`` belongs to the answer.
    """

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""
        self._thoughts: list[str] = []

    @property
    def thoughts(self) -> str:
        """What stood between the marks so far."""
        return "".join(self._thoughts).strip()

    def feed(self, piece: str) -> str:
        """The part of the answer that is certain now."""
        if self._state == "answer":
            return piece
        self._held += piece
        if self._state == "start":
            opening = self._opening()
            if opening is None:
                return ""
            if not opening:
                self._state, held, self._held = "answer", self._held, ""
                return held
            self._state = "thought"
            self._held = self._held.lstrip()[len(opening) :]
        if self._state == "thought":
            return self._close()
        self._held = self._held.lstrip()
        return self._begin()

    def end(self) -> str:
        """What was held back because it might have become a mark."""
        held, self._held = self._held, ""
        if self._state == "thought":
            self._thoughts.append(held)
            return ""
        return "" if self._state == "after" else held

    def _opening(self) -> str | None:
        """The mark that stands at the start, "" if none does, ``None`` if one may yet."""
        start = self._held.lstrip()
        for mark in _OPENINGS:
            if start.startswith(mark):
                return mark
        return None if any(mark.startswith(start) for mark in _OPENINGS) else ""

    def _close(self) -> str:
        found = _CLOSING.search(self._held)
        if found is None:
            keep = max(0, len(self._held) - _LONGEST_CLOSING)
            self._thoughts.append(self._held[:keep])
            self._held = self._held[keep:]
            return ""
        self._thoughts.append(self._held[: found.start()])
        self._held = self._held[found.end() :].lstrip()
        self._state = "after"
        return self._begin()

    def _begin(self) -> str:
        """White space after the thoughts belongs to neither."""
        if not self._held:
            return ""
        self._state, held, self._held = "answer", self._held, ""
        return held


def part_thinking(text: str) -> tuple[str, str]:
    """A whole text's answer and thoughts.

    Besides a marked block this knows the closing mark alone, which is what is left where the
    opening one stood at the end of the prompt.
    """
    parter = ThinkingParter()
    answer = parter.feed(text) + parter.end()
    if not parter.thoughts:
        found = _CLOSING.search(answer)
        if found is not None and "```" not in answer[: found.start()]:
            return answer[found.end() :].lstrip(), answer[: found.start()].strip()
    return answer, parter.thoughts
