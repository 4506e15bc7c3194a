"""``metier eval``, ``compare`` and ``check-eval``: what a specialist proves on an eval.

It shows scores and evidence and turns a LOSS into exit code 1. It computes no statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import click
from rich.text import Text

from metier.card import Evidence, Verdict
from metier.cli import terminal
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import Duration, complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.sheet import evidence_lines
from metier.cli.tables import check_lines, kept_lines, table_lines
from metier.cli.terminal import Line, aligned, wrapped
from metier.cli.wording import count, counted, date, percent, span
from metier.errors import InputError
from metier.evals.tables import write_table

_METRICS = {"macro_f1": "macro F1"}
_KEPT = "The answers so far are kept. The same command goes on from there."
_PROVED = "What was proved so far is kept. The same command goes on from there."


class Choices(TypedDict):
    """The options of ``eval`` as click hands them over."""

    name: str
    on: str
    against: tuple[str, ...]
    bases: tuple[str, ...]
    parts: str | None
    samples: int | None
    budget: float | None
    fresh: bool
    target: Path | None
    as_json: bool


@click.command(
    "eval",
    short_help="Measure a specialist on an eval, or bases under it.",
    epilog="Examples: metier eval banking-intents --on banking-intents --against general. "
    "metier eval sveltekit --on svelte --base remote:a --base remote:b --with docs,tools.",
)
@click.argument("name", shell_complete=complete_names)
@click.option(
    "--on",
    "on",
    required=True,
    metavar="EVAL",
    help="The eval: a file, a specialist's name, an executed eval (svelte) or a folder of tasks.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="REF",
    help="A rival: majority, base, general, a specialist, or what writes (a model here, "
    "remote:NAME); of a chat specialist the last are asked alone. Again for more.",
)
@click.option(
    "--base",
    "bases",
    multiple=True,
    metavar="REF",
    help="For chat specialists what writes: remote:NAME or replay:FILE; again for more.",
)
@click.option(
    "--with",
    "parts",
    metavar="PARTS",
    help="Parts that are measured, alone and together: docs,tools,prompt.  [default: docs,tools]",
)
@click.option("--samples", type=click.IntRange(1, 1000), metavar="N", help="Answers to each task.")
@click.option("--budget", type=Duration(), help="Stop in time; the same command goes on: 10m, 2h.")
@click.option("--fresh", is_flag=True, help="Ask everything again.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the table there too, to be given away. It holds no answers.",
)
@json_option
@click.pass_obj
def evaluate(session: Session, /, **choices: Unpack[Choices]) -> int:
    """Measure NAME on sealed questions, and against rivals on the same ones.

    A chat specialist is measured over bases: each alone, with each part of the specialist, and
    with all of them, on tasks whose answers are executed. Exit code 1 says that it lost.
    """
    item = session.metier.show(choices["name"])
    if item.chat is not None:
        return _over_bases(session, choices)
    for option in ("bases", "parts", "samples", "fresh", "target", "budget"):
        if choices[option]:
            flag = {"bases": "base", "parts": "with", "target": "to"}.get(option, option)
            raise InputError(
                f"--{flag} is for chat specialists; {item.name!r} is of the task {item.task}.",
                code="bad_usage",
            )
    return _against_rivals(session, choices)


def _over_bases(session: Session, choices: Choices) -> int:
    metier, name, as_json = session.metier, choices["name"], choices["as_json"]
    bases = choices["bases"] or ((metier.settings.base,) if metier.settings.base else ())
    if not bases:
        known = ", ".join(f"remote:{service}" for service in metier.services())
        raise InputError(
            "No base is named.",
            code="no_base",
            remedy=f"Name one or more with --base; there are: {known or 'none yet'}. "
            f"Services stand in {metier.settings.services}.",
        )
    wanted = "docs,tools" if choices["parts"] is None else choices["parts"]
    parts = tuple(part.strip() for part in wanted.split(",") if part.strip())
    try:
        with (
            working(quiet=as_json) as shown,
            interruptible(shown.say, lambda: _KEPT) as cancelled,
        ):
            found = metier.tables.evaluate(
                name,
                on=choices["on"],
                bases=bases,
                with_=parts,
                against=[one for one in choices["against"] if one != "base"],
                samples=choices["samples"] or 1,
                budget=choices["budget"],
                fresh=choices["fresh"],
                report=shown.report,
                cancelled=cancelled,
            )
    finally:
        metier.close()
    if choices["target"] is not None:
        write_table(choices["target"], found.table)
    if as_json:
        print_json(found.to_dict())
    else:
        screen = terminal.stdout()
        screen.write(table_lines(found.table, found.findings, screen.width, screen.signs))
        screen.write(kept_lines(found.path, found.table, choices["target"]))
    whole = [row.added for row in found.findings.rows if len(row.parts) == len(parts) and row.added]
    return _code(whole)


def _against_rivals(session: Session, choices: Choices) -> int:
    name, on, as_json = choices["name"], choices["on"], choices["as_json"]
    with (
        working(quiet=as_json) as shown,
        interruptible(shown.say, lambda: _KEPT) as cancelled,
    ):
        found = session.metier.evaluate(
            name, on=on, against=choices["against"], report=shown.report, cancelled=cancelled
        )
    if as_json:
        print_json(found.to_dict())
        return _code(found.evidence)
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


@click.command("check-eval", short_help="Check an eval before trusting it.")
@click.argument("eval_name", metavar="EVAL")
@click.option("--fresh", is_flag=True, help="Prove references and mutants again.")
@json_option
@click.pass_obj
def check_eval(session: Session, eval_name: str, fresh: bool, as_json: bool) -> int:
    """Check an eval: its questions, labels and repeats, and what it can show.

    Of an executed eval every reference must pass and every mutant fail, on every toolchain that
    is installed. Exit code 1 says that one does not.
    """
    metier = session.metier
    try:
        with (
            working(quiet=as_json) as shown,
            interruptible(shown.say, lambda: _PROVED) as cancelled,
        ):
            found = metier.check_eval(
                eval_name, fresh=fresh, report=shown.report, cancelled=cancelled
            )
    finally:
        metier.close()
    sound = found.get("sound", True)
    screen = terminal.stdout()
    if as_json:
        print_json(to_document(found))
    elif "sound" in found:
        screen.write(check_lines(found, screen.width))
    else:
        screen.write([Text(eval_name, style="bold"), *_eval_lines(found, screen.width)])
    return 0 if sound else DID_NOT_PASS


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
