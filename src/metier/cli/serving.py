"""``metier up``: the API and the website from one process.

It finds a port, says where the site is and who holds the port that was asked for, and hands over
to the server. It answers no request itself.
"""

from __future__ import annotations

import logging
import webbrowser
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import click

from metier.cli import terminal
from metier.cli.failures import print_json
from metier.cli.parameters import Duration, json_option
from metier.cli.ports import holder
from metier.cli.presence import announce_presence, read_key, withdraw_presence
from metier.cli.progress import working
from metier.cli.rounds import Rounds, check_every
from metier.cli.session import Session
from metier.cli.terminal import Line
from metier.cli.wording import counted, duration
from metier.errors import InputError, UnavailableError
from metier.server import serve
from metier.version import __version__

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NEIGHBOURS = 20

Serve = Callable[[int, Callable[[], None]], None]
"""Serves on a port until it is stopped; calls back once it answers."""


@click.command(short_help="Serve the API and the website from one process.")
@click.option(
    "--port", type=click.IntRange(1, 65_535), metavar="N", default=11434, show_default=True
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Another one needs a key.")
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key that callers must send, in a file.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="A further name that this machine is called by; may be given again.",
)
@click.option(
    "--log-requests", is_flag=True, help="Write a line of JSON for each request to stderr."
)
@click.option(
    "--watch",
    "watch_every",
    type=Duration(),
    metavar="EVERY",
    help="Look after the specialists by itself: 1d, 6h. Off unless it is given; see metier watch.",
)
@click.option("--open", "open_page", is_flag=True, help="Open the site in a browser.")
@json_option
@click.pass_obj
def up(  # noqa: PLR0913  one argument per flag
    session: Session,
    port: int,
    host: str,
    api_key_file: Path | None,
    names: tuple[str, ...],
    log_requests: bool,
    watch_every: float | None,
    open_page: bool,
    as_json: bool,
) -> None:
    """Serve the API and the website until Ctrl-C.

    If the port is taken, whether it was named or not, the next free one is used, and the first
    lines say so.
    """
    key = None if api_key_file is None else read_key(api_key_file)
    if host not in _LOOPBACK and key is None:
        raise InputError(
            f"Listening on {host} lets others in and needs a key.",
            code="needs_key",
            remedy="Give --api-key-file FILE, or leave --host out to serve this machine only.",
        )
    watched = None if watch_every is None else check_every(watch_every)
    if log_requests:
        _log_to_stderr()
    with working(quiet=as_json) as shown:
        session.metier.install_starters(report=shown.report)

    def agents() -> object:
        from metier.mcp import http_app

        return http_app(session.metier, guarded=True)

    def serve_on(used: int, ready: Callable[[], None]) -> None:
        serve(
            session.metier,
            session.pages(),
            host=host,
            port=used,
            api_key=key,
            names=names,
            ready=ready,
            log_requests=log_requests,
            agents=agents,
            home=session.metier.settings.home,
        )

    def announce(used: int) -> None:
        address = f"http://{_in_address(host)}:{used}"
        announce_presence(session.metier.settings.home, address)
        _announce(session, address, asked=port, used=used, every=watched, as_json=as_json)
        if open_page:
            webbrowser.open(address)

    try:
        # Where Ctrl-C was ignored from the start, as in a script's background, it just returns.
        with suppress(KeyboardInterrupt), _watched(session, watched):
            serve_nearby(port, serve_on, announce)
    finally:
        withdraw_presence(session.metier.settings.home)
    if not as_json:
        click.echo("\nStopped.", err=True)


def serve_nearby(port: int, serve_on: Serve, announce: Callable[[int], None]) -> None:
    """Serve on ``port``, or on the next one that is free.

    Args:
        port: The port that was asked for.
        serve_on: Serves on a port; raises UnavailableError (code ``port_taken``) if it is taken.
        announce: Told the port once the server answers.

    Raises:
        UnavailableError: None of the next twenty ports is free either (code ``no_port``).
    """
    for used in range(port, min(port + _NEIGHBOURS, 65_535) + 1):

        def ready(used: int = used) -> None:
            announce(used)

        try:
            serve_on(used, ready)
        except UnavailableError as error:
            if error.code != "port_taken":
                raise
        else:
            return
    raise UnavailableError(
        f"Port {port} and the {_NEIGHBOURS} after it are taken.",
        code="no_port",
        remedy="Name another one with --port.",
    )


def _watched(session: Session, every: float | None) -> AbstractContextManager[object]:
    """What looks after the specialists while the server runs, if somebody asked for it."""
    if every is None:
        return nullcontext()

    def say(told: str) -> None:
        click.echo(told, err=True)

    return Rounds(session.metier.watching, every, say)


def _announce(
    session: Session, address: str, *, asked: int, used: int, every: float | None, as_json: bool
) -> None:
    taken_by = holder(asked) if used != asked else None
    if as_json:
        document = {"address": address, "port": used, "asked_port": asked}
        watch = None if every is None else {"every": every, "asks": session.metier.watching.asks()}
        print_json({**document, "asked_port_held_by": taken_by, "watch": watch})
        return
    made = [item for item in session.metier.list() if item.card is not None]
    names = [item.reference.familiar for item in made]
    lines: list[Line] = [f"Metier {__version__}"]
    if used != asked:
        lines.append(f"Port {asked} is taken by {taken_by or 'another program'}; using {used}.")
    lines += [f"  site  {address}", f"  API   {address}/docs", f"  MCP   {address}/mcp"]
    if every is not None:
        lines.append(f"  watch every {duration(every)}; asks {session.metier.watching.asks()}")
    lines.append(f"  {counted(len(names), 'specialist')}. Stop with Ctrl-C.")
    given = "--image FILE" if made and made[0].task == "classify-image" else '"your text"'
    lines.append(f"Try one:  metier run {names[0]} {given}" if names else "")
    terminal.stdout().write(line for line in lines if line)


def _log_to_stderr() -> None:
    """The lines of the access log, one for each request, and nothing around them."""
    log = logging.getLogger("metier.access")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _in_address(host: str) -> str:
    """The host as a browser on this machine can open it."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
