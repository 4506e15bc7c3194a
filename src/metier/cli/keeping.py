"""``metier list``, ``show``, ``rm``, ``gc`` and ``verify``: what is installed.

It shows the fleet and asks for changes to it. How things are stored it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from metier.card import Card
from metier.cli import terminal
from metier.cli.briefs import brief_lines
from metier.cli.documents import installed_document, to_document
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.findings import problem_lines, problems_found
from metier.cli.fitness import fit_document, fit_words
from metier.cli.held import proof_lines
from metier.cli.interrupting import interruptible
from metier.cli.modelsheets import listed_cells, model_document, sheet_lines
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.sheet import with_ladder
from metier.cli.standings import standing_document, standing_lines, with_states
from metier.cli.terminal import Line, Signs, Terminal, aligned, wrapped
from metier.cli.verdicts import verdict_text
from metier.cli.wording import (
    NOT_MEASURED,
    count,
    counted,
    date,
    milliseconds,
    percent,
    points,
    size,
    span,
)
from metier.errors import InputError
from metier.fleet import Installed
from metier.generating import ModelListing
from metier.watching import Standing


@click.command("list", short_help="List what is installed.")
@json_option
@click.pass_obj
def list_installed(session: Session, as_json: bool) -> None:
    """List specialists and bases: accuracy, difference to the base, size and speed."""
    items = session.metier.list()
    standings = session.metier.watching.standings()
    broken = session.metier.fleet.broken()
    if as_json:
        documents = [
            {
                **installed_document(item, card=False),
                **model_document(item, None),
                **standing_document(standings.get(item.name)),
            }
            for item in items
        ]
        damaged = [{"name": ref.familiar, **error.as_dict()} for ref, error in broken.items()]
        print_json({"installed": documents, "damaged": damaged})
        return
    for reference, error in broken.items():
        click.echo(f"{reference.familiar} is damaged: {error.message} See metier verify.", err=True)
    screen = terminal.stdout()
    if not items:
        screen.write(["Nothing is installed. Make the first one:", _make_one()])
        return
    screen.write(_table(items, screen, _listings(session, items), standings), cut=True)


def _make_one() -> Text:
    return Text("  metier make --data FILE --name NAME", style="bold")


def _listings(session: Session, items: Sequence[Installed]) -> dict[str, ModelListing]:
    """What the weights of local models are, by name; opened only if there is one."""
    if all(item.model is None for item in items):
        return {}
    local = {item.name for item in items if item.model is not None}
    found = session.metier.models.listings()
    return {listing.name: listing for listing in found if listing.name in local}


def _table(
    items: Sequence[Installed],
    screen: Terminal,
    listings: Mapping[str, ModelListing],
    standings: Mapping[str, Standing],
) -> list[Text]:
    """Specialists, then bases; without the intervals if a person's terminal is too narrow."""
    lines = _lines(items, screen.signs, listings, standings, intervals=True)
    widest = max(line.cell_len for line in lines)
    if screen.console.is_terminal and widest > screen.console.width:
        return _lines(items, screen.signs, listings, standings, intervals=False)
    return lines


def _lines(
    items: Sequence[Installed],
    signs: Signs,
    listings: Mapping[str, ModelListing],
    standings: Mapping[str, Standing],
    *,
    intervals: bool,
) -> list[Text]:
    titles = ("name", "task", "accuracy", "over base", "size", "ms")
    rows: list[list[Line]] = [[Text(title, style="dim") for title in titles]]
    rows += [
        _cells(item, item.classifier, signs, intervals=intervals)
        for item in items
        if item.classifier is not None
    ]
    rows += [
        _uncompared(item, item.task or item.kind)
        for item in items
        if item.card is not None and item.classifier is None
    ]
    rows += [listed_cells(item, listings[item.name]) for item in items if item.name in listings]
    rows += [
        [item.reference.familiar, item.kind, "", "", size(item.size_bytes), ""]
        for item in items
        if item.card is None and item.name not in listings
    ]
    return aligned(with_states(rows, standings), "llllrrl"[: 7 if standings else 6])


