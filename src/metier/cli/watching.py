"""``metier watch``: does each specialist still earn its route, and what would it take to know?

It hands names and files to the watch, shows where each stands, and turns a lost route into exit
code 1. It computes no statistics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, exit_code, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import Shown, working
from metier.cli.session import Session
from metier.cli.terminal import Line, Signs, Terminal, aligned, shown_text, wrapped
from metier.cli.wording import count, counted, date, points
from metier.errors import InputError
from metier.watching import ROUTED, Standing, Track

_KEPT = "What was answered so far is kept. The same command goes on from there."
_SHOWN = 20.0
_PROSE = 92
_STYLES = {"PROMOTED": "bold", "WATCH": "yellow", "DEMOTED": "bold red", "HOP": "bold red"}


@click.command(
    "watch",
    short_help="See which specialists still earn their route.",
    epilog="Examples: metier watch. metier watch banking-intents --fresh october.csv. "
    "metier up --watch 1d looks every day.",
)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_names)
@click.option(
    "--fresh",
    type=click.Path(path_type=Path, exists=True, readable=True),
    metavar="FILE",
    help="Add new labelled items of NAME first: CSV, TSV, JSON or JSON Lines, dates if there are.",
)
@click.option(
    "--erase-texts",
    is_flag=True,
    help="Erase the texts that were kept with feedback on NAME, and do no more.",
)
@click.option("--in-background", is_flag=True, hidden=True)
@json_option
@click.pass_obj
def watch(
    session: Session,
    names: tuple[str, ...],
    fresh: Path | None,
    erase_texts: bool,
    in_background: bool,
    as_json: bool,
) -> int:
    """Hold specialists against their base and the general model, as often as you like.

    Items that the same two answered before are not asked again. Exit code 1 says that one has
    lost its route; 3 that nobody has, but somebody could not be asked; 0 all else.
    """
    metier = session.metier
    if (fresh is not None or erase_texts) and len(names) != 1:
        option = "--fresh" if fresh is not None else "--erase-texts"
        raise InputError(f"{option} takes one NAME.", code="bad_usage")
    if erase_texts:
        return _erase(session, names[0], as_json=as_json)
    added = None
    try:
        with (
            working(quiet=as_json) as shown,
            interruptible(shown.say, lambda: _KEPT) as cancelled,
        ):
            if fresh is not None:
                added = _taken_in(metier, names[0], fresh, shown)
            looks = metier.watching.look(
                names, background=in_background, report=shown.report, cancelled=cancelled
            )
    finally:
        metier.close()
    notices = [one for one in metier.watching.notices() if not names or one.name in _all(looks)]
    if as_json:
        print_json(_document(looks, added, notices, metier.watching.asks()))
    else:
        screen = terminal.stdout()
        if added is not None:
            screen.write([*_added_lines(added, screen.width), Text()])
        screen.write(_lines(looks, screen))
    return _code(looks)


def _taken_in(metier: Any, name: str, fresh: Path, shown: Shown) -> Any:
    """The file's items, ``None`` if they are here already: the command goes on from there."""
    try:
        return metier.watching.add_fresh(name, fresh, report=shown.report)
    except InputError as error:
        if error.code != "nothing_fresh" or not error.details.get("repeated"):
            raise
        shown.say(error.message)
        return None


def _all(looks: Sequence[Any]) -> set[str]:
    return {look.name for look in looks}


def _erase(session: Session, name: str, *, as_json: bool) -> int:
    erased = session.metier.watching.erase_texts(name)
    if as_json:
        print_json({"name": name, "erased": erased})
    else:
        terminal.stdout().write([f"{counted(erased, 'text')} erased. Thumbs and counts stay."])
    return 0


def _code(looks: Sequence[Any]) -> int:
    """1 if a route is lost; else the code of the first problem; else 0."""
    if any(look.standing.state not in ROUTED for look in looks):
        return DID_NOT_PASS
    problems = [problem for look in looks for problem in look.problems]
    return exit_code(problems[0]) if problems else 0


def _document(
    looks: Sequence[Any], added: Any, notices: Sequence[Any], asks: str
) -> dict[str, Any]:
    return {
        "looks": [
            {
                "name": look.name,
                "before": look.before or None,
                "standing": to_document(look.standing),
                "added": look.added,
                "waiting": look.waiting,
                "notes": list(look.notes),
                "problems": [problem.as_dict() for problem in look.problems],
            }
            for look in looks
        ],
        "fresh": added.to_dict() if added is not None else None,
        "notices": to_document(list(notices)),
        "asks": asks,
        "exit_code": _code(looks),
    }


