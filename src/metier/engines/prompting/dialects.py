"""Which marks a model thinks and calls tools with, told from its template's text.

It knows the families' marks; it knows neither how a call is read nor how a stream is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from metier.engines.prompting.calls import Notation, bare, ended_by_json, marked, to_the_end

_THOUGHTS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|channel>thought\n", "<channel|>"),
)
_ALWAYS = _THOUGHTS[:2]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The marks of one family.

    Attributes:
        thoughts: Opening and closing mark of what is thought, each pair that may stand.
        thinks: Whether the template itself knows one of them.
        notations: How calls are written.
        harmony: Whether the answer comes in channels (gpt-oss).
    """

    thoughts: tuple[tuple[str, str], ...] = _ALWAYS
    thinks: bool = False
    notations: tuple[Notation, ...] = ()
    harmony: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        """Every mark, for the engine to write out though the vocabulary hides them."""
        if self.harmony:
            return HARMONY_MARKS
        found = [mark.strip() for pair in self.thoughts for mark in pair]
        for notation in self.notations:
            found += [notation.opening, notation.closing]
        found += [
            inner for notation in self.notations for inner in _INNER.get(notation.opening, ())
        ]
        return tuple(dict.fromkeys(mark for mark in found if mark))


HARMONY_MARKS = (
    "<|start|>",
    "<|channel|>",
    "<|constrain|>",
    "<|message|>",
    "<|end|>",
    "<|call|>",
    "<|return|>",
)
_INNER = {
    "[TOOL_CALLS]": ("[ARGS]", "[CALL_ID]"),
    "<｜tool▁calls▁begin｜>": (
        "<｜tool▁call▁begin｜>",
        "<｜tool▁sep｜>",
        "<｜tool▁call▁end｜>",
    ),
    "<|tool_calls_section_begin|>": (
        "<|tool_call_begin|>",
        "<|tool_call_argument_begin|>",
        "<|tool_call_end|>",
    ),
}


def _between(opening: str, closing: str) -> Notation:
    return Notation(opening, closing, marked(closing), closing[-1])


def _inside(opening: str, closing: str) -> Notation:
    return Notation(opening, closing, marked(closing, opening), closing[-1])


_BARE = Notation("", "", bare, '"]}')
_KNOWN: tuple[tuple[str, tuple[Notation, ...]], ...] = (
    ("<tool_call>", (_between("<tool_call>", "</tool_call>"),)),
    ("<seed:tool_call>", (_between("<seed:tool_call>", "</seed:tool_call>"),)),
    ("<minimax:tool_call>", (_between("<minimax:tool_call>", "</minimax:tool_call>"),)),
    ("<function=", (_inside("<function=", "</function>"),)),
    ("[TOOL_CALLS]", (Notation("[TOOL_CALLS]", "", ended_by_json),)),
    ("<|/tool_call|>", (_between("<|tool_call|>", "<|/tool_call|>"),)),
    ("<|tool_call|>", (Notation("<|tool_call|>", "", ended_by_json),)),
    ("<|START_ACTION|>", (_between("<|START_ACTION|>", "<|END_ACTION|>"),)),
    ("<|tool_call_start|>", (_between("<|tool_call_start|>", "<|tool_call_end|>"),)),
    ("<｜tool▁calls▁begin｜>", (_between("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),)),
    (
        "<|tool_calls_section_begin|>",
        (_between("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),),
    ),
    ("<|python_tag|>", (Notation("<|python_tag|>", "", to_the_end),)),
)


def dialect_of(text: str) -> Dialect:
    """The marks that a template's text shows."""
    if "<|channel|>" in text and "<|message|>" in text:
        return Dialect(thinks=True, harmony=True)
    thoughts = tuple(
        pair for pair in _THOUGHTS if pair[0].strip() in text or pair[1].strip() in text
    )
    notations: list[Notation] = []
    openings: set[str] = set()
    for sign, found in _KNOWN:
        for notation in found:
            if sign in text and notation.opening not in openings:
                notations.append(notation)
                openings.add(notation.opening)
    return Dialect(
        thoughts=tuple(dict.fromkeys(thoughts + _ALWAYS)),
        thinks=bool(thoughts),
        notations=(*notations, _BARE),
    )
