"""The two ways in: standard input and output, and HTTP on this machine.

It knows transports only. Over HTTP the SDK checks Host and Origin, so that a page of another
origin cannot reach it; further protection (a key, another address) is the server's, which mounts
``http_app``.
"""

from __future__ import annotations

import socket
from typing import Any

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from metier.errors import UnavailableError
from metier.mcp.tools import Facade, create_server

PATH = "/mcp"


def serve_stdio(metier: Facade) -> None:
    """Answer one client over standard input and output until it hangs up."""
    anyio.run(create_server(metier).run_stdio_async)


def serve_http(metier: Facade, port: int) -> None:
    """Serve over HTTP on this machine until Ctrl-C.

    Raises:
        UnavailableError: The port is taken (code ``port_taken``).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise UnavailableError(
                f"Port {port} cannot be used: {error.strerror}.",
                code="port_taken",
                remedy="Choose another port.",
            ) from error
        config = uvicorn.Config(http_app(metier), log_level="warning", lifespan="on")
        uvicorn.Server(config).run(sockets=[listener])


def http_app(metier: Facade, *, guarded: bool = False) -> Starlette:
    """The protocol's streamable HTTP under ``/mcp``, without sessions.

    Args:
        metier: What answers.
        guarded: Whether a server around it checks Host and Origin already; by itself it answers
            to the names of this machine only.
    """
    names = ["127.0.0.1", "localhost", "[::1]"]
    allowed = [*names, *(f"{name}:*" for name in names)]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=not guarded,
        allowed_hosts=allowed,
        allowed_origins=[f"http://{name}" for name in allowed],
    )
    server: Any = create_server(metier)
    app: Starlette = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, transport_security=security
    )
    return app
