"""``metier import`` and ``export``: specialists as OCI layouts.

It names paths and says what came in or went out. The layout is the fleet's.
"""

from __future__ import annotations

from pathlib import Path

import click

from metier.cli import terminal
from metier.cli.documents import installed_document
from metier.cli.failures import print_json
from metier.cli.parameters import complete_names, json_option
from metier.cli.session import Session
from metier.cli.terminal import Line
from metier.cli.wording import size
from metier.errors import NotFoundError


@click.command("import", short_help="Import a specialist from an OCI layout or archive.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="What to call it here.")
@json_option
@click.pass_obj
def import_path(session: Session, path: Path, name: str | None, as_json: bool) -> None:
    """Import what PATH holds: an OCI layout, as a folder or an archive. Every byte is checked."""
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {str(path)!r}.", code="no_file")
    items = session.metier.import_path(path, name=name)
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


@click.command(short_help="Export a specialist as an OCI layout.")
@click.argument("name", shell_complete=complete_names)
@click.option(
    "--to", "directory", required=True, type=click.Path(path_type=Path), help="The folder."
)
@json_option
@click.pass_obj
def export(session: Session, name: str, directory: Path, as_json: bool) -> None:
    """Export NAME with its base as a complete OCI layout that other tools read."""
    written = session.metier.export(name, directory)
    if as_json:
        print_json({"name": name, "path": str(written)})
        return
    lines = [f"Exported {name} to {written}.", f"Take it in elsewhere:  metier import {written}"]
    terminal.stdout().write(lines)