def _uncompared(item: Installed, task: str) -> list[Line]:
    """A chat specialist or a pack: what it has is counted, what it proved is not measured here."""
    told = Text(NOT_MEASURED, style="dim")
    return [Text(item.name, style="bold"), task, told, "", size(item.size_bytes), ""]


def _cells(item: Installed, card: Card, signs: Signs, *, intervals: bool) -> list[Line]:
    score, evidence = card.accuracy(), card.against("base")
    accuracy = f"{percent(score.value):>7}" if score else NOT_MEASURED
    if intervals and score and score.interval:
        accuracy += f" [{span(score.interval)}]"
    over = Text(NOT_MEASURED, style="dim")
    if evidence is not None:
        found = evidence.difference
        over = Text(f"{points(found.difference):>5} ")
        over.append_text(verdict_text(found.verdict, signs, small=found.small))
    return [
        Text(item.reference.familiar, style="bold"),
        card.task,
        accuracy,
        over,
        size(item.size_bytes),
        milliseconds(card.cost.ms_per_text) if card.cost.ms_per_text is not None else "",
    ]


@click.command(short_help="Show what a specialist is and has proved.")
@click.argument("name", shell_complete=complete_names)
@click.option("--recipe", is_flag=True, help="Print its recipe instead.")
@click.option("--results", is_flag=True, help="List its result files instead.")
@json_option
@click.pass_obj
def show(session: Session, name: str, recipe: bool, results: bool, as_json: bool) -> None:
    """Show the ladder, the card and the evidence of NAME."""
    if recipe and results:
        raise InputError("--recipe and --results cannot be given together.", code="bad_usage")
    item = session.metier.show(name)
    screen = terminal.stdout()
    if recipe:
        text = session.metier.fleet.read_part(name, "recipe.toml").decode()
        print_json({"name": name, "recipe": text}) if as_json else click.echo(text, nl=False)
    elif results:
        _show_results(session, name, as_json=as_json)
    elif item.model is not None:
        sheet = session.metier.models.sheet(item.name)
        if as_json:
            document = installed_document(item, card=False)
            fit = fit_document(session.metier.fit(item))
            print_json({**document, **model_document(item, sheet), **fit})
        else:
            screen.write(sheet_lines(item, sheet, fit=fit_words(session.metier.fit(item))))
    elif as_json:
        fit = fit_document(session.metier.fit(item))
        watch = standing_document(session.metier.watching.standing(name))
        print_json({**installed_document(item, card=True), **fit, **watch})
    elif item.card is None:
        rows: list[list[Line]] = [
            ["kind", item.kind],
            ["size", size(item.size_bytes)],
            ["here", fit_words(session.metier.fit(item))],
            ["digest", str(item.digest)],
            ["stored", date(item.modified)],
        ]
        screen.write([Text(item.reference.familiar, style="bold"), *aligned(rows, "ll", indent=2)])
    elif item.classifier is not None:
        called = item.reference.familiar
        shown = with_ladder(item.classifier, screen.width, screen.signs, name=called)
        here = f"On this machine: {fit_words(session.metier.fit(item))}."
        stands = standing_lines(session.metier.watching.standing(name), screen.width)
        screen.write([*shown[:-1], *wrapped(here, screen.width), *stands, shown[-1]])
    else:
        stands = standing_lines(session.metier.watching.standing(name), screen.width)
        proved = proof_lines(session.metier, item, screen.width, screen.signs)
        screen.write([*brief_lines(item, screen.width), *proved, *stands])


