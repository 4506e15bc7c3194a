"""The parser of an answer, chosen by the template, the tools and the prompt.

It knows which parser fits; it knows no marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metier.engines.prompting.calls import calls_of, json_end
from metier.engines.prompting.harmony import HarmonyParser
from metier.engines.prompting.stream import MarkParser
from metier.engines.prompting.template import Template
from metier.generating import Piece


class Parser:
    """Takes an answer as it is written, gives pieces of thinking, text and calls.

    Args:
        template: What rendered the prompt; ``None`` for a raw prompt: everything is text.
        tools: What may be called.
        prompt: The rendered prompt; its end says whether thoughts are open already.
        forced: Whether the answer was constrained to be one call (``constraint_fields``).
        literal: Whether the answer was constrained otherwise: everything is text.
    """

    def __init__(
        self,
        template: Template | None,
        tools: Sequence[Mapping[str, Any]] = (),
        *,
        prompt: str = "",
        forced: bool = False,
        literal: bool = False,
    ) -> None:
        self._parser: MarkParser | HarmonyParser | _ForcedParser | None = None
        if forced:
            self._parser = _ForcedParser()
        elif template is not None and not literal and template.dialect.harmony:
            self._parser = HarmonyParser(tools, prompt)
        elif template is not None and not literal:
            end = prompt.rstrip()
            closing = next(
                (after for before, after in template.dialect.thoughts if end.endswith(before)), ""
            )
            self._parser = MarkParser(template.dialect, tools, closing)

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain after ``text``."""
        if not text:
            return []
        return [Piece(text=text)] if self._parser is None else self._parser.feed(text)

    def finish(self) -> list[Piece]:
        """What was held back; the answer is over."""
        return [] if self._parser is None else self._parser.finish()


class _ForcedParser:
    """The parser of an answer that is one call in JSON and nothing else."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> list[Piece]:
        self._held += text
        return []

    def finish(self) -> list[Piece]:
        end = json_end(self._held)
        calls = calls_of(self._held[:end]) if end > 0 else ()
        rest = self._held[end:] if calls else self._held
        pieces = [Piece(tool_calls=calls)] if calls else []
        return [*pieces, Piece(text=rest)] if rest.strip() else pieces
