"""Progress on stderr: live on a terminal, appended lines elsewhere, nothing under ``--json``.

It knows how to show steps of long work. It estimates nothing: rate and time left come with the
steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from metier.cli import terminal
from metier.cli.ladder import STAGES, Climb, rung_line
from metier.cli.terminal import Signs, Terminal
from metier.cli.wording import duration
from metier.messages import Progress, Report, silent

_QUIET_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Where progress goes, and where a sentence to the person goes meanwhile."""

    report: Report
    say: Callable[[str], None]


def _unsaid(_sentence: str) -> None:
    """Under ``--json`` nothing is said."""


@contextmanager
def climbing(planned: tuple[str, ...], *, quiet: bool) -> Iterator[Shown]:
    """Show the ladder while it is climbed.

    On a terminal the ladder is redrawn in place and cleared at the end, because the card that
    follows shows it again.
    """
    with _shown(Climb(planned), Climb.lines, quiet=quiet) as shown:
        yield shown


@contextmanager
def working(*, quiet: bool) -> Iterator[Shown]:
    """Show a sentence and a bar for work without a ladder."""
    with _shown(Climb(()), Climb.sentence_and_bar, quiet=quiet) as shown:
        yield shown


@contextmanager
def _shown(
    climb: Climb, lines: Callable[[Climb, int, Signs], list[Text]], *, quiet: bool
) -> Iterator[Shown]:
    if quiet:
        yield Shown(silent, _unsaid)
        return
    screen = terminal.stderr()
    if not screen.interactive:
        appended = _Appended(screen, climb)
        yield Shown(appended.report, appended.say)
        return

    def draw() -> RenderableType:
        return Group(*(screen.fitted(line) for line in lines(climb, screen.width, screen.signs)))

    def report(progress: Progress) -> None:
        climb.observe(progress)

    def say(sentence: str) -> None:
        climb.notice = sentence

    with live(screen, draw):
        yield Shown(report, say)


def live(screen: Terminal, draw: Callable[[], RenderableType]) -> Live:
    """A view that is drawn again eight times a second and cleared at the end."""
    return Live(
        console=screen.console,
        get_renderable=draw,
        refresh_per_second=8,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class _Appended:
    """Progress as lines that only grow: stages, rungs, and a sign of life every ten seconds."""

    def __init__(self, screen: Terminal, climb: Climb) -> None:
        self._screen, self._climb = screen, climb
        self._stage = ""
        self._spoke = time.monotonic()

    def report(self, progress: Progress) -> None:
        rung = self._climb.observe(progress)
        now = time.monotonic()
        if rung is not None:
            self.say(rung_line(rung))
        elif progress.stage != self._stage:
            self.say(progress.message or STAGES.get(progress.stage, progress.stage))
        elif now - self._spoke >= _QUIET_SECONDS:
            left = self._climb.seconds_left()
            facts = [self._climb.rate, f"about {duration(left)} left" if left else ""]
            told = ", ".join(fact for fact in facts if fact)
            self.say(f"{progress.message}{f' ({told})' if told else ''}")
        self._stage = progress.stage

    def say(self, line: str) -> None:
        self._screen.write([line])
        self._spoke = time.monotonic()
