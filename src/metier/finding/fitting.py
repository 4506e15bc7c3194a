"""Whether a model runs on a machine, with what memory and how fast: the estimate as a value.

It knows how an estimate is said in one sentence, so that every door says it alike; it computes
nothing. Where the numbers come from stands in ``metier.fitting``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

UNMEASURED = "speed not measured here: metier doctor --measure"
"""What stands where a speed would: nobody has asked for the self-benchmark yet."""


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
        off_by: How far off the speed may be: .2 is a fifth up or down. ``None`` where no speed
            is told, or where nothing says how far off it may be.
        measured: Whether the speed was measured with this very model here.
        why: One sentence: what the estimate rests on, or what stands in the way.
        least_bytes: What it needs at the least, with one request at a time and the least context;
            0 if unknown. ``memory_bytes`` is what it would get, as ``ps`` shows it.
        memory_off_by: How far off ``memory_bytes`` may be, as ``off_by``.
        writes: Whether it is a model that writes (its speed is counted in tokens).
        measurable: Whether the self-benchmark, which has not run, would tell its speed.
        over_base: Whether a base of the person's choice does the work: memory and speed are its.
        unit: What one answer is given to: ``text`` or ``picture``.
    """

    runs: Literal["yes", "tight", "no", "unknown"]
    memory_bytes: int = 0
    lacking_bytes: int = 0
    tokens_per_second: float | None = None
    ms_per_text: float | None = None
    off_by: float | None = None
    measured: bool = False
    why: str = ""
    least_bytes: int = 0
    memory_off_by: float | None = None
    writes: bool = False
    measurable: bool = True
    over_base: bool = False
    unit: str = "text"

    @property
    def said(self) -> str:
        """The chip: ``runs here, about 1.2 GB, about 40 tokens/s ± 20 %``."""
        if self.over_base:
            return "runs here over a base; memory and speed are the base's"
        return ", ".join(part for part in (self.memory_said, self.speed_said) if part)

    @property
    def memory_said(self) -> str:
        """Whether it runs, and the memory that it takes or lacks."""
        size = f", about {_bytes(self.memory_bytes)}" if self.memory_bytes else ""
        if self.runs == "yes":
            return f"runs here{size}"
        if self.runs == "tight":
            return f"runs here once other models leave memory{size}"
        if self.runs == "no":
            if self.lacking_bytes:
                return f"needs {_bytes(self.lacking_bytes)} more memory"
            return f"does not run here: {self.why}" if self.why else "does not run here"
        return f"not known whether it runs here{size}"

    @property
    def speed_said(self) -> str:
        """Its speed with its band, or why there is none; "" where it would not run."""
        if self.runs not in ("yes", "tight"):
            return ""
        if self.tokens_per_second is not None:
            told = f"{_few(self.tokens_per_second)} tokens/s"
        elif self.ms_per_text is not None:
            told = f"{_few(self.ms_per_text)} ms per {self.unit}"
        else:
            return UNMEASURED if self.measurable else ""
        if self.measured:
            return f"{told}, measured here"
        band = f" ± {self.off_by * 100:.0f} %" if self.off_by is not None else ""
        return f"about {told}{band}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping, the sentence with it."""
        return {**asdict(self), "said": self.said}


def _bytes(number: int) -> str:
    """Two digits, decimal units: an estimate has no more."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{_few(value)} {unit}"
        value /= 1000
    return f"{_few(value)} TB"


def _few(value: float) -> str:
    """Two digits that count: .31, 5.8, 40, 120."""
    if value >= 10:
        return f"{float(f'{value:.2g}'):,.0f}"
    return f"{value:.2g}" if value < 1 else f"{value:.1f}"
