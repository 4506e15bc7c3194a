"""``metier mcp``: specialists for coding agents, over the Model Context Protocol.

It chooses the way in, standard input and output or HTTP on this machine, and says how to connect.
What the protocol offers is ``metier.mcp``'s.
"""

from __future__ import annotations

import click

from metier.cli.failures import print_json
from metier.cli.parameters import json_option
from metier.cli.session import Session
from metier.errors import InputError


@click.command(short_help="Serve specialists to coding agents (MCP).")
@click.option(
    "--http",
    "port",
    type=click.IntRange(1, 65_535),
    metavar="PORT",
    help="Serve over HTTP on this machine instead of standard input and output.",
)
@json_option
@click.pass_obj
def mcp(session: Session, port: int | None, as_json: bool) -> None:
    """Let a coding agent search documents, check, explain and repair code, and ask specialists.

    An agent starts this command itself: see docs/how-to/use-with-coding-agents.md. While
    'metier up' runs, the same is served over HTTP under /mcp.
    """
    from metier.mcp import serve_http, serve_stdio

    # Standard output belongs to the protocol, so the first start's progress is not shown.
    session.metier.install_starters()
    if port is None and as_json:
        raise InputError(
            "--json goes with --http: without it standard output belongs to the protocol.",
            code="bad_usage",
            remedy="Leave --json out, or add --http PORT.",
        )
    if port is None:
        serve_stdio(session.metier)
        return
    address = f"http://127.0.0.1:{port}/mcp"
    if as_json:
        print_json({"address": address})
    else:
        click.echo(f"MCP at {address}; Ctrl-C ends it.", err=True)
    serve_http(session.metier, port)
