"""``metier import`` and ``export``: specialists as OCI layouts, models as GGUF files.

It names paths and says what came in or went out. The layout is the fleet's.
"""

from __future__ import annotations

from pathlib import Path

import click

from metier.cli import terminal
from metier.cli.documents import installed_document
from metier.cli.failures import print_json
from metier.cli.parameters import complete_names, json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.terminal import Line
from metier.cli.wording import size
from metier.errors import InputError, NotFoundError


@click.command("import", short_help="Import a specialist, or a GGUF file as a base.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="What to call it here.")
@click.option(
    "--projector",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="GGUF file of the part that sees pictures, beside a GGUF model.",
)
@json_option
@click.pass_obj
def import_path(
    session: Session, path: Path, name: str | None, projector: Path | None, as_json: bool
) -> None:
    """Import what PATH holds: an OCI layout, an encoder's folder, or a GGUF file as a base.

    Every byte is checked. A GGUF file is taken over with the shards beside it, without a second
    copy where the disk can.
    """
    for given in (path, projector):
        if given is not None and not given.exists():
            raise NotFoundError(f"There is no file or folder {str(given)!r}.", code="no_file")
    if path.is_file() and path.suffix.lower() == ".gguf":
        with working(quiet=as_json) as shown:
            shown.say(f"Taking in {path.name} ({size(path.stat().st_size)}).")
            items = [session.metier.fleet.import_gguf(path, name, projector=projector)]
    elif projector is not None:
        raise InputError("--projector goes with a GGUF file.", code="bad_usage")
    else:
        items = list(session.metier.import_path(path, name=name))
    if as_json:
        print_json({"imported": [installed_document(item, card=False) for item in items]})
        return
    lines: list[Line] = [
        f"Imported {item.reference.familiar} ({item.kind}, {size(item.size_bytes)})."
        for item in items
    ]
    if items:
        lines.append(f"Look at it:  metier show {items[0].reference.familiar}")
    terminal.stdout().write(lines)


@click.command(short_help="Export a specialist as an OCI layout, a model as a Modelfile.")
@click.argument("name", shell_complete=complete_names)
@click.option("--to", "directory", type=click.Path(path_type=Path), help="The folder.")
@click.option(
    "--modelfile",
    is_flag=True,
    help="Write a Modelfile with its GGUF files beside it; without --to print it.",
)
@json_option
@click.pass_obj
def export(
    session: Session, name: str, directory: Path | None, modelfile: bool, as_json: bool
) -> None:
    """Export NAME with its base as a complete OCI layout that other tools read."""
    if modelfile:
        _export_modelfile(session, name, directory, as_json=as_json)
        return
    if directory is None:
        raise click.UsageError("Missing option '--to'.")
    written = session.metier.export(name, directory)
    if as_json:
        print_json({"name": name, "path": str(written)})
        return
    lines = [f"Exported {name} to {written}.", f"Take it in elsewhere:  metier import {written}"]
    terminal.stdout().write(lines)


def _export_modelfile(
    session: Session, name: str, directory: Path | None, *, as_json: bool
) -> None:
    """The Modelfile on stdout, or in a folder with the files that it names."""
    from metier.assembly.modelfiles import export_modelfile, modelfile_text

    fleet = session.metier.fleet
    if directory is None:
        text = modelfile_text(fleet.show(name))
        print_json({"name": name, "modelfile": text}) if as_json else click.echo(text, nl=False)
        return
    written = export_modelfile(fleet, name, directory)
    if as_json:
        print_json({"name": name, "path": str(written)})
        return
    again = f"Make it again:  metier create NAME -f {written}"
    terminal.stdout().write([f"Wrote {written} and the files that it names.", again])