def _lines(looks: Sequence[Any], screen: Terminal) -> list[Line]:
    if not looks:
        return ["Nothing here can be watched. Make a specialist: metier make --data FILE"]
    lines: list[Line] = []
    for look in looks:
        lines += [*_look_lines(look, screen), Text()]
    lost = [look.name for look in looks if look.standing.state not in ROUTED]
    if lost:
        return [*lines, Text(f"Hop to another base: metier hop {lost[0]} --every-new-base")]
    return [*lines, Text(f"Add fresh items: metier watch {looks[0].name} --fresh FILE")]


def _look_lines(look: Any, screen: Terminal) -> list[Line]:
    standing: Standing = look.standing
    title = Text(standing.name, style="bold")
    title.append_text(Text(f"  {standing.state}", style=_STYLES[standing.state]))
    doubt = standing.suspect and standing.state in ROUTED
    since = f" since {date(standing.since)}"
    moved = f", was {look.before}" if look.before not in ("", standing.state) else ""
    title.append_text(Text(f"{since}{moved}" + (", suspect" if doubt else "")))
    width = min(screen.width, _PROSE)
    lines: list[Line] = [title, *_indented(standing.why, width)]
    if standing.tracks:
        lines += track_lines(standing.tracks, screen.signs)
    told = [f"{counted(look.added, 'new pair')}." if look.added else "No new pair."]
    if look.waiting:
        told.append(
            f"{counted(look.waiting, 'pair')} from feedback wait: people speak up when it is "
            "wrong, so these count only in the proportion that the eval has."
        )
    lines += _indented(" ".join(told), width)
    for note in look.notes:
        lines += _indented(f"{note}.", width)
    for problem in look.problems:
        said = " ".join(filter(None, (problem.message, problem.remedy)))
        lines += _indented(f"Could not ask: {said}", width)
    return lines


def _indented(said: str, width: int) -> list[Line]:
    return [Text("  ") + line for line in wrapped(shown_text(said), width - 2)]


def track_lines(tracks: Sequence[Track], signs: Signs) -> list[Text]:
    """Tracks as rows: against whom, on what, by how much, and what it says in words."""
    header: list[Line] = [
        Text(title, style="dim")
        for title in ("against", "items", "pairs", "for, against", "points", "95 %", "it says")
    ]
    rows: list[list[Line]] = [header]
    for track in tracks:
        rival = shown_text(track.rival_name)
        rows.append(
            [
                f"{track.rival}: {rival if len(rival) <= 32 else rival[:31] + signs.cut}",
                "fresh" if track.fresh else "all",
                count(track.pairs),
                f"{count(track.wins)}, {count(track.losses)}",
                points(track.difference) if track.pairs else "",
                f"{points(track.low)} to {points(track.high)}" if track.pairs else "",
                track_words(track),
            ]
        )
    return aligned(rows, "llrrrll", indent=2)


def track_words(track: Track) -> str:
    """What the e-values of a track say; how many pairs it takes where they say nothing yet."""
    if track.for_it >= _SHOWN:
        return f"better ({odds(track.for_it)})"
    if track.against_it >= _SHOWN:
        return f"worse ({odds(track.against_it)})"
    if track.not_worse >= _SHOWN:
        return f"not worse ({odds(track.not_worse)})"
    if track.needed is None:
        return "open"
    more = max(1, track.needed - track.pairs)
    return f"open: about {count(more)} more"


def odds(value: float) -> str:
    """An e-value for people: how many to one the evidence stands."""
    if value >= 1e6:
        return f"10^{math.floor(math.log10(value))} to 1"
    return f"{count(round(value))} to 1"


def _added_lines(added: Any, width: int) -> list[Line]:
    told = [f"{counted(added.added, 'fresh item')} of {counted(added.rows, 'row')} sealed."]
    if added.leaked:
        told.append(f"{counted(added.leaked, 'row')} refused: in the training or eval rows.")
    if added.repeated:
        told.append(f"{counted(added.repeated, 'row')} left out: their text was there before.")
    if added.future:
        told.append(f"{counted(added.future, 'row')} refused: dated after today.")
    if added.undated:
        told.append(f"{counted(added.undated, 'item')} without a date count from today.")
    if added.old:
        told.append(
            f"{counted(added.old, 'item')} older than the specialist: they count as old ones."
        )
    if not added.training_seen:
        told.append("Its training rows are not here: nobody looked for these items in them.")
    if not added.eval_seen:
        told.append("Its sealed eval is not here: nobody looked for these items in it.")
    lines: list[Line] = list(wrapped(" ".join(told), min(width, _PROSE)))
    for row, why, text in added.examples[:5]:
        lines.append(Text(f"  row {row}, {why}: {shown_text(text)}", style="dim"))
    return lines
