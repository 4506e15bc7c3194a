"""``metier run`` with a document pack: a question, answered with passages and where they stand.

It shows what a search found; it asks no model that writes.
"""

from __future__ import annotations

from metier.assembly import Metier
from metier.cli import terminal
from metier.cli.citing import passage_document, passage_lines
from metier.cli.failures import print_json

TOP = 5


def look_up(metier: Metier, name: str, question: str, *, top: int | None, as_json: bool) -> None:
    """Show the passages that answer a question."""
    passages = metier.search(name, question, top=top or TOP)
    if as_json:
        documents = [passage_document(passage) for passage in passages]
        print_json({"name": name, "query": question, "passages": documents})
        return
    screen = terminal.stdout()
    if not passages:
        screen.write([f"{name} has nothing on this."])
        return
    screen.write(passage_lines(passages, screen.width))
