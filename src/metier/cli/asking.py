"""``metier run``: ask a specialist.

It reads texts from arguments, a file or stdin and shows the answers, abstentions in words. It does
not know how an answer is found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.documents import prediction_document
from metier.cli.failures import print_json
from metier.cli.parameters import complete_names, json_option
from metier.cli.session import Session
from metier.cli.terminal import Line, aligned
from metier.cli.wording import counted, percent
from metier.errors import InputError, NotFoundError
from metier.messages import Prediction

_BATCH = 512
_TEXT_WIDTH = 60


@click.command(short_help="Ask a specialist.")
@click.argument("name", shell_complete=complete_names)
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Texts, one a line; - for stdin.",
)
@click.option(
    "--top", type=click.IntRange(min=1), metavar="N", help="How many labels to show.  [default: 3]"
)
@json_option
@click.pass_obj
def run(
    session: Session,
    name: str,
    texts: tuple[str, ...],
    source: Path | None,
    top: int | None,
    as_json: bool,
) -> None:
    """Ask the specialist NAME about one or more texts.

    Texts come from the command line, from --file, or from stdin with one text a line. Empty lines
    are left out.
    """
    if texts and source is not None:
        raise InputError("Texts and --file cannot be given together.", code="bad_usage")
    left_out: list[int] = []
    asked = iter(texts) if texts else _lines(source, left_out)
    metier = session.metier
    metier.show(name)
    documents = []
    shown = 0
    screen = terminal.stdout()
    while batch := list(islice(asked, _BATCH)):
        answers = metier.classify(name, batch, top=top or 3)
        if as_json:
            documents += [prediction_document(t, p) for t, p in zip(batch, answers, strict=True)]
        elif len(batch) == 1 and shown == 0:
            screen.write(_one(answers[0], top or 3))
        else:
            screen.write(_several(batch, answers, top or 1), cut=True)
        shown += len(batch)
    if shown == 0:
        raise InputError(
            "There is no text to ask about.",
            code="no_text",
            remedy=f'Write: metier run {name} "your text", or give a file with --file.',
        )
    if as_json:
        print_json({"name": name, "predictions": documents, "empty_lines": left_out})
    elif left_out:
        click.echo(f"{counted(len(left_out), 'empty line')} left out.", err=True)


def _lines(source: Path | None, left_out: list[int]) -> Iterator[str]:
    """The lines of a file or of stdin; the numbers of empty ones go to ``left_out``."""
    if source is None and sys.stdin.isatty():
        raise InputError(
            "There is no text to ask about.",
            code="no_text",
            remedy='Write: metier run NAME "your text", or give a file with --file.',
        )
    if source is None or str(source) == "-":
        yield from _filled(sys.stdin, "stdin", left_out)
        return
    try:
        with source.open(encoding="utf-8-sig") as file:
            yield from _filled(file, str(source), left_out)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {str(source)!r}.", code="no_file") from error
    except OSError as error:
        raise InputError(
            f"{str(source)!r} cannot be read: {error.strerror}.", code="no_file"
        ) from error


def _filled(lines: TextIO, where: str, left_out: list[int]) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text:
                yield text
            else:
                left_out.append(number)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where} is not UTF-8 near line {number + 1}.",
            code="bad_encoding",
            remedy="Convert it first, for instance with: iconv -f latin1 -t utf8.",
        ) from error


def _one(prediction: Prediction, top: int) -> list[Text]:
    """One answer: a sentence if it abstains, then the labels with their probabilities."""
    lines = []
    if prediction.out_of_scope:
        lines.append(Text("Out of scope: unlike what it was made for. Nearest labels:"))
    elif prediction.abstained:
        lines.append(Text("No answer: not sure enough. Nearest labels:"))
    rows: list[Sequence[Line]] = []
    for index, (label, probability) in enumerate(prediction.scores[:top]):
        style = "bold" if index == 0 and not prediction.abstained else "dim"
        rows.append([Text(label, style=style), percent(probability)])
    return [*lines, *aligned(rows, "lr", indent=2 if lines else 0)]


def _several(texts: Iterable[str], predictions: Sequence[Prediction], top: int) -> list[Text]:
    rows: list[Sequence[Line]] = []
    for text, prediction in zip(texts, predictions, strict=True):
        label = prediction.label if prediction.label is not None else _silence(prediction)
        style = "bold" if prediction.label is not None else "dim"
        others = ", ".join(f"{other} {percent(share)}" for other, share in prediction.scores[1:top])
        cells: list[Line] = [Text(label, style=style), percent(prediction.probability)]
        if top > 1:
            cells.append(Text(others, style="dim"))
        rows.append([*cells, text])
    return aligned(rows, "lrll" if top > 1 else "lrl")


def _silence(prediction: Prediction) -> str:
    why = "out of scope" if prediction.out_of_scope else "not sure"
    return f"no answer, {why} ({prediction.best})"
