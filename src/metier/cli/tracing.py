"""The trace of an answer: live as one line while it goes, folded to one line when it is done.

It knows steps and how they are said. What a step means is the policy's.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich.live import Live
from rich.text import Text

from metier.cli.terminal import Terminal, shortened, shown_text
from metier.cli.wording import count, counted, duration
from metier.conversing import Reply, Step


class Following:
    """Shows the last step while an answer is made, and streams its text where that is wanted.

    On a terminal the line is redrawn in place and gone at the end; elsewhere nothing is said.
    """

    def __init__(self, screen: Terminal, *, quiet: bool, streams: bool = False) -> None:
        self._screen = screen
        self._streams = streams
        self._shows = screen.interactive and not quiet and not streams
        self._last = "Asking."
        self._since = time.monotonic()
        self._live: Live | None = None
        self._ended_line = True

    def __enter__(self) -> Following:
        if self._shows:
            self._live = Live(
                console=self._screen.console,
                get_renderable=self._line,
                refresh_per_second=8,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._streams and not self._ended_line:
            sys.stdout.write("\n")
            sys.stdout.flush()

    def step(self, step: Step) -> None:
        """Show a step."""
        self._last = step.summary

    def text(self, piece: str) -> None:
        """Write a piece of the answer at once."""
        shown = shown_text(piece)
        sys.stdout.write(shown)
        sys.stdout.flush()
        if shown:
            self._ended_line = shown.endswith("\n")

    def say(self, sentence: str) -> None:
        """A sentence to the person."""
        self._last = sentence
        if self._live is None:
            self._screen.write([sentence])

    def _line(self) -> Text:
        spent = duration(time.monotonic() - self._since)
        line = Text(f"{shown_text(self._last)}  {spent}", style="dim")
        return shortened(line, self._screen.width, self._screen.signs)


def folded(reply: Reply) -> Text:
    """The whole trace in one line: what was done, how often, and what it took."""
    kinds = Counter(step.kind for step in reply.trace)
    told = []
    if reply.passages:
        told.append(counted(len(reply.passages), "passage"))
    if kinds["generate"]:
        told.append(counted(kinds["generate"], "draft"))
    if kinds["repair"]:
        told.append(counted(kinds["repair"], "repair"))
    if reply.checked is not None:
        told.append("passes its check" if reply.checked else "does not pass its check")
    if reply.tokens_out:
        told.append(f"{count(reply.tokens_in + reply.tokens_out)} tokens")
    if reply.spent is not None:
        told.append(f"{reply.spent:.4f} spent")
    if reply.finish in ("length", "budget"):
        told.append("cut off at its length" if reply.finish == "length" else "budget used up")
    told.append(duration(reply.seconds))
    if reply.base:
        told.append(reply.base)
    return Text(" · ".join(shown_text(part) for part in told), style="dim")


def trace_lines(steps: Sequence[Step]) -> list[Text]:
    """Every step in one line."""
    lines = []
    for step in steps:
        line = Text(f"{step.kind:<9}", style="dim")
        line.append(shown_text(step.summary).replace("\n", " "))
        if step.seconds >= 0.005:
            line.append(f"  {duration(step.seconds)}", style="dim")
        lines.append(line)
    return lines
