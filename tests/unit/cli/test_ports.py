"""Ports: who listens is named with its process, as far as this machine shows it."""

from __future__ import annotations

import os
import socket

from metier.cli.ports import holder


def test_the_holder_of_a_port_is_named_with_its_process() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        told = holder(listener.getsockname()[1])
    assert told is not None
    assert told.endswith(f"(process {os.getpid()})")


def test_a_free_port_has_no_holder() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert holder(port) is None
