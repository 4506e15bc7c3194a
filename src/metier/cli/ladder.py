"""The ladder: rungs from cheap to dear as rows, filled while they are made.

``Climb`` listens to the progress of a make and keeps what is known; ``ladder_lines`` draws it,
live or for good. It knows the shape of progress (``messages.Progress``) and makes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from rich.text import Text

from metier.card import Rung
from metier.cli.terminal import Line, Signs, aligned, wrapped
from metier.cli.wording import count, duration, milliseconds, percent, size, span
from metier.messages import Progress

STAGES = {
    "data": "Reading the data",
    "leaks": "Looking for leaks",
    "rung": "Climbing the ladder",
    "choose": "Choosing a rung",
    "eval": "Asking the sealed questions",
    "curve": "Drawing the label curve",
    "save": "Saving",
    "done": "Done",
}
_HEADER = ("", "rung", "accuracy", "95 % interval", "ms/text", "size", "made in")


def ladder_lines(rungs: Sequence[Rung], signs: Signs) -> list[Text]:
    """The rungs as aligned rows, the chosen one marked."""
    return _rows([_cells(rung, signs) for rung in rungs])


def _rows(rows: Sequence[Sequence[Line]]) -> list[Text]:
    header = [Text(cell, style="dim") for cell in _HEADER]
    return aligned([header, *rows], "llrlrrr", gap=2)


def _cells(rung: Rung, signs: Signs) -> list[Line]:
    chosen = rung.state == "chosen"
    style = "bold" if chosen else "dim" if rung.state in ("skipped", "stopped") else ""
    score = rung.accuracy
    if score is None:
        return [Text(" "), Text(rung.name, style=style), Text(rung.state, style="dim"), *[""] * 4]
    return [
        Text(signs.chosen if chosen else " "),
        Text(rung.name, style=style),
        Text(percent(score.value), style=style),
        span(score.interval) if score.interval else "",
        "" if rung.ms_per_text is None else milliseconds(rung.ms_per_text),
        "" if rung.size_bytes is None else size(rung.size_bytes),
        "" if rung.seconds is None else duration(rung.seconds),
    ]


@dataclass
class Climb:
    """What is known of a make so far.

    Attributes:
        planned: The rungs that the recipe names, in order.
        clock: Seconds of a monotonic clock.
    """

    planned: tuple[str, ...]
    clock: Callable[[], float] = time.monotonic
    rungs: dict[str, Rung] = field(default_factory=dict)
    stage: str = ""
    message: str = ""
    fraction: float | None = None
    rate: str = ""
    _left: float | None = None
    _told_at: float = 0.0
    _counted: tuple[str, float, float] | None = None

    def observe(self, progress: Progress) -> Rung | None:
        """Take one step of progress in; returns the rung that it completes, if any."""
        self.stage, self.message = progress.stage, progress.message
        if progress.fraction is not None:
            self.fraction = max(0.0, min(1.0, progress.fraction))
        self._left, self._told_at = progress.seconds_left, self.clock()
        self.rate = self._rate(progress)
        rung = _rung_of(progress.data)
        if rung is not None:
            self.rungs[rung.name] = rung
        return rung

    def seconds_left(self) -> float | None:
        """The estimate, counted down since it was given."""
        if self._left is None:
            return None
        return max(0.0, self._left - (self.clock() - self._told_at))

    def lines(self, width: int, signs: Signs) -> list[Text]:
        """The ladder so far, the current sentence and the progress bar."""
        rows: list[list[Line]] = []
        names = [*self.planned, *(name for name in self.rungs if name not in self.planned)]
        for name in names:
            rung = self.rungs.get(name)
            if rung is not None:
                rows.append(_cells(rung, signs))
            else:
                rows.append([" ", Text(name, style="dim"), *[""] * 5])
        sentence = self.message or STAGES.get(self.stage, self.stage)
        return [
            *_rows(rows),
            Text(),
            *wrapped(sentence, width)[:2],
            progress_bar(self.fraction, self.seconds_left(), signs, rate=self.rate),
        ]

    def _rate(self, progress: Progress) -> str:
        """Units a second since the stage began, where progress counts (``done``, ``unit``)."""
        done = progress.data.get("done")
        if not isinstance(done, int | float):
            self._counted = None
            return ""
        key = f"{progress.stage} {progress.data.get('name', '')}"
        if self._counted is None or self._counted[0] != key or done < self._counted[1]:
            self._counted = (key, float(done), self.clock())
            return ""
        seconds = self.clock() - self._counted[2]
        speed = (done - self._counted[1]) / seconds if seconds > 0.2 else 0.0
        return f"{count(round(speed))} {progress.data.get('unit', 'texts')}/s" if speed else ""


def _rung_of(data: Mapping[str, Any]) -> Rung | None:
    report = data.get("rung", data)
    if isinstance(report, Rung):
        return report
    if not isinstance(report, Mapping) or "state" not in report or "name" not in report:
        return None
    try:
        return Rung.model_validate(report)
    except ValidationError:
        return None


def progress_bar(
    fraction: float | None, seconds_left: float | None, signs: Signs, *, rate: str = ""
) -> Text:
    """One line: a bar, the share done, the rate and the time left, each where it is known."""
    parts = []
    text = Text()
    if fraction is not None:
        filled = round(30 * fraction)
        text.append(signs.done * filled)
        text.append(signs.todo * (30 - filled), style="dim")
        parts.append(f"{100 * fraction:.0f} %")
    if rate:
        parts.append(rate)
    if seconds_left is not None:
        parts.append(f"about {duration(max(1.0, round(seconds_left)))} left")
    if parts:
        text.append(("  " if fraction is not None else "") + ", ".join(parts))
    return text


def rung_line(rung: Rung) -> str:
    """One rung as a plain line, for output that only grows."""
    if rung.accuracy is None:
        return f"{rung.name}: {rung.state}. {rung.why}".rstrip()
    interval = f" ({span(rung.accuracy.interval)})" if rung.accuracy.interval else ""
    facts = [f"{percent(rung.accuracy.value)}{interval}"]
    if rung.ms_per_text is not None:
        facts.append(f"{milliseconds(rung.ms_per_text)} ms/text")
    if rung.size_bytes is not None:
        facts.append(size(rung.size_bytes))
    if rung.seconds is not None:
        facts.append(f"made in {duration(rung.seconds)}")
    return f"{rung.name}: {', '.join(facts)}"
