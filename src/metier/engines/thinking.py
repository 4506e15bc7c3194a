"""Parts what a model thinks aloud from what it answers, also while the text is still coming.

For remote services, whose templates nobody sees: it knows the marks that are always looked for, and
no model. The cutting itself is ``metier.engines.prompting.stream``.
"""

from __future__ import annotations

import re

from metier.engines.prompting.dialects import Dialect
from metier.engines.prompting.stream import MarkParser
from metier.generating import Piece

_CLOSING = re.compile(r"</think(?:ing)?>")


class ThinkingParter:
    """Takes pieces of text, gives pieces of the answer; the thoughts are kept apart.

    Only a block at the very start counts: a later ``<think>`` belongs to the answer.
    """

    def __init__(self) -> None:
        self._parser = MarkParser(Dialect())
        self._thoughts: list[str] = []

    @property
    def thoughts(self) -> str:
        """What stood between the marks so far."""
        return "".join(self._thoughts).strip()

    def feed(self, piece: str) -> str:
        """The part of the answer that is certain now."""
        return self._spoken(self._parser.feed(piece))

    def end(self) -> str:
        """What was held back because it might have become a mark."""
        return self._spoken(self._parser.finish())

    def _spoken(self, pieces: list[Piece]) -> str:
        self._thoughts += [piece.thinking for piece in pieces]
        return "".join(piece.text for piece in pieces)


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
