"""``metier eval``, ``compare`` and ``check-eval``: what a specialist proves on an eval.

It shows scores and evidence and turns a LOSS into exit code 1. It computes no statistics.
"""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from metier.card import Evidence, Verdict
from metier.cli import terminal
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.findings import finding_lines
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.sheet import evidence_lines
from metier.cli.terminal import Line, aligned, wrapped
from metier.cli.wording import counted, percent, span, verdict_sentence


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
    with working(quiet=as_json) as report:
        found = session.metier.evaluate(name, on=on, against=against, report=report)
    if as_json:
        print_json({"name": name, "on": on, "report": to_document(found)})
    else:
        screen = terminal.stdout()
        rows: list[list[Line]] = [
            [
                Text(score.metric.replace("_", " "), style="dim"),
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
    evidence = session.metier.compare(first, second, on=on)
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
    lines += evidence_lines([evidence], screen.width, screen.signs)
    screen.write([*lines, Text(), *wrapped(verdict_sentence(evidence), screen.width)])
    return _code([evidence])


@click.command("check-eval", short_help="Check an eval before trusting it.")
@click.argument("eval_name", metavar="EVAL")
@json_option
@click.pass_obj
def check_eval(session: Session, eval_name: str, as_json: bool) -> int:
    """Check an eval: its items, labels, duplicates and what it could show.

    Exit code 1 says that it has problems.
    """
    found = session.metier.check_eval(eval_name)
    if as_json:
        print_json(to_document(found))
    else:
        screen = terminal.stdout()
        screen.write(finding_lines(found, screen.width))
    return DID_NOT_PASS if found.get("problems") else 0


def _code(evidence: Sequence[Evidence]) -> int:
    lost = any(item.difference.verdict is Verdict.LOSS for item in evidence)
    return DID_NOT_PASS if lost else 0
