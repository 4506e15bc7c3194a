"""Binds a port and serves.

It knows sockets and uvicorn; it does not know commands or terminals: what is to be said to a
person goes through ``ready``.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from metier.errors import InputError, UnavailableError
from metier.server.app import create_app
from metier.server.facade import Facade, Pages
from metier.server.finding import warm
from metier.server.guard import check_binding

DEFAULT_PORT = 11434
_PATIENCE = 5.0
"""Seconds that the end waits for what was read in at the start."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one.

    Raises:
        InputError: The address is not this machine's, or the port is not allowed.
        UnavailableError: The port is taken (``port_taken``).
    """
    if not 0 <= port <= 65_535:
        raise InputError(f"{port} is not a port.", remedy="Use a port from 1 to 65535.")
    try:
        family, _, _, _, target = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise InputError(
            f"{host}:{port} is not an address of this machine.",
            remedy="Use 127.0.0.1 and a port from 1 to 65535.",
        ) from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UnavailableError(
                f"Port {port} is taken by another program.",
                code="port_taken",
                remedy="Give another one with --port, or 0 for any free one.",
            ) from error
        raise InputError(
            f"{host}:{port} cannot be bound: {error.strerror}.",
            remedy="Use 127.0.0.1 and a port above 1023.",
        ) from error
    return listener


def serve(  # noqa: PLR0913  one argument per setting of a server
    metier: Facade,
    pages: Pages,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    api_key: str | None = None,
    names: Sequence[str] = (),
    ready: Callable[[], None] | None = None,
    log_requests: bool = False,
    agents: Callable[[], Any] | None = None,
    home: Path | None = None,
) -> None:
    """Serve API and website until SIGINT or SIGTERM.

    Args:
        metier: What answers; see ``Facade``.
        pages: The website; see ``Pages``.
        host: The address to bind; anything but loopback needs a key.
        port: The port to bind.
        api_key: What callers must send as ``Authorization: Bearer``.
        names: Further names of this machine that the Host header may have.
        ready: Called once the server answers.
        log_requests: Whether each request is logged as one line of JSON.
        agents: Makes the application under ``/mcp``; see ``create_app``.
        home: Where jobs are kept; see ``create_app``.

    Raises:
        InputError: ``key_needed``, ``weak_key``, or an address that cannot be bound.
        UnavailableError: The port is taken.
    """
    check_binding(host, api_key)
    with bind(host, port) as listener:
        app = create_app(
            metier,
            pages,
            api_key=api_key,
            host=host,
            port=listener.getsockname()[1],
            names=names,
            log_requests=log_requests,
            agents=agents,
            home=home,
        )
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        warming = threading.Thread(target=warm, args=(metier, pages, address), daemon=True)

        def started() -> None:
            warming.start()
            if ready is not None:
                ready()

        server_for(app, started).run(sockets=[listener])
        if warming.ident is not None:
            warming.join(_PATIENCE)


def server_for(app: FastAPI, ready: Callable[[], None] | None = None) -> uvicorn.Server:
    """A server for ``app``, to be run on a socket of ``bind``; ``ready`` as in ``serve``."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
    )
    return _Announcing(config, ready)


class _Announcing(uvicorn.Server):
    """A uvicorn server that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self._ready is not None:
            self._ready()
