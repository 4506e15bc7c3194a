"""``metier doctor``: what is here, what is missing and how to get it.

It looks and changes nothing, unless it is told to install a toolchain. Without what is optional
everything else works, and it says so.
"""

from __future__ import annotations

import platform
import shutil
from dataclasses import asdict, dataclass
from typing import Literal

import click
from rich.text import Text

from metier.assembly import Metier
from metier.assembly.browsing import ASSETS, packaged
from metier.cli import terminal
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.fitness import machine_rows, speeds_lines
from metier.cli.interrupting import interruptible
from metier.cli.parameters import complete_toolchains, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.terminal import aligned, wrapped
from metier.cli.wording import count, counted, size
from metier.conversion.upstream import find_packaged_default
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.hardware import free_memory_bytes, memory_bytes, processor_name, usable_cores
from metier.sandbox import describe, detect
from metier.toolchains import KNOWN
from metier.version import __version__

State = Literal["here", "missing", "wrong"]
_TOLD = ("svelte", "@sveltejs/kit", "react", "typescript", "onnxruntime-web")
"""Of a toolchain's packages those that people ask for; its lock file has them all."""
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


@click.command(
    short_help="Say what is here, what is missing and how to get it.",
    epilog="Example: metier doctor --install svelte@5 --install kit@2.",
)
@click.option(
    "--install",
    "wanted",
    multiple=True,
    metavar="TOOLCHAIN",
    shell_complete=complete_toolchains,
    help=f"Install {', '.join(KNOWN)} or all, with npm, from its lock file; again for more.",
)
@click.option(
    "--measure",
    is_flag=True,
    help="Measure how fast models answer here, in some ten seconds; 'show' and 'find' tell it.",
)
@json_option
@click.pass_obj
def doctor(session: Session, wanted: tuple[str, ...], measure: bool, as_json: bool) -> int:
    """Look at the machine, the store, the encoder, tools, packs and services.

    Exit code 1 says that something is wrong; what is only missing is optional.
    """
    if wanted and measure:
        raise InputError("--install and --measure cannot be given together.", code="bad_usage")
    if measure:
        return _measure(session.metier, as_json=as_json)
    if wanted:
        return _install(session.metier, wanted, as_json=as_json)
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
        *(Finding(*row) for row in machine_rows(metier)),
        _disk(metier),
        _store(metier),
        _encoder(metier),
        _packs(metier),
        *_toolchains(metier),
        *_sandboxes(),
        _git(),
        _services(metier),
        _general(metier),
    ]


def _install(metier: Metier, wanted: tuple[str, ...], *, as_json: bool) -> int:
    """Install toolchains one after the other; what is there already takes no time."""
    names = list(dict.fromkeys(KNOWN if "all" in wanted else wanted))
    installed = []
    kept = "What is complete is kept; the rest was not installed."
    with (
        working(quiet=as_json) as shown,
        interruptible(shown.say, lambda: kept) as cancelled,
    ):
        for name in names:
            there = metier.toolchains.installed(name)
            path = metier.install_toolchain(name, report=shown.report, cancelled=cancelled)
            installed.append({"name": name, "path": str(path), "new": not there})
    if as_json:
        print_json({"installed": installed})
        return 0
    for one in installed:
        told = "is installed" if one["new"] else "was there already"
        terminal.stdout().write([f"{one['name']} {told}: {one['path']}"])
    return 0


def _measure(metier: Metier, *, as_json: bool) -> int:
    """Run the self-benchmark and say what it found."""
    with (
        working(quiet=as_json) as shown,
        interruptible(shown.say, lambda: "Nothing was kept.") as cancelled,
    ):
        speeds = metier.fitting.measure(report=shown.report, cancelled=cancelled)
    if as_json:
        print_json({"speeds": speeds.to_dict()})
    else:
        terminal.stdout().write([*speeds_lines(speeds), "Next: metier find --fits"])
    return 0


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
    bases = [item for item in metier.list() if item.kind == "base" and not item.sees]
    if bases:
        names = ", ".join(item.reference.familiar for item in bases)
        return Finding("encoder", "here", f"{names}, {size(sum(b.size_bytes for b in bases))}")
    told = "no base is installed; specialists over words work without one"
    try:
        find_packaged_default()
    except NotFoundError as error:
        return Finding("encoder", "missing", told, f"{error.remedy} Then: metier up")
    return Finding("encoder", "missing", told, "Its package is here; metier up makes it ready.")


