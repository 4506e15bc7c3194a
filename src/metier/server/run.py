"""Binds a port and serves.

It knows sockets and uvicorn; it does not know commands or terminals: what is to be said to a
person goes through ``ready``.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvicorn

from metier.errors import InputError, UnavailableError
from metier.server.app import create_app
from metier.server.facade import Facade, Pages
from metier.server.guard import check_binding

DEFAULT_PORT = 11434


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server answers.

    Attributes:
        host: The address that is bound.
        port: The port that is bound.
        wanted_port: The port that was asked for; another one where that was taken.
    """

    host: str
    port: int
    wanted_port: int

    @property
    def url(self) -> str:
        """What to open or call on this machine."""
        name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{name}:{self.port}"


def bind(host: str, port: int, *, other_port: bool = True) -> tuple[socket.socket, Address]:
    """A listening socket.

    Args:
        host: Address or name of this machine.
        port: 0 for any free one.
        other_port: Take a free port when ``port`` is taken, instead of giving up.

    Raises:
        InputError: The address is not this machine's, or the port is not allowed.
        UnavailableError: The port is taken and ``other_port`` is false.
    """
    try:
        family, _, _, _, target = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, OverflowError) as error:
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
            if other_port and port:
                again, address = bind(host, 0, other_port=False)
                return again, Address(host, address.port, port)
            raise UnavailableError(
                f"Port {port} is taken by another program.",
                code="port_taken",
                remedy="Give another one with --port, or 0 for any free one.",
            ) from error
        raise InputError(
            f"{host}:{port} cannot be bound: {error.strerror}.",
            remedy="Use 127.0.0.1 and a port above 1023.",
        ) from error
    except OverflowError as error:
        listener.close()
        raise InputError(f"{port} is not a port.", remedy="Use a port from 1 to 65535.") from error
    return listener, Address(host, listener.getsockname()[1], port)


def serve(
    metier: Facade,
    pages: Pages,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    api_key: str | None = None,
    names: Sequence[str] = (),
    ready: Callable[[Address], None] | None = None,
    log_requests: bool = False,
) -> None:
    """Serve API and website until SIGINT or SIGTERM.

    Args:
        metier: What answers; see ``Facade``.
        pages: The website; see ``Pages``.
        host: The address to bind; anything but loopback needs a key.
        port: The port to bind; when it is taken another free one is used and ``ready`` is told.
        api_key: What callers must send as ``Authorization: Bearer``.
        names: Further names of this machine that the Host header may have.
        ready: Called once the server answers.
        log_requests: Whether each request is logged as one line of JSON.

    Raises:
        InputError: ``key_needed``, ``weak_key``, or an address that cannot be bound.
    """
    check_binding(host, api_key)
    listener, address = bind(host, port)
    app = create_app(
        metier,
        pages,
        api_key=api_key,
        host=host,
        port=address.port,
        names=names,
        log_requests=log_requests,
    )
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _Announcing(config, lambda: ready(address) if ready is not None else None)
    with listener:
        server.run(sockets=[listener])


class _Announcing(uvicorn.Server):
    """A uvicorn server that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()
