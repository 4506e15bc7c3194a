"""``metier eval``, ``compare`` and ``check-eval``: what a specialist proves on an eval.

It shows scores and evidence and turns a LOSS into exit code 1. It computes no statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.text import Text

from metier.card import Evidence, Verdict
from metier.cli import terminal
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.sheet import bar_lines, evidence_lines
from metier.cli.terminal import Line, aligned, wrapped
from metier.cli.wording import count, counted, date, percent, span, verdict_sentence

_METRICS = {"macro_f1": "macro F1"}
_KEPT = "The answers so far are kept. The same command goes on from there."


@click.command("eval", short_help="Measure a specialist on an eval.")
@click.argument("name", shell_complete=complete_names)
@click.option("--on", "on", required=True, metavar="EVAL", help="The eval: a file or a name.")
@click.option(
    "--against",
    multiple=True,
    metavar="REF",
    help="A rival: majority, base, general or a name; again for more.",
)
@json_option
@click.pass_obj
def evaluate(session: Session, name: str, on: str, against: tuple[str, ...], as_json: bool) -> int:
    """Measure NAME on sealed questions, and against rivals on the same ones.

    Exit code 1 says that it lost to one of them.
    """
    with (
        working(quiet=as_json) as shown,
        interruptible(shown.say, lambda: _KEPT) as cancelled,
    ):
        found = session.metier.evaluate(
            name, on=on, against=against, report=shown.report, cancelled=cancelled
        )
    if as_json:
        print_json(found.to_dict())
    else:
        screen = terminal.stdout()
        rows: list[list[Line]] = [
            [
                Text(_METRICS.get(score.metric, score.metric), style="dim"),
                percent(score.value),
                span(score.interval) if score.interval else "",
                counted(score.n, "question"),
            ]
            for score in found.scores
        ]
        screen.write([Text(f"{name} on {on}", style="bold"), *aligned(rows, "lrlr", indent=2)])
        if found.evidence:
            screen.write([Text(), *evidence_lines(found.evidence, screen.width, screen.signs)])
    return _code(found.evidence)


@click.command(short_help="Compare two specialists on one eval.")
@click.argument("first", shell_complete=complete_names)
@click.argument("second", shell_complete=complete_names)
@click.option("--on", "on", required=True, metavar="EVAL", help="The eval: a file or a name.")
@json_option
@click.pass_obj
def compare(session: Session, first: str, second: str, on: str, as_json: bool) -> int:
    """Compare FIRST with SECOND, question by question.

    Exit code 1 says that FIRST lost.
    """
    evidence: Evidence = session.metier.compare(first, second, on=on)
    if as_json:
        print_json({"evidence": to_document(evidence)})
        return _code([evidence])
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
    return _code([evidence])


@click.command("check-eval", short_help="Check an eval before trusting it.")
@click.argument("eval_name", metavar="EVAL")
@json_option
@click.pass_obj
def check_eval(session: Session, eval_name: str, as_json: bool) -> None:
    """Check an eval: its questions, labels and repeats, and what it can show."""
    found = session.metier.check_eval(eval_name)
    if as_json:
        print_json(to_document(found))
        return
    screen = terminal.stdout()
    screen.write([Text(eval_name, style="bold"), *_eval_lines(found, screen.width)])


def _eval_lines(found: Mapping[str, Any], width: int) -> list[Text]:
    """What the eval holds, what it can show, and the warnings."""
    rarest, most = found["smallest_label"], found["largest_label"]
    rows: list[list[Line]] = [
        ["questions", f"{count(found['items'])} in {counted(found['clusters'], 'group')}"],
        ["labels", count(found["labels"])],
        ["rarest", f"{rarest[0]}, {counted(rarest[1], 'question')}"],
        ["most common", f"{most[0]}, {counted(most[1], 'question')}"],
        ["majority", f"{percent(found['majority_share'])} for always saying the most common"],
        ["repeats", f"{count(found['duplicate_items'])} repeat a text"],
        ["can show", _can_show(found)],
        ["fingerprint", found["fingerprint"]],
    ]
    if found["conflicting_items"]:
        told = f"{count(found['conflicting_items'])} under another label"
        rows.insert(6, ["", told])
    if found["dated"]:
        rows.insert(1, ["dated", f"{date(found['oldest'])} to {date(found['newest'])}"])
    titled = [[Text(str(title), style="dim"), said] for title, said in rows]
    lines = aligned(titled, "ll", indent=2)
    for warning in found["warnings"]:
        lines += wrapped(f"Warning: {warning}", width, indent="  ")
    return lines


def _can_show(found: Mapping[str, Any]) -> str:
    least, needed = found["detectable"]["0.1"], found["needed"]["0.01"]
    told = f"1 point takes {count(needed)} questions"
    if least < 1:
        told = f"{100 * least:.1f} points where 10 % of the answers differ; {told}"
    return told


def _code(evidence: Sequence[Evidence]) -> int:
    lost = any(item.difference.verdict is Verdict.LOSS for item in evidence)
    return DID_NOT_PASS if lost else 0
