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
    "": "Starting",
    "data": "Reading the data",
    "encode": "Encoding the texts",
    "leaks": "Looking for leaks",
    "rung": "Climbing the ladder",
    "choose": "Choosing a rung",
    "eval": "Asking the sealed questions",
    "curve": "Drawing the label curve",
    "save": "Saving",
    "base": "Making the encoder ready",
    "verify": "Checking the store",
    "remake": "Making again",
    "done": "Done",
}
_SETTLED_SECONDS = 0.5
_HEADER = ("", "rung", "accuracy", "95 % interval", "ms/text", "   size", "  made in")


def ladder_lines(rungs: Sequence[Rung], signs: Signs) -> list[Text]:
    """The rungs as aligned rows, the chosen one marked."""
    return _rows([_cells(rung, signs) for rung in rungs], [_untried(rung) for rung in rungs])


def _rows(rows: Sequence[Sequence[Line]], notes: Sequence[str]) -> list[Text]:
    """The rows under their header; a row with a note has it in place of figures."""
    header = [Text(cell, style="dim") for cell in _HEADER]
    lines = aligned([header, *rows], "llrlrrr", gap=2)
    names = max(Text(str(row[1])).cell_len for row in [header, *rows])
    for line, note in zip(lines[1:], notes, strict=True):
        if note:
            line.pad_right(names + 5 - line.cell_len)
            line.append(note, style="dim")
    return lines


def _untried(rung: Rung) -> str:
    """Why a rung has no figures."""
    if rung.accuracy is not None:
        return ""
    return f"{rung.state}: {rung.why}" if rung.why else rung.state


def _cells(rung: Rung, signs: Signs) -> list[Line]:
    chosen = rung.state == "chosen"
    style = "bold" if chosen else "dim" if rung.state in ("skipped", "stopped") else ""
    score = rung.accuracy
    if score is None:
        return [Text(" "), Text(rung.name, style=style), *[""] * 5]
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
    current: str = ""
    notice: str = ""
    _left: float | None = None
    _told_at: float = 0.0
    _began: float | None = None
    _work: tuple[Any, ...] = ()
    _since: tuple[float, float] = (0.0, 0.0)

    def observe(self, progress: Progress) -> Rung | None:
        """Take one step of progress in; returns the rung that it completes, if any."""
        now = self.clock()
        if self._began is None:
            self._began = now
        work = (progress.stage, progress.data.get("name"), progress.data.get("of"))
        if work != self._work or (progress.fraction or 0.0) < (self.fraction or 0.0):
            self._work, self._since, self.rate = work, (now, progress.fraction or 0.0), ""
        self.stage, self.message = progress.stage, progress.message
        self.fraction = None
        if progress.fraction is not None:
            self.fraction = max(0.0, min(1.0, progress.fraction))
        self._left, self._told_at = progress.seconds_left, now
        self._extrapolate(progress.data.get("of"), str(progress.data.get("unit", "texts")))
        self.current = str(progress.data.get("name") or self.current)
        for report in progress.data.get("ladder", ()):
            self._keep(_rung_of(report))
        return self._keep(_rung_of(progress.data))

    def seconds_left(self) -> float | None:
        """The estimate, counted down since it was given."""
        if self._left is None:
            return None
        return max(0.0, self._left - (self.clock() - self._told_at))

    def seconds_spent(self) -> float:
        """Seconds since the first step."""
        return 0.0 if self._began is None else self.clock() - self._began

    def bar(self, signs: Signs) -> Text:
        """The progress of the present piece of work, or how long it has been going on."""
        bar = progress_bar(self.fraction, self.seconds_left(), signs, rate=self.rate)
        if bar.plain or self._began is None:
            return bar
        return Text(f"{duration(self.seconds_spent())} so far", style="dim")

    def lines(self, width: int, signs: Signs) -> list[Text]:
        """The ladder so far, the current sentence and the progress bar."""
        rows: list[list[Line]] = []
        notes: list[str] = []
        shown: set[str] = set()
        for name in self.planned:
            made = [rung for rung in self.rungs.values() if _is_kind_of(rung.name, name)]
            rows += [_cells(rung, signs) for rung in made]
            notes += [_untried(rung) for rung in made]
            shown.update(rung.name for rung in made)
            if not made:
                rows.append([" ", Text(name, style="dim"), *[""] * 5])
                notes.append("being made" if self.current == name else "")
        others = [rung for rung in self.rungs.values() if rung.name not in shown]
        rows += [_cells(rung, signs) for rung in others]
        notes += [_untried(rung) for rung in others]
        return [*_rows(rows, notes), Text(), *self.sentence_and_bar(width, signs)]

    def sentence_and_bar(self, width: int, signs: Signs) -> list[Text]:
        """What is being done, and how far it has come."""
        sentence = self.message or STAGES.get(self.stage, self.stage)
        notice = [Text(self.notice, style="bold")] if self.notice else []
        return [*wrapped(sentence, width)[:2], *notice, self.bar(signs)]

    def _keep(self, rung: Rung | None) -> Rung | None:
        if rung is not None:
            self.rungs[rung.name] = rung
        return rung

    def _extrapolate(self, number: Any, unit: str) -> None:
        """Rate and time left of a piece of work from how far it has come since it began.

        ``number`` is how many units the whole piece has, where progress says so (``of``).
        """
        begun, first = self._since
        seconds = self._told_at - begun
        grown = (self.fraction or 0.0) - first
        if seconds < _SETTLED_SECONDS or grown <= 0:
            return
        if isinstance(number, int | float) and not isinstance(number, bool):
            self.rate = f"{count(round(grown * number / seconds))} {unit}/s"
        if self._left is None:
            self._left = seconds / grown * (1.0 - first - grown)


def _is_kind_of(rung: str, planned: str) -> bool:
    """Whether a rung is the planned one or a kind of it: ``encoder-int8`` is an ``encoder``."""
    return rung == planned or rung.startswith(f"{planned}-")


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
