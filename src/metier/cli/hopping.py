"""``metier hop`` and ``metier rollback``: a specialist made again on something newer, and back.

It reads arguments, shows progress, the evidence of each challenger and what became of it, and
turns "nothing was promoted" into exit code 1. Rule and work are below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import click
from rich.text import Text

from metier.card import Evidence
from metier.cli import terminal
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import Duration, complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.terminal import Line, Signs, Terminal, aligned, shown_text, wrapped
from metier.cli.verdicts import Comparison, evidence_bars
from metier.cli.wording import counted, date, duration
from metier.errors import InputError
from metier.hop import Done, Hopped, Offer, Ruling
from metier.messages import Report

_ACTS = {
    "hop": "promoted",
    "kept": "kept the champion",
    "rollback": "rolled back",
    "by-hand": "promoted by hand",
}
_SHOWN = 20


class Choices(TypedDict):
    """The options of ``hop`` as click hands them over."""

    name: str
    bases: tuple[str, ...]
    docs: str | None
    on: str | None
    every_new: bool
    pull: bool
    fresh: Path | None
    budget: float | None
    as_json: bool


@click.command(
    short_help="Make a specialist again on other bases; promote it if it wins.",
    epilog="Examples: metier hop triage --base bge-small. metier hop triage --every-new-base "
    "--budget 10m. metier hop svelte-docs --docs kit@3. metier hop triage shows what hops did and "
    "which bases there are. Exit code 1: nothing was promoted, the champion stays.",
)
@click.argument("name", shell_complete=complete_names)
@click.option(
    "--base",
    "bases",
    multiple=True,
    metavar="REF",
    shell_complete=complete_names,
    help="A base to make it on: REF, or one view of it, REF@static or REF@encoder. Again for more.",
)
@click.option(
    "--docs",
    metavar="REF",
    help="For document packs: a version of documents (kit@3), a folder, or VERSION=FOLDER.",
)
@click.option("--on", metavar="EVAL", help="For chat specialists: the executed eval to hold on.")
@click.option(
    "--every-new-base",
    "every_new",
    is_flag=True,
    help="Every installed base that it was not held against yet.",
)
@click.option("--pull", is_flag=True, help="Fetch bases that are not here, the catalogue's too.")
@click.option(
    "--fresh",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Labelled rows that are newer than either: compared apart, and a LOSS there forbids.",
)
@click.option("--budget", type=Duration(), help="Time for everything, shared by the bases: 2m.")
@json_option
@click.pass_obj
def hop(session: Session, /, **choices: Unpack[Choices]) -> int:
    """Make a specialist's recipe again on other bases, and promote the best only on proof.

    Each is asked the champion's own sealed questions. It is promoted on WIN, or when it is not
    worse and cheaper. The champion before keeps answering as NAME@previous; what was not promoted
    is kept beside it with the reason.
    """
    name = session.metier.show(choices["name"]).name
    if not choices["bases"] and not choices["every_new"] and choices["docs"] is None:
        return _show(session, name, choices)
    with (
        working(quiet=choices["as_json"]) as shown,
        interruptible(shown.say, lambda: _kept(session, name)) as cancelled,
    ):
        hopped = _hopped(session, name, choices, shown.report, cancelled)
    promoted = hopped.promotion.promoted is not None
    if choices["as_json"]:
        print_json(hopped.to_dict())
    else:
        screen = terminal.stdout()
        screen.write(_lines(hopped, screen.width, screen.signs))
    return 0 if promoted else DID_NOT_PASS


@click.command(
    short_help="Put the champion before a hop back.",
    epilog="Examples: metier rollback triage, and once more to bring the new one forth again. "
    "metier rollback triage --to rejected-1a2b3c4d promotes by hand what a hop refused.",
)
@click.argument("name", shell_complete=complete_names)
@click.option("--to", metavar="ASIDE", help="What a hop put aside, instead of 'previous'.")
@json_option
@click.pass_obj
def rollback(session: Session, name: str, to: str | None, as_json: bool) -> int:
    """Swap a specialist with the champion before it, which a hop kept as NAME@previous.

    Nothing is made: the bytes that answered before answer again. Rolling back once more brings
    the newer one forth. The ledger says who did what.
    """
    done = session.metier.hopping.rollback(name, to=to)
    familiar = session.metier.show(name).name
    if as_json:
        print_json({**done.to_dict(), "name": familiar})
        return 0
    screen = terminal.stdout()
    said = wrapped(f"{familiar}: {done.why}", screen.width)
    again = "" if to else "  brings the other one forth again"
    screen.write([*said, Text(f"  metier rollback {familiar}", style="bold") + Text(again)])
    return 0


def _hopped(
    session: Session,
    name: str,
    choices: Choices,
    report: Report,
    cancelled: Callable[[], bool],
) -> Hopped:
    """The hop that was asked for: to other documents, of a chat specialist, of a classifier."""
    metier, bases = session.metier, choices["bases"]
    chat = metier.show(name).chat is not None
    docs = choices["docs"]
    foreign: tuple[str, ...]
    if docs is not None:
        foreign = ("bases", "every_new", "pull", "fresh", "budget", "on")
    elif chat:
        foreign = ("every_new", "pull", "fresh")
    else:
        foreign = ("on",)
    for option in foreign:
        if choices[option]:  # type: ignore[literal-required]
            flag = {"bases": "base", "every_new": "every-new-base"}.get(option, option)
            raise InputError(
                f"--{flag} is not for this hop of {name!r}.",
                code="bad_usage",
                remedy="Other documents are named by --docs alone; a chat specialist takes --base, "
                "--on and --budget.",
            )
    if docs is not None:
        return metier.moving.hop(name, docs, report=report, cancelled=cancelled)
    if chat:
        return metier.rebasing.hop(
            name,
            bases,
            on=choices["on"],
            budget=choices["budget"],
            report=report,
            cancelled=cancelled,
        )
    return metier.hopping.hop(
        name,
        bases=bases,
        every_new=choices["every_new"],
        pull=choices["pull"],
        fresh=choices["fresh"],
        budget=choices["budget"],
        report=report,
        cancelled=cancelled,
    )


def _show(session: Session, name: str, choices: Choices) -> int:
    """What hops did to it, and where it could hop."""
    if choices["fresh"] or choices["budget"] or choices["pull"]:
        raise InputError(
            "No base is named.",
            code="no_bases",
            remedy="Write --base REF, once for each base, or --every-new-base.",
        )
    done = session.metier.hopping.history(name)
    offers = session.metier.hopping.offers(name)
    if choices["as_json"]:
        print_json(
            {
                "name": name,
                "history": [one.to_dict() for one in done],
                "bases": [one.to_dict() for one in offers],
            }
        )
        return 0
    screen = terminal.stdout()
    screen.write([*_history(name, done, screen), Text(), *_offers(offers)])
    return 0


def _history(name: str, done: Sequence[Done], screen: Terminal) -> list[Text]:
    if not done:
        return [Text(f"{name} has not hopped yet.")]
    lines = [Text(f"{name}: {counted(len(done), 'act')} of hopping, the latest first.")]
    for one in done[:_SHOWN]:
        lines.append(Text(f"{date(one.date)}  {_ACTS[one.act]}", style="bold"))
        lines += wrapped(shown_text(one.why), screen.width, indent="  ")
        if one.name:
            lines.append(Text(f"  kept as {shown_text(one.name)}", style="dim"))
    return lines


def _offers(offers: Sequence[Offer]) -> list[Text]:
    if not offers:
        return [Text("There is no other base here or in the catalogues that it could hop to.")]
    rows: list[list[Line]] = [[Text(title, style="dim") for title in ("base", "", "how")]]
    for one in offers:
        command = Text(shown_text(one.command), style="bold")
        rows.append([shown_text(one.key), shown_text(one.note), command])
    return aligned(rows, "lll")


def _lines(hopped: Hopped, width: int, signs: Signs) -> list[Text]:
    promotion = hopped.promotion
    lines = [Text(f"{hopped.name} stood on {shown_text(hopped.champion_key)}."), Text()]
    measured = [row for one in promotion.rulings for row in _compared(one)]
    lines += evidence_bars(measured, width, signs)
    lines.append(Text())
    for ruling in promotion.rulings:
        style = "bold" if ruling.act == "hop" else ""
        lines += [Text(line.plain, style=style) for line in wrapped(shown_text(ruling.why), width)]
        if ruling.challenger.remedy:
            lines.append(Text(f"  {shown_text(ruling.challenger.remedy)}", style="bold"))
    reused = f" Reused: {', '.join(hopped.reused)}." if hopped.reused else ""
    spent = f"{duration(hopped.seconds)} ({duration(hopped.cpu_seconds)} of processor time)"
    lines += [Text(), *wrapped(f"It took {spent}.{reused}", width)]
    return [*lines, *_next(hopped)]


def _next(hopped: Hopped) -> list[Text]:
    """What a person may do now."""
    if hopped.promotion.promoted is not None:
        aside = f"  puts the one before back; it answers as {hopped.name}@previous meanwhile"
        return [Text(f"  metier rollback {hopped.name}", style="bold") + Text(aside)]
    kept = [one.challenger.name for one in hopped.promotion.rulings if one.challenger.name]
    lines = [Text(f"{hopped.name} stays as it was.")]
    if kept:
        side = kept[0].rpartition("@")[2]
        command = f"  metier rollback {hopped.name} --to {side}"
        lines.append(Text(command, style="bold") + Text("  promotes it all the same"))
    return lines


def _compared(ruling: Ruling) -> list[Comparison]:
    challenger = ruling.challenger
    title = shown_text(challenger.key)
    if challenger.evidence is None:
        return [Comparison(title, None, "not made")]
    rows = [_comparison(title, challenger.evidence)]
    if challenger.fresh is not None:
        rows.append(_comparison(f"{title}, fresh items", challenger.fresh))
    return rows


def _comparison(title: str, evidence: Evidence) -> Comparison:
    return Comparison(title, evidence.difference)


def _kept(session: Session, name: str) -> str:
    made = [
        item.name
        for item in session.metier.fleet.aside(name)
        if item.reference.side.startswith("rejected-")
    ]
    beside = f" Made so far: {', '.join(made)}." if made else ""
    return f"{name!r} answers as before.{beside} The same command goes on from there."
