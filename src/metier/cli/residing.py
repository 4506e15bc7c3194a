"""``metier ps`` and ``metier stop``: what the running server holds in memory.

It finds the server by the file that ``metier up`` writes into the home folder and asks it over
HTTP, because models live in its process. It starts no server and loads nothing.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.failures import print_json
from metier.cli.parameters import json_option
from metier.cli.presence import read_key, read_presence
from metier.cli.session import Session
from metier.cli.terminal import Line, aligned
from metier.errors import InputError, NotFoundError, UnavailableError

_SECONDS = 10.0
_key_option = click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The server's key, if it has one.",
)


@click.command(short_help="List the models in memory.")
@_key_option
@json_option
@click.pass_obj
def ps(session: Session, api_key_file: Path | None, as_json: bool) -> None:
    """List the models that the running server holds in memory, the longest-lived first."""
    found = _ask(session, "GET", "/api/ps", None, api_key_file)["models"]
    if as_json:
        print_json({"models": found})
        return
    if not found:
        terminal.stderr().write(["No model is in memory."])
        return
    terminal.stdout().write(_table(found), cut=True)


@click.command(short_help="Take a model out of memory.")
@click.argument("name")
@_key_option
@json_option
@click.pass_obj
def stop(session: Session, name: str, api_key_file: Path | None, as_json: bool) -> None:
    """Take the model NAME out of the running server's memory once it answers nobody."""
    running = _ask(session, "GET", "/api/ps", None, api_key_file)["models"]
    names = [item["name"] for item in running]
    wanted = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
    if wanted not in names and name not in names:
        there = ", ".join(names) or "none"
        raise NotFoundError(f"{name!r} is not in memory; in memory: {there}.", code="not_running")
    body = {"model": name, "keep_alive": 0, "stream": False}
    _ask(session, "POST", "/api/generate", body, api_key_file)
    if as_json:
        print_json({"stopped": name})
    else:
        terminal.stderr().write([f"{name} leaves the memory."])


def _table(found: Sequence[dict[str, Any]]) -> list[Text]:
    heads = ("name", "size", "context", "base", "until")
    rows: list[Sequence[Line]] = [[Text(head, style="dim") for head in heads]]
    for item in found:
        details = item.get("details") or {}
        rows.append(
            [
                Text(str(item["name"]), style="bold"),
                f"{item.get('size', 0) / 1e6:,.0f} MB",
                f"{item.get('context_length', 0):,}",
                str(details.get("parent_model") or "-"),
                until(str(item.get("expires_at", "")), now=time.time()),
            ]
        )
    return aligned(rows, "lrrll")


def until(expires: str, *, now: float) -> str:
    """How long a model stays, in words.

    Args:
        expires: ISO date.
        now: Unix seconds.
    """
    try:
        left = datetime.fromisoformat(expires).timestamp() - now
    except (ValueError, OverflowError):
        return "not known"
    if left > 10 * 365 * 86_400:
        return "for ever"
    if left <= 0:
        return "leaving"
    if left < 90:
        return f"{left:.0f} s"
    return f"{left / 60:.0f} min" if left < 5400 else f"{left / 3600:.1f} h"


def _ask(
    session: Session, method: str, path: str, body: dict[str, Any] | None, key_file: Path | None
) -> dict[str, Any]:
    """One call of the running server.

    Raises:
        UnavailableError: None runs (``no_server``), or it fails.
        InputError: It wants a key (``needs_key``), or refuses what is asked.
    """
    address = read_presence(session.metier.settings.home)
    if address is None:
        raise UnavailableError(
            "No server runs over this home folder, so nothing is kept in memory.",
            code="no_server",
            remedy="Start one with: metier up",
        )
    headers = {"Content-Type": "application/json"}
    if key_file is not None:
        headers["Authorization"] = f"Bearer {read_key(key_file)}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data, headers, method=method)  # noqa: S310
    # Proxies of the environment are for other machines; this is our own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            document: dict[str, Any] = json.load(answer)
            return document
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error) from error
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"The server at {address} does not answer: {error}.", code="no_server", retryable=True
        ) from error


def _refused(error: urllib.error.HTTPError) -> InputError | UnavailableError:
    if error.code == 401:
        return InputError(
            "The server wants its key.", code="needs_key", remedy="Give --api-key-file FILE."
        )
    try:
        told = json.load(error).get("error", "")
    except ValueError:
        told = ""
    message = f"The server refuses: {told or error.reason}."
    if error.code < 500:
        return InputError(message, code="refused")
    return UnavailableError(message, code="server_failed", retryable=True)
