"""Parts a model's answer, as it is written, into what it thinks, says, and calls.

The result does not depend on where the stream is cut, and no text is lost: what turns out to be no
call is given as text. It knows the marks of a dialect; it knows no template language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metier.engines.prompting.calls import Kinds, Notation
from metier.engines.prompting.dialects import Dialect
from metier.generating import Piece


def kinds_of(tools: Sequence[Mapping[str, Any]]) -> Kinds:
    """Name of each tool to the schemas of its parameters."""
    kinds: dict[str, Mapping[str, Any]] = {}
    for tool in tools:
        function = tool.get("function", tool)
        if not isinstance(function, Mapping):
            continue
        parameters = function.get("parameters") or {}
        fields = parameters.get("properties", {}) if isinstance(parameters, Mapping) else {}
        kinds[str(function.get("name", ""))] = fields if isinstance(fields, Mapping) else {}
    return kinds


def held_back(text: str, marks: Sequence[str]) -> int:
    """Where the longest end of ``text`` starts that may become one of ``marks``."""
    longest = max((len(mark) for mark in marks), default=0)
    for start in range(max(0, len(text) - longest + 1), len(text)):
        if any(mark.startswith(text[start:]) for mark in marks):
            return start
    return len(text)


class MarkParser:
    """The parser for dialects that mark thoughts and calls.

    Args:
        dialect: The marks.
        tools: What may be called; without any, calls are not looked for.
        closing: The mark that ends the thoughts which the prompt has opened already, or "".
    """

    def __init__(
        self, dialect: Dialect, tools: Sequence[Mapping[str, Any]] = (), closing: str = ""
    ) -> None:
        self._kinds = kinds_of(tools)
        self._thoughts = dialect.thoughts
        self._notations = dialect.notations if self._kinds else ()
        self._held = ""
        self._closing = closing
        self._notation: Notation | None = None
        self._state = "thought" if closing else "start"
        self._bare = next((n for n in self._notations if not n.opening), None)
        self._marks = tuple(n.opening for n in self._notations if n.opening)
        self._space = ""
        self._fresh = True
        self._called = False

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain now."""
        if self._notation is not None and not set(self._notation.ends) & set(text):
            self._held += text
            return []
        self._held += text
        return self._run(ended=False)

    def finish(self) -> list[Piece]:
        """What was held back; the answer is over."""
        return self._run(ended=True)

    def _run(self, *, ended: bool) -> list[Piece]:
        pieces: list[Piece] = []
        steps = {
            "start": self._start,
            "thought": self._thought,
            "after": self._after,
            "text": self._text,
            "call": self._call,
        }
        while self._held and steps[self._state](pieces, ended):
            pass
        if ended and self._space:
            pieces.append(Piece(text=self._space))
            self._space = ""
        return merged(pieces)

    def _start(self, _: list[Piece], ended: bool) -> bool:
        """Before anything is said: thoughts, a bare call or text may come."""
        rest = self._held.lstrip()
        for opening, closing in self._thoughts:
            if rest.startswith(opening):
                self._held = rest[len(opening) :]
                self._state, self._closing = "thought", closing
                return True
        if not ended and any(opening.startswith(rest) for opening, _ in self._thoughts):
            return False
        self._begin(rest)
        return True

    def _begin(self, rest: str) -> None:
        """The answer itself starts, perhaps as a bare call."""
        self._state = "text"
        if self._bare is not None and rest[:1] in {"{", "["}:
            self._space = self._held[: len(self._held) - len(rest)]
            self._held = rest
            self._notation, self._state = self._bare, "call"

    def _thought(self, pieces: list[Piece], ended: bool) -> bool:
        if self._fresh:
            self._held = self._held.lstrip()
        found = self._held.find(self._closing)
        if found < 0:
            end = len(self._held) if ended else held_back(self._held, (self._closing,))
            end = len(self._held[:end].rstrip())
            self._think(pieces, self._held[:end])
            self._held = "" if ended else self._held[end:]
            return False
        self._think(pieces, self._held[:found].rstrip())
        self._held = self._held[found + len(self._closing) :]
        self._state = "after"
        return True

    def _think(self, pieces: list[Piece], text: str) -> None:
        if text:
            self._fresh = False
            pieces.append(Piece(thinking=text))

    def _after(self, _: list[Piece], __: bool) -> bool:
        """After thoughts or a call: white space belongs to neither."""
        rest = self._held.lstrip()
        if self._called and self._bare is not None:
            rest = rest.lstrip("; \t\r\n,")
        self._held = rest
        if not rest:
            return False
        self._begin(rest)
        return True

    def _text(self, pieces: list[Piece], ended: bool) -> bool:
        if not self._marks:
            pieces.append(Piece(text=self._held))
            self._held = ""
            return False
        places = [(self._held.find(mark), -len(mark), mark) for mark in self._marks]
        found, _, mark = min((place for place in places if place[0] >= 0), default=(-1, 0, ""))
        certain = found if found >= 0 else held_back(self._held, self._marks)
        if ended and found < 0:
            certain = len(self._held)
        spoken = len(self._held[:certain].rstrip())
        if spoken:
            pieces.append(Piece(text=self._space + self._held[:spoken]))
            self._space = ""
        self._space += self._held[spoken:certain]
        self._held = self._held[certain:]
        if found < 0:
            return False
        self._notation = next(n for n in self._notations if n.opening == mark)
        self._state = "call"
        return True

    def _call(self, pieces: list[Piece], ended: bool) -> bool:
        notation = self._notation
        if notation is None:
            return False
        size = len(notation.opening)
        scan = notation.scan(self._held[size:], ended, self._kinds)
        if scan is None:
            return False
        end = size + scan.used
        if scan.calls:
            pieces.append(Piece(tool_calls=scan.calls))
            self._space, self._called, self._state = "", True, "after"
        else:
            pieces.append(Piece(text=self._space + self._held[:end]))
            self._space, self._state = "", "text"
        self._held = self._held[end:]
        self._notation = None
        return True


def merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces of one kind one after another as one."""
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if last is not None and piece.text and last.text:
            result[-1] = Piece(text=last.text + piece.text)
        elif last is not None and piece.thinking and last.thinking:
            result[-1] = Piece(thinking=last.thinking + piece.thinking)
        elif piece.text or piece.thinking or piece.tool_calls:
            result.append(piece)
    return result
