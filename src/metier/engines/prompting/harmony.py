"""Parts an answer that comes in channels (gpt-oss): analysis, commentary to a tool, final.

Each message is ``<|channel|>NAME to=RECIPIENT<|message|>TEXT`` and a closing mark. It knows these
marks; it knows no template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from metier.engines.prompting.calls import call_of, json_end, loaded
from metier.engines.prompting.stream import held_back, kinds_of, merged
from metier.generating import Piece, ToolCall

_STARTS = ("<|start|>", "<|channel|>")
_MESSAGE = "<|message|>"
_ENDS = ("<|end|>", "<|return|>", "<|call|>", *_STARTS)
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")
_RECIPIENT = re.compile(r"\bto=(?:functions\.)?([\w.\-/]+)")
_MOST_HEADER = 1000


class HarmonyParser:
    """The parser for channels.

    Args:
        tools: What may be called; without any, what is said to a tool is text.
        prompt: The prompt; it may end inside a message that is open already.
    """

    def __init__(self, tools: Sequence[Mapping[str, Any]] = (), prompt: str = "") -> None:
        self._kinds = kinds_of(tools)
        self._held = ""
        self._called = ""
        self._channel, self._recipient = "final", ""
        self._state = "start"
        header = prompt[prompt.rfind("<|start|>") :] if "<|start|>" in prompt else ""
        if header.endswith(_MESSAGE):
            self._open(header)
        elif "<|channel|>" in header and _MESSAGE not in header:
            self._held = header[header.find("<|channel|>") :]

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain now."""
        self._held += text
        return self._run(ended=False)

    def finish(self) -> list[Piece]:
        """What was held back; the answer is over."""
        return self._run(ended=True)

    def _run(self, *, ended: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self._held:
            before = (self._state, len(self._held))
            if self._state == "message":
                self._message(pieces, ended)
            else:
                self._header(pieces, ended)
            if before == (self._state, len(self._held)):
                break
        if ended and self._state == "message":
            self._close(pieces)
        return merged(pieces)

    def _header(self, pieces: list[Piece], ended: bool) -> None:
        """Before a message: a header, or a text that has none."""
        rest = self._held.lstrip()
        if not rest.startswith(_STARTS):
            waits = any(mark.startswith(rest) for mark in (*_STARTS, *_ENDS))
            if waits and not ended:
                return
            closing = next((mark for mark in _ENDS if rest.startswith(mark)), "")
            self._channel, self._recipient, self._state = "final", "", "message"
            if closing:
                self._held, self._state = rest[len(closing) :], "start"
            return
        found = self._held.find(_MESSAGE)
        if 0 <= found <= _MOST_HEADER:
            self._open(self._held[:found])
            self._held = self._held[found + len(_MESSAGE) :]
        elif ended or len(self._held) > _MOST_HEADER + len(_MESSAGE):
            mark = next(mark for mark in _STARTS if rest.startswith(mark))
            end = len(self._held) - len(rest) + len(mark)
            pieces.append(Piece(text=self._held[:end]))
            self._held = self._held[end:]
            self._channel, self._recipient, self._state = "final", "", "message"

    def _open(self, header: str) -> None:
        channel, recipient = _CHANNEL.search(header), _RECIPIENT.search(header)
        self._channel = channel[1] if channel else "final"
        self._recipient = recipient[1] if recipient and self._kinds else ""
        self._state = "message"

    def _message(self, pieces: list[Piece], ended: bool) -> None:
        places = [(self._held.find(mark), mark) for mark in _ENDS]
        found, mark = min((place for place in places if place[0] >= 0), default=(-1, ""))
        end = found if found >= 0 else held_back(self._held, _ENDS)
        if ended and found < 0:
            end = len(self._held)
        text, self._held = self._held[:end], self._held[end:]
        if self._recipient:
            self._called += text
        elif text and self._channel == "analysis":
            pieces.append(Piece(thinking=text))
        elif text:
            pieces.append(Piece(text=text))
        if found >= 0:
            self._close(pieces)
            if mark not in _STARTS:
                self._held = self._held[len(mark) :]

    def _close(self, pieces: list[Piece]) -> None:
        """A message is over; what was said to a tool is its call, or text if it is none."""
        if self._recipient:
            arguments = loaded(self._called) if json_end(self._called.lstrip()) > 0 else None
            call = call_of({"name": self._recipient, "arguments": arguments})
            if call is not None and isinstance(arguments, dict):
                pieces.append(Piece(tool_calls=(ToolCall(call.name, call.arguments),)))
            elif self._called:
                pieces.append(Piece(text=self._called))
        self._called, self._recipient, self._state = "", "", "start"