def _packs(metier: Metier) -> Finding:
    packs = [item for item in metier.list() if item.pack is not None]
    if packs:
        told = ", ".join(
            f"{item.name} ({counted(item.pack.passages, 'passage')})" for item in packs if item.pack
        )
        return Finding("documents", "here", told)
    wanted = sorted({pack for item in metier.list() if item.chat for pack in item.chat.packs})
    told = "no document pack is here; chat specialists answer without documents"
    remedy = "; ".join(f"metier make {name}" for name in wanted) or "metier make --task search"
    return Finding("documents", "missing", told, remedy)


def _toolchains(metier: Metier) -> list[Finding]:
    """Node and each toolchain; Python needs none."""
    try:
        node = f"{metier.toolchains.node_version}, {metier.toolchains.node()}"
    except UnavailableError as error:
        told = f"{error.message} Svelte, React and JavaScript are not checked"
        return [Finding("Node", "missing", told, error.remedy)]
    found = [Finding("Node", "here", node)]
    for state in metier.toolchains.list():
        named = {name: state.versions[name] for name in _TOLD if name in state.versions}
        versions = ", ".join(f"{name} {number}" for name, number in named.items())
        if state.installed:
            found.append(Finding(state.name, "here", versions))
        elif state.name == ASSETS and packaged():
            found.append(Finding(state.name, "here", f"{versions}, in this package"))
        else:
            remedy = f"metier doctor --install {state.name}"
            found.append(Finding(state.name, "missing", f"not installed ({versions})", remedy))
    return found


def _sandboxes() -> list[Finding]:
    """The sandbox that code is executed in: what it contains and what not."""
    try:
        sandbox = detect()
    except UnavailableError as error:
        told = f"{error.message} Checking works; nothing is executed"
        return [Finding("sandbox", "missing", told, error.remedy)]
    others = [f"{state.kind}: {state.why_not}" for state in describe() if not state.works]
    return [
        Finding("sandbox", "here", "; ".join([f"{sandbox.kind} works", *others])),
        Finding("  contains", "here", ", ".join(item.split(":")[0] for item in sandbox.contains)),
        Finding("  does not", "here", "; ".join(sandbox.does_not_contain)),
    ]


def _services(metier: Metier) -> Finding:
    """Remote services by name; no key is read, and none is shown."""
    place = metier.settings.services
    try:
        names = metier.services()
    except InputError as error:
        return Finding("services", "wrong", error.message, error.remedy)
    if names:
        default = f"; METIER_BASE is {metier.settings.base}" if metier.settings.base else ""
        told = ", ".join(f"remote:{name}" for name in names)
        return Finding("services", "here", f"{told}{default}")
    told = "no base that writes; documents, check and repair work without one"
    return Finding("services", "missing", told, f"Write [NAME] with url and model into {place}.")


def _git() -> Finding:
    path = shutil.which("git")
    if path:
        return Finding("git", "here", path)
    return Finding(
        "git", "missing", "recipes with git sources need it", "Install git with your system."
    )


def _general(metier: Metier) -> Finding:
    settings = metier.settings
    if settings.general_url and settings.general_model:
        return Finding(
            "general model", "here", f"{settings.general_model} at {settings.general_url}"
        )
    general = metier.routing.field().general
    if general.name:
        return Finding("general model", "here", f"{general.name}. {general.why}")
    return Finding(
        "general model",
        "missing",
        "general: not measured",
        "Set METIER_GENERAL_URL and METIER_GENERAL_MODEL to an OpenAI-compatible service, or "
        f"run: {general.remedy}",
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
