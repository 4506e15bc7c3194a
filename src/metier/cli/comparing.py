"""``metier compare``: two or more specialists on one eval, pair by pair, and where they differ.

It shows scores, groups, evidence and disagreements and turns a LOSS of the first of two into exit
code 1. It computes no statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from metier.card import Verdict
from metier.cli import terminal
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.sheet import bar_lines
from metier.cli.terminal import Line, aligned, shown_text, wrapped
from metier.cli.wording import (
    counted,
    milliseconds,
    percent,
    size,
    span,
    verdict_sentence,
)
from metier.errors import InputError

if TYPE_CHECKING:
    from metier.evals.contrast import Contrast, Disputed, Which

_KEPT = "The answers so far are kept. The same command goes on from there."
_WHICH = {"all": "all", "first": "first", "second": "second", "others": "others"}
_TEXT = 300


@click.command(
    short_help="Compare specialists on one eval.",
    epilog="Examples: metier compare triage-a triage-b --on triage-a. "
    "metier compare a b c --on a --items --which first.",
)
@click.argument(
    "names", metavar="FIRST SECOND...", nargs=-1, required=True, shell_complete=complete_names
)
@click.option("--on", "on", required=True, metavar="EVAL", help="The eval: a file or a name.")
@click.option("--items", is_flag=True, help="Show the questions on which they disagree.")
@click.option(
    "--which",
    type=click.Choice(tuple(_WHICH)),
    default="all",
    show_default=True,
    help="Of these questions: those that the first of two got right and the second wrong, the "
    "other way round, or those with other answers but the same outcome.",
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@json_option
@click.pass_obj
def compare(
    session: Session,
    names: tuple[str, ...],
    on: str,
    items: bool,
    which: Which,
    limit: int,
    as_json: bool,
) -> int:
    """Compare two or more specialists, question by question.

    What was answered before is not asked again. Exit code 1 says that FIRST of two lost.
    """
    if len(names) < 2:
        raise InputError(
            "One specialist cannot be compared.", code="bad_usage", remedy="Name two or more."
        )
    if len(names) == 2 and not items:
        return _two(session, *names, on=on, as_json=as_json)
    with (
        working(quiet=as_json) as shown,
        interruptible(shown.say, lambda: _KEPT) as cancelled,
    ):
        found = session.metier.comparing.measure(
            names, on=on, report=shown.report, cancelled=cancelled
        )
    from metier.evals.contrast import contrast, contrast_dict, disputed, disputed_dict

    whole = found.contrast or contrast(found.sides, on=on, date=found.date)
    disputes = (
        disputed(found.sides, sealed=found.sealed, labels=found.labels, which=which)
        if items
        else []
    )
    if as_json:
        document: dict[str, Any] = contrast_dict(whole)
        if items:
            document["disagreements"] = [disputed_dict(one) for one in disputes[:limit]]
            document["disagreements_in_all"] = len(disputes)
        print_json(document)
    else:
        screen = terminal.stdout()
        screen.write(_whole_lines(whole, screen.width))
        if items:
            screen.write(_dispute_lines(disputes, limit, screen.width))
    return _lost(whole, names)


def _two(session: Session, first: str, second: str, *, on: str, as_json: bool) -> int:
    """Two specialists, as a bar and a sentence."""
    evidence = session.metier.compare(first, second, on=on)
    code = DID_NOT_PASS if evidence.difference.verdict is Verdict.LOSS else 0
    if as_json:
        print_json({"evidence": to_document(evidence)})
        return code
    screen = terminal.stdout()
    rows: list[list[Line]] = [
        [
            Text(title, style="bold"),
            percent(score.value),
            span(score.interval) if score.interval else "",
        ]
        for title, score in ((first, evidence.score), (second, evidence.rival_score))
    ]
    lines = [*aligned(rows, "lrl"), Text()]
    lines += bar_lines([evidence], screen.width, screen.signs)
    screen.write([*lines, Text(), *wrapped(verdict_sentence(evidence), screen.width)])
    return code


def _whole_lines(whole: Contrast, width: int) -> list[Text]:
    """Systems by group, every pair, and how many comparisons were allowed for."""
    header: list[Line] = [
        Text(cell, style="dim")
        for cell in ("group", "", "score", "95 % interval", "ms/text", "size")
    ]
    rows = [header]
    for one in whole.systems:
        cost = one.cost
        rows.append(
            [
                str(one.group),
                Text(one.name, style="bold"),
                percent(one.score.value),
                span(one.score.interval) if one.score.interval else "",
                "" if cost.ms_per_text is None else milliseconds(cost.ms_per_text),
                "" if cost.size_bytes is None else size(cost.size_bytes),
            ]
        )
    lines = [*aligned(rows, "rlrlrr"), Text()]
    for pair in whole.pairs:
        apart = "told apart" if pair.apart else "not told apart"
        title = Text(f"{pair.first} against {pair.second}", style="bold")
        lines += [title + Text(f"  {apart}", style="dim")]
        lines += wrapped(verdict_sentence(pair.evidence), width, indent="  ")
    lines += [Text(), *wrapped(whole.method, width)]
    if whole.unlooked:
        told = ", ".join(whole.unlooked)
        lines += wrapped(f"Whether the eval leaked into training was not looked at: {told}.", width)
    return lines


def _dispute_lines(disputes: Sequence[Disputed], limit: int, width: int) -> list[Text]:
    lines = [Text(), Text(f"{counted(len(disputes), 'question')} of this kind", style="bold")]
    for one in disputes[:limit]:
        lines += [Text(), *wrapped(shown_text(one.text[:_TEXT]), width)]
        rows: list[list[Line]] = [["", Text("expected", style="dim"), shown_text(one.expected)]]
        for told in one.told:
            sign = "?" if told.right is None else "+" if told.right else "-"
            answer = "no answer" if told.answer is None else shown_text(told.answer)
            rows.append([sign, told.name, answer])
        lines += aligned(rows, "lll", indent=2)
    if len(disputes) > limit:
        lines += [Text(), Text(f"--limit {len(disputes)} shows all.")]
    return lines


def _lost(whole: Contrast, names: Sequence[str]) -> int:
    """Whether the first of two lost: the pair stands better first."""
    if len(names) != 2:
        return 0
    (pair,) = whole.pairs
    verdict = pair.evidence.difference.verdict
    lost = verdict is Verdict.WIN and pair.second == names[0]
    return DID_NOT_PASS if lost or (verdict is Verdict.LOSS and pair.first == names[0]) else 0
