"""``metier create``: a model from a Modelfile.

It finds the Modelfile and says what happened. What a Modelfile means, and what is refused, is the
assembly's matter.
"""

from __future__ import annotations

from pathlib import Path

import click

from metier.cli import terminal
from metier.cli.documents import installed_document
from metier.cli.failures import print_json
from metier.cli.parameters import json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.wording import size
from metier.messages import Progress


@click.command(short_help="Make a model from another by a Modelfile.")
@click.argument("name")
@click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The Modelfile; ./Modelfile if it is not given.",
)
@click.option(
    "--quantize",
    metavar="KIND",
    help="f16 (as it is without) or q8_0, for a Hugging Face folder that is converted.",
)
@json_option
@click.pass_obj
def create(
    session: Session, name: str, path: Path | None, quantize: str | None, as_json: bool
) -> None:
    """Make the model NAME from what a Modelfile says: FROM a model, a GGUF file or a folder.

    Relative paths start at the Modelfile. An adapter that belongs to another base is refused with
    the reason.
    """
    from metier.assembly.creating import create as make_model
    from metier.assembly.modelfiles import MODELFILE, order_of, read_modelfile

    source = path or Path(MODELFILE)
    modelfile = read_modelfile(source)
    order = order_of(modelfile, name, source.resolve().parent, quantize=quantize)
    told: list[str] = []
    with working(quiet=as_json) as shown:

        def report(sentence: str) -> None:
            told.append(sentence)
            shown.report(Progress(sentence, sentence))

        installed = make_model(session.metier.fleet, order, report=report)
    if as_json:
        document = installed_document(installed, card=False)
        print_json({**document, "notes": list(modelfile.notes), "said": told})
        return
    terminal.stderr().write(modelfile.notes)
    terminal.stdout().write(
        [
            f"Created {installed.name} ({installed.kind}, {size(installed.size_bytes)}).",
            f"Talk to it:  metier run {installed.name}",
        ]
    )
