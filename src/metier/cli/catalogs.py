"""``metier catalog``: catalogues of others, one's own to give away, and whether ours is true.

It shows what the cataloguer did and asks it for more. Formats and the network are not its matter.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, UNAVAILABLE, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.terminal import Line, aligned, shown_text, wrapped
from metier.cli.wording import count, counted, date, size

_PROSE = 92
_private = click.option(
    "--private", is_flag=True, help="The address may be in a network of your own."
)


@click.group("catalog", short_help="Add, build, list and check catalogues.")
def catalog() -> None:
    """Static catalogues: folders of JSON that any web server can host.

    What was added is searched without a network. Nothing is fetched unless you ask.
    """


@catalog.command("add", short_help="Add a catalogue from an address or a folder.")
@click.argument("where", metavar="URL|DIR")
@click.option("--name", default="", help="What it is called here.")
@_private
@json_option
@click.pass_obj
def add(session: Session, where: str, name: str, private: bool, as_json: bool) -> None:
    """Fetch a static catalogue whole, prove its digests and keep it."""
    with working(quiet=as_json) as shown:
        kept = session.metier.catalogs.add(where, name=name, private=private, report=shown.report)
    if as_json:
        print_json(to_document(kept))
        return
    held = kept.catalogue
    terminal.stdout().write(
        [
            f"Added {_own(held.name)}: {counted(held.entries, 'entry')}, made {date(held.made)}.",
            Text(f"Search it:  metier find WORDS --origin {shlex.quote(held.name)}", style="bold"),
        ]
    )


@catalog.command("list", short_help="List the catalogues.")
@json_option
@click.pass_obj
def list_catalogues(session: Session, as_json: bool) -> None:
    """List the curated index that came along and the catalogues that were added."""
    from metier.catalog import curated

    kept, faults = session.metier.catalogs.added()
    ours = len(curated.entries())
    if as_json:
        print_json({"curated": ours, "catalogues": to_document(kept), "faults": faults})
        return
    for fault in faults:
        click.echo(_own(fault), err=True)
    rows: list[list[Line]] = [
        [Text(title, style="dim") for title in ("name", "entries", "made", "added", "from")],
        [Text("curated", style="bold"), count(ours), "", "", "comes with Metier"],
    ]
    rows += [
        [
            Text(_own(one.catalogue.name), style="bold"),
            count(one.catalogue.entries),
            date(one.catalogue.made),
            date(one.added),
            _own(one.address),
        ]
        for one in kept
    ]
    lines: list[Line] = [*aligned(rows, "lrlll")]
    told = "Add one:  metier catalog add URL" if not kept else "Bring them up to date:  metier "
    lines.append(Text(told + ("catalog update" if kept else ""), style="bold"))
    terminal.stdout().write(lines)


@catalog.command("remove", short_help="Forget a catalogue.")
@click.argument("name")
@json_option
@click.pass_obj
def remove(session: Session, name: str, as_json: bool) -> None:
    """Forget a catalogue that was added; nothing that is installed goes."""
    session.metier.catalogs.remove(name)
    if as_json:
        print_json({"removed": name})
        return
    terminal.stdout().write([f"Removed the catalogue {_own(name)}."])


@catalog.command("update", short_help="Fetch catalogues again.")
@click.argument("name", default="")
@_private
@json_option
@click.pass_obj
def update(session: Session, name: str, private: bool, as_json: bool) -> int:
    """Fetch one catalogue again, or all; one that cannot be fetched stays as it was."""
    with working(quiet=as_json) as shown:
        done = session.metier.catalogs.update(name, private=private, report=shown.report)
    failed = [one for one in done if one.error is not None]
    if as_json:
        rows = [
            {
                "name": one.name,
                "entries": one.entries,
                "changed": one.changed,
                "error": one.error.as_dict() if one.error else None,
            }
            for one in done
        ]
        print_json({"catalogues": rows})
        return UNAVAILABLE if failed else 0
    lines: list[Line] = []
    for one in done:
        state = "changed" if one.changed else "as it was"
        entries = counted(one.entries, "entry")
        lines.append(Text(f"{_own(one.name)}: {entries}, {state}."))
        if one.error is not None:
            lines += wrapped(f"  {_own(one.error.message)}", _PROSE, indent="  ")
    if not done:
        lines = ["No catalogue was added.", Text("Add one:  metier catalog add URL", style="bold")]
    terminal.stdout().write(lines)
    return UNAVAILABLE if failed else 0


@catalog.command("build", short_help="Write a static catalogue into a folder.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--from",
    "source",
    type=click.Choice(["here", "curated"]),
    default="here",
    show_default=True,
    help="What is installed, or the index that came with Metier.",
)
@click.option("--name", required=True, help="What others will call it: lower-case letters.")
@click.option("--title", default="", help="One line for people.")
@json_option
@click.pass_obj
def build(
    session: Session, folder: Path, source: Any, name: str, title: str, as_json: bool
) -> None:
    """Write a folder of JSON that any web server can host: cards and evidence come along."""
    built = session.metier.catalogs.build(folder, source=source, name=name, title=title)
    if as_json:
        print_json(to_document(built))
        return
    facts = f"{counted(built.entries, 'entry')}, {counted(built.cards, 'card')}"
    terminal.stdout().write(
        [
            f"Wrote {facts}, {size(built.bytes)} to {folder}.",
            Text(f"Try it:  metier catalog add {shlex.quote(str(folder))}", style="bold"),
        ]
    )


@catalog.command("verify", short_help="Check the curated index against the network.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
@click.pass_obj
def verify(session: Session, names: tuple[str, ...], as_json: bool) -> int:
    """Ask whether the index that came with Metier is still true.

    For each fact: same, changed, gone, or could not be reached. Exit code 1 if any changed or is
    gone, 3 if something could not be reached.
    """
    from metier.assembly.resolving import Checked, check_curated

    with (
        working(quiet=as_json) as shown,
        interruptible(shown.say, lambda: "Nothing was changed.") as cancelled,
    ):
        checked = check_curated(session.metier, names, report=shown.report, cancelled=cancelled)
    counts = Counter(one.standing for one in checked)
    wrong = [one for one in checked if one.standing in ("changed", "gone")]
    code = DID_NOT_PASS if wrong else UNAVAILABLE if counts["unreachable"] else 0
    if as_json:
        print_json({"checked": to_document(checked), "counts": dict(counts), "exit_code": code})
        return code
    lines: list[Line] = [*_wrong_lines(wrong)]
    missed: Sequence[Checked] = [one for one in checked if one.standing == "unreachable"]
    if missed:
        lines += wrapped(f"First of those not reached: {missed[0].entry}, {missed[0].was}", _PROSE)
    told = ", ".join(f"{count(number)} {_SAID[standing]}" for standing, number in counts.items())
    lines.append(Text(f"{counted(len(checked), 'fact')}: {told or 'none'}.", style="bold"))
    terminal.stdout().write(lines)
    return code


_SAID = {
    "same": "the same",
    "changed": "changed",
    "gone": "gone",
    "unreachable": "could not be reached",
}


def _wrong_lines(wrong: Sequence[Any]) -> list[Text]:
    rows: list[list[Line]] = [
        [
            Text(_own(one.entry), style="bold"),
            _own(one.fact),
            one.standing,
            _own(one.was)[:60],
            _own(one.now)[:60],
        ]
        for one in wrong
    ]
    return aligned(rows, "lllll") if rows else []


def _own(text: str) -> str:
    """Somebody else's words on one line, without what a terminal would obey or hide."""
    return " ".join(shown_text(text).split())