def _show_results(session: Session, name: str, *, as_json: bool) -> None:
    fleet = session.metier.fleet
    parts = [part for part in fleet.parts(name) if part.filepath.startswith("results/")]
    if as_json:
        files = [
            {
                "filepath": part.filepath,
                "digest": str(part.digest),
                "size_bytes": part.size_bytes,
                "path": str(fleet.part_path(name, part.filepath)),
            }
            for part in parts
        ]
        print_json({"name": name, "results": files})
        return
    rows: list[list[Line]] = [
        [part.filepath, size(part.size_bytes), Text(part.digest.short, style="dim")]
        for part in parts
    ]
    terminal.stdout().write(aligned(rows, "lrl") or [f"{name} has no results."])


@click.command("rm", short_help="Remove a specialist.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_names)
@json_option
@click.pass_obj
def remove(session: Session, names: tuple[str, ...], as_json: bool) -> None:
    """Remove NAME. Its files stay until metier gc removes what nothing uses."""
    metier = session.metier
    removed = [metier.show(name).reference.familiar for name in names]
    for name in removed:
        metier.remove(name)
    if as_json:
        print_json({"removed": removed})
        return
    terminal.stdout().write([f"Removed {', '.join(removed)}.", "Free the space:  metier gc"])


@click.command("gc", short_help="Remove stored files that nothing uses.")
@json_option
@click.pass_obj
def collect_garbage(session: Session, as_json: bool) -> None:
    """Remove stored files that no specialist or base uses."""
    found = session.metier.collect_garbage()
    if as_json:
        print_json(to_document(found))
        return
    removed = found["removed"]
    told = f"Removed {counted(removed, 'file')}, {size(found['bytes'])}."
    terminal.stdout().write([told if removed else "Nothing to remove."])


@click.command(short_help="Check every stored byte against its digest.")
@click.option("--remake", is_flag=True, help="Make each starter again and compare.")
@click.option(
    "--table",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead check the table of an eval, and judge the answers beside it again.",
)
@click.option("--on", metavar="EVAL", help="The folder of the table's tasks, if it has no name.")
@json_option
@click.pass_obj
def verify(
    session: Session, remake: bool, table: Path | None, on: str | None, as_json: bool
) -> int:
    """Check every stored byte against its digest.

    Exit code 1 says that something is wrong; each problem comes with how to mend it.
    """
    if table is not None:
        return _verify_table(session, table, on, as_json=as_json)
    with working(quiet=as_json) as shown:
        found = session.metier.verify(remake=remake, report=shown.report)
    problems = found["problems"]
    if as_json:
        print_json(to_document(found))
        return DID_NOT_PASS if problems else 0
    screen = terminal.stdout()
    screen.write(_remade(item) for item in found.get("remade", ()))
    screen.write([f"{count(found['checked'])} checked, {problems_found(problems)}."])
    screen.write(problem_lines(problems, screen.width))
    return DID_NOT_PASS if problems else 0


def _verify_table(session: Session, path: Path, on: str | None, *, as_json: bool) -> int:
    """Whether a table is what was written, and its answers are judged as they were."""
    metier = session.metier
    try:
        with working(quiet=as_json) as shown, interruptible(shown.say, lambda: "") as cancelled:
            found = metier.tables.verify(path, on=on, report=shown.report, cancelled=cancelled)
    finally:
        metier.close()
    if as_json:
        print_json(found.to_dict())
        return 0 if found.same else DID_NOT_PASS
    screen = terminal.stdout()
    lines: list[Line] = [f"The file is whole: {found.table}."]
    told = f"{counted(found.judged, 'answer')} judged again, {count(len(found.differing))} differ."
    lines.append(told if found.judged else "Its answers are not beside it: nothing to judge again.")
    lines += [
        f"  {one.entry}, {one.id}: was {one.was}, now {one.found}. {one.why}"
        for one in found.differing
    ]
    for name, then, now in found.other_toolchain:
        lines += wrapped(f"Judged then with {name} {then}, now {now}.", screen.width)
    screen.write(lines)
    return 0 if found.same else DID_NOT_PASS


def _remade(item: Mapping[str, Any]) -> str:
    same = "the same bytes" if item["same_digest"] else "other bytes"
    return f"{item['name']} made again: {same}, {percent(item['equal_labels'])} equal answers"
