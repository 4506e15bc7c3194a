"""Whether a model runs on a machine, with what memory and how fast: the estimate as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fit:
    """Will it run here?

    Attributes:
        runs: ``yes``; ``tight`` (only after other models leave memory); ``no``; ``unknown``
            (too little is known of the model, or Metier has no engine for it).
        memory_bytes: What it would take in memory, 0 if unknown.
        lacking_bytes: How much more memory it would need, 0 if none.
        tokens_per_second: Expected speed of writing, for models that write.
        ms_per_text: Expected time of one answer, for the others.
        off_by: How far off the speed may be: .2 is a fifth up or down.
        measured: Whether the speed was measured with this very model here.
        why: One sentence: what the estimate rests on, or what stands in the way.
    """

    runs: Literal["yes", "tight", "no", "unknown"]
    memory_bytes: int = 0
    lacking_bytes: int = 0
    tokens_per_second: float | None = None
    ms_per_text: float | None = None
    off_by: float | None = None
    measured: bool = False
    why: str = ""
