"""``metier pull``: fetch a model, showing each file, its speed and the time left.

It draws what the pull reports. What is fetched from where, and how it goes on after Ctrl-C, is the
façade's matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from metier.cli import terminal
from metier.cli.documents import installed_document
from metier.cli.failures import print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import Shown, live
from metier.cli.session import Session
from metier.cli.terminal import Line, Signs, Terminal, aligned
from metier.cli.wording import duration, size
from metier.messages import Progress, silent

_QUIET_SECONDS = 10.0
_BAR = 20
_STAGES = {
    "manifest": "Asking what is there",
    "wait": "Waiting for another process that fetches the same file",
    "install": "Installing",
    "convert": "Converting",
    "base": "Making the encoder ready",
}


@dataclass
class Arriving:
    """The files of a pull as far as they have come.

    Attributes:
        clock: Seconds of a monotonic clock.
        files: File to its latest facts, in the order in which they began.
        sentence: What is being done besides.
        notice: What the person was told last.
        left: Seconds left, or ``None``.
    """

    clock: Callable[[], float] = time.monotonic
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    sentence: str = ""
    notice: str = ""
    left: float | None = None

    def observe(self, progress: Progress) -> None:
        """Take one step of progress in."""
        name = progress.data.get("file")
        self.left = progress.seconds_left
        if isinstance(name, str):
            self.files[name] = {**progress.data, "checking": progress.stage == "check"}
            self.sentence = ""
        else:
            told = _STAGES.get(progress.stage, progress.message)
            detail = progress.message if progress.stage in ("convert", "base") else ""
            self.sentence = f"{told}: {detail}" if detail else told

    def lines(self, signs: Signs) -> list[Text]:
        """A row for each file, then what is being done."""
        rows = [_row(name, facts, self.left, signs) for name, facts in self.files.items()]
        table = aligned(rows[-12:], "llrrl") if rows else []
        rest = [self.sentence, self.notice]
        return [*table, *(Text(line) for line in rest if line)]


def _row(name: str, facts: dict[str, Any], left: float | None, signs: Signs) -> list[Line]:
    total, done = int(facts["total"]), int(facts["completed"])
    share = done / total if total else 1.0
    filled = round(share * _BAR)
    bar = signs.done * filled + signs.todo * (_BAR - filled)
    told = ""
    if facts["checking"]:
        told = "whole"
    elif done < total:
        speed = f"{size(facts['bytes_per_second'])}/s"
        told = f"{speed}, about {duration(left)} left" if left is not None else speed
    shown = terminal.shown_text(name)
    short = shown if len(shown) <= 40 else f"{signs.cut}{shown[-39:]}"
    return [short, bar, f"{100 * share:.0f} %", size(total), told]


class _Appended:
    """Lines that only grow: each file when it begins and is whole, and a sign of life between."""

    def __init__(self, screen: Terminal, arriving: Arriving) -> None:
        self._screen, self._arriving = screen, arriving
        self._said: set[tuple[str, bool]] = set()
        self._spoke = arriving.clock()

    def report(self, progress: Progress) -> None:
        arriving = self._arriving
        before = arriving.sentence
        arriving.observe(progress)
        name = progress.data.get("file")
        if not isinstance(name, str):
            if arriving.sentence != before:
                self.say(f"{arriving.sentence}.")
            return
        facts = arriving.files[name]
        key = (name, bool(facts["checking"]))
        late = arriving.clock() - self._spoke >= _QUIET_SECONDS
        if key in self._said and not late:
            return
        self._said.add(key)
        cells = [str(cell) for cell in _row(name, facts, arriving.left, self._screen.signs)]
        shown, _, percent, whole, told = cells
        self.say(f"{shown}: {percent} of {whole}{f', {told}' if told else ''}")

    def say(self, line: str) -> None:
        self._screen.write([line])
        self._spoke = self._arriving.clock()


@contextmanager
def arriving(*, quiet: bool) -> Iterator[Shown]:
    """Show a pull on stderr: live on a terminal, lines elsewhere, nothing if ``quiet``."""
    if quiet:
        yield Shown(silent, lambda _sentence: None)
        return
    screen, files = terminal.stderr(), Arriving()
    if not screen.interactive:
        appended = _Appended(screen, files)
        yield Shown(appended.report, appended.say)
        return

    def draw() -> RenderableType:
        return Group(*(screen.fitted(line) for line in files.lines(screen.signs)))

    def say(sentence: str) -> None:
        files.notice = sentence

    with live(screen, draw):
        yield Shown(files.observe, say)


@click.command(short_help="Fetch a model from the hub, an address or a file.")
@click.argument("ref", metavar="REF")
@click.option("--name", help="What to call it here.")
@click.option(
    "--base", shell_complete=complete_names, help="The installed model that an adapter goes over."
)
@click.option("--revision", help="Branch, tag or commit of the repository.")
@json_option
@click.pass_obj
def pull(
    session: Session,
    ref: str,
    name: str | None,
    base: str | None,
    revision: str | None,
    as_json: bool,
) -> None:
    """Fetch REF and install it; what is here already is not fetched again.

    REF is a repository of the Hugging Face hub (hf.co/owner/name, hf.co/owner/name:Q4_K_M), the
    address of a .gguf file, or a file or folder. An interrupted pull goes on where it stopped.
    """

    def kept() -> str:
        return "What was fetched is kept for a week; the same command goes on from there."

    with arriving(quiet=as_json) as shown, interruptible(shown.say, kept) as cancelled:
        item = session.metier.pull(
            ref,
            name=name,
            base=base,
            revision=revision,
            report=shown.report,
            cancelled=cancelled,
            anywhere=True,
        )
    if as_json:
        print_json(installed_document(item, card=False))
        return
    lines: list[Line] = [f"{item.name} is here ({item.kind}, {size(item.size_bytes)})."]
    runs = item.model is not None and item.model.task == "generate"
    verb = "run" if runs else "show"
    lines.append(f"{'Talk to it' if runs else 'Look at it'}:  metier {verb} {item.name}")
    terminal.stdout().write(lines)
