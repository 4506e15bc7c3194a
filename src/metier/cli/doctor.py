"""``metier doctor``: what is here, what is missing and how to get it.

It looks and changes nothing. Without what is optional everything else works, and it says so.
"""

from __future__ import annotations

import platform
import shutil
from dataclasses import asdict, dataclass
from typing import Literal

import click
from rich.text import Text

from metier.assembly import Metier
from metier.cli import terminal
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.parameters import json_option
from metier.cli.session import Session
from metier.cli.terminal import aligned, wrapped
from metier.cli.wording import count, counted, size
from metier.conversion.upstream import find_packaged_default
from metier.errors import NotFoundError
from metier.hardware import free_memory_bytes, memory_bytes, processor_name, usable_cores
from metier.settings import Settings
from metier.version import __version__

State = Literal["here", "missing", "wrong"]
_LEAST_MEMORY = 1_000_000_000
_LEAST_DISK = 500_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for.

    ``state`` is ``here``, ``missing`` (optional, everything else works) or ``wrong``.
    """

    name: str
    state: State
    found: str
    remedy: str | None = None


@click.command(short_help="Say what is here, what is missing and how to get it.")
@json_option
@click.pass_obj
def doctor(session: Session, as_json: bool) -> int:
    """Look at the machine, the store, the encoder, git and the general model.

    Exit code 1 says that something is wrong; what is only missing is optional.
    """
    findings = examine(session.metier)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        screen = terminal.stdout()
        screen.write(_lines(findings, screen.width))
    return DID_NOT_PASS if any(finding.state == "wrong" for finding in findings) else 0


def examine(metier: Metier) -> list[Finding]:
    """Every finding, the machine first."""
    return [
        Finding("metier", "here", f"{__version__}, Python {platform.python_version()}"),
        _machine(),
        _disk(metier),
        _store(metier),
        _encoder(metier),
        _git(),
        _general(metier.settings),
    ]


def _machine() -> Finding:
    memory = memory_bytes()
    told = (
        f"{counted(usable_cores(), 'core')}, {size(memory)} memory "
        f"({size(free_memory_bytes())} free), {processor_name()}"
    )
    if memory < _LEAST_MEMORY:
        return Finding("machine", "wrong", told, "Making with the encoder takes 1 GB of memory.")
    return Finding("machine", "here", told)


def _disk(metier: Metier) -> Finding:
    home = metier.settings.home
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    told = f"{size(free)} free for {home}"
    if free < _LEAST_DISK:
        return Finding("disk", "wrong", told, "Free some space, or set METIER_HOME elsewhere.")
    return Finding("disk", "here", told)


def _store(metier: Metier) -> Finding:
    found = metier.verify()
    problems = found["problems"]
    told = f"{count(found['checked'])} checked"
    if problems:
        return Finding(
            "store", "wrong", f"{told}, {counted(len(problems), 'problem')}", "metier verify"
        )
    return Finding("store", "here", f"{told}, no problems")


def _encoder(metier: Metier) -> Finding:
    bases = [item for item in metier.list() if item.kind == "base"]
    if bases:
        names = ", ".join(item.reference.familiar for item in bases)
        return Finding("encoder", "here", f"{names}, {size(sum(b.size_bytes for b in bases))}")
    told = "no base is installed; specialists over words work without one"
    try:
        find_packaged_default()
    except NotFoundError as error:
        return Finding("encoder", "missing", told, f"{error.remedy} Then: metier up")
    return Finding("encoder", "missing", told, "Its package is here; metier up makes it ready.")


def _git() -> Finding:
    path = shutil.which("git")
    if path:
        return Finding("git", "here", path)
    return Finding(
        "git", "missing", "recipes with git sources need it", "Install git with your system."
    )


def _general(settings: Settings) -> Finding:
    if settings.general_url and settings.general_model:
        return Finding(
            "general model", "here", f"{settings.general_model} at {settings.general_url}"
        )
    return Finding(
        "general model",
        "missing",
        "general: not measured",
        "Set METIER_GENERAL_URL and METIER_GENERAL_MODEL to an OpenAI-compatible service.",
    )


def _lines(findings: list[Finding], width: int) -> list[Text]:
    """A row for each finding, long ones wrapped beside their name, and what to do about it."""
    words = {"here": "", "missing": "missing", "wrong": "WRONG"}
    titles = aligned(
        [
            [
                Text(finding.name, style="bold"),
                Text(words[finding.state], style="bold" if finding.state == "wrong" else "dim"),
                "",
            ]
            for finding in findings
        ],
        "lll",
    )
    column = max(title.cell_len for title in titles) + 2
    lines = []
    for finding, title in zip(findings, titles, strict=True):
        told = wrapped(finding.found, width - column)
        if finding.remedy:
            told += wrapped(finding.remedy, width - column)
        title.pad_right(column - title.cell_len)
        lines.append(title + told[0])
        lines += [Text(" " * column) + line for line in told[1:]]
    return lines
