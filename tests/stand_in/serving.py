"""Runs a real server in a thread, on a free port of this machine, for as long as a test needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from metier.server import create_app
from metier.server.run import bind, server_for
from metier.site import Site


@contextmanager
def serving(metier: Any, **options: Any) -> Iterator[str]:
    """The address of a server for ``metier``; options are those of ``create_app``."""
    ready = threading.Event()
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        app = create_app(metier, Site(), port=port, **options)
        server = server_for(app, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert ready.wait(20), "the server did not start"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server did not stop"
