"""The command reference, written from the command definitions.

``python -m metier.cli.reference > docs/reference/cli.md`` writes it; a test fails when the file and
the definitions differ. It knows click's parameters and no command by name.
"""

from __future__ import annotations

import click

from metier.cli.program import COMMANDS, program

_OPENING = """# The command line

This page is written from the command definitions: `python -m metier.cli.reference`.

Every command takes `--json`: it prints one JSON document on stdout and nothing else; an error is
`{"error": {"message", "code", "remedy", "retryable", "details"}, "exit_code"}`. Progress and notes
go to stderr. Colour only on a terminal that has it; `NO_COLOR` is honoured. `METIER_DEBUG=1` or
`metier --debug COMMAND` shows the traceback of an error.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it did not pass: a LOSS, a failed verify |
| 2 | your input |
| 3 | the network or a peer |
| 4 | ours: a defect of Metier, or the disk |
| 130 | interrupted |
| 141 | the reader of stdout went away |
"""


def reference() -> str:
    """The whole page as Markdown."""
    parts = [_OPENING, _summary()]
    with click.Context(program, info_name="metier", **program.context_settings) as root:
        for name in COMMANDS:
            command = program.get_command(root, name)
            if command is not None:
                parts += _sections(name, command, root)
    return "\n".join(parts)


def _summary() -> str:
    rows = [f"| [`{name}`](#metier-{name}) | {entry.summary} |" for name, entry in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows, ""])


def _sections(name: str, command: click.Command, root: click.Context) -> list[str]:
    """The section of a command; of a group its own and one for each of its commands."""
    if not isinstance(command, click.Group):
        return [_section(name, command, root)]
    told = [_section(name, command, root)]
    for inner in command.list_commands(root):
        told.append(_section(f"{name} {inner}", command.commands[inner], root))
    return told


def _section(name: str, command: click.Command, root: click.Context) -> str:
    with click.Context(command, info_name=name, parent=root) as ctx:
        usage = " ".join(command.collect_usage_pieces(ctx))
        records = [
            record
            for parameter in command.get_params(ctx)
            if (record := parameter.get_help_record(ctx)) is not None
        ]
    lines = [f"## metier {name}", "", "```", f"metier {name} {usage}", "```", ""]
    lines += [_paragraphs(command.help or ""), ""]
    if records:
        lines += ["| option | meaning |", "|---|---|"]
    lines += [f"| `{_cell(left)}` | {_cell(right)} |" for left, right in records]
    if command.epilog:
        lines += ["", command.epilog]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    """Text in a table's cell, whose bars would end it."""
    return text.replace("\n", " ").replace("|", "\\|")


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


if __name__ == "__main__":
    click.echo(reference(), nl=False)
