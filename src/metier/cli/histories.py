"""``metier history``: general models by date against a specialist, in a terminal.

It shows the best so far, the spread by month and the day of overtaking, and takes in what others
recorded. It computes no statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.failures import print_json
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.terminal import Line, Signs, aligned, shown_text, wrapped
from metier.cli.wording import count, date, percent
from metier.history.telling import caption, cautions, sentence
from metier.overtaking import Month, Point, Timeline

_PROSE = 92
_BAR = 24


@click.command(
    "history",
    short_help="Show general models by date against a specialist.",
    epilog="Examples: metier history banking-intents. "
    "metier history sveltekit --take svelte-bench.",
)
@click.argument("name", shell_complete=complete_names)
@click.option(
    "--take",
    "record",
    metavar="RECORD",
    help="Take in answers that others recorded: svelte-bench. Fetched at its commit, or found in "
    "METIER_MIRROR by its digest.",
)
@json_option
@click.pass_obj
def history(session: Session, name: str, record: str | None, as_json: bool) -> int:
    """Show when general models passed NAME: the best so far, the spread, the day of overtaking.

    What others recorded is marked so: it was not measured here, proves nothing and routes nothing.
    """
    metier = session.metier
    if record is None:
        found = metier.timelines.of(name)
    else:
        with working(quiet=as_json) as shown:
            found = metier.timelines.take(name, record, report=shown.report)
    if as_json:
        print_json({"name": name, "timelines": [_document(one) for one in found]})
        return 0
    screen = terminal.stdout()
    if not found:
        known = ", ".join(metier.timelines.known())
        screen.write(
            [
                f"Nothing is known of general models beside {shown_text(name)} yet.",
                Text(f"metier eval {name} --on {name} --against general   measures one", "dim"),
                Text(f"metier history {name} --take RECORD   takes in: {known}", "dim"),
            ]
        )
    for one in found:
        screen.write(_lines(one, screen.width, screen.signs))
    return 0


def _document(one: Timeline) -> dict[str, object]:
    return {
        **asdict(one),
        "sentence": sentence(one),
        "caption": caption(one),
        "cautions": cautions(one),
    }


def _lines(one: Timeline, width: int, signs: Signs) -> list[Line]:
    prose = min(width, _PROSE)
    lines: list[Line] = [Text(f"{one.subject} on {shown_text(one.eval)}", style="bold")]
    lines += wrapped(sentence(one, shown_text), prose)
    if one.best:
        lines += [Text(), Text("Best general model so far", style="dim")]
        lines += aligned([_best(point) for point in one.best], "lrll", indent=2)
    if len(one.months) > 1:
        lines += [Text(), Text("General models by month: least, middle half, most", style="dim")]
        lines += aligned(_months(one.months, signs), "lrlr", indent=2)
    lines.append(Text())
    for said in (caption(one, shown_text), *cautions(one, shown_text)):
        lines += wrapped(said, prose)
    if one.measure:
        lines.append(Text(f"Measure it:  {one.measure}", style="dim"))
    return lines


def _best(point: Point) -> list[Line]:
    ends = f"{100 * point.low:.1f} to {100 * point.high:.1f}"
    told = ", recorded elsewhere" if point.recorded else ""
    return [date(point.date), percent(point.score), f"({ends})", shown_text(point.name) + told]


def _months(months: Sequence[Month], signs: Signs) -> list[list[Line]]:
    return [
        [
            month.month,
            count(month.systems),
            _spread(month, signs),
            f"median {percent(month.median)}",
        ]
        for month in months
    ]


def _spread(month: Month, signs: Signs) -> str:
    """Least to most as a thin line, the middle half as a thick one, 0 to 100 %."""
    cells = []
    for place in range(_BAR):
        middle = (place + 0.5) / _BAR
        if month.lower - 0.5 / _BAR <= middle <= month.upper + 0.5 / _BAR:
            cells.append(signs.bar)
        else:
            cells.append(signs.level if month.lowest <= middle <= month.highest else " ")
    return "".join(cells)
