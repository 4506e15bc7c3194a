"""Binding and serving: ports that are taken, addresses that are not ours, a whole process."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest

from metier.errors import InputError, UnavailableError
from metier.server.run import bind

ROOT = Path(__file__).resolve().parents[3]


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as first, pytest.raises(UnavailableError) as caught:
        bind("127.0.0.1", first.getsockname()[1])
    assert caught.value.code == "port_taken"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("no such host", 0), ("127.0.0.1", 70_000)]
)
def test_an_address_that_is_not_ours_is_refused(host: str, port: int) -> None:
    with pytest.raises(InputError) as caught:
        bind(host, port)
    assert caught.value.remedy


def test_a_port_is_bound_and_given_back() -> None:
    with bind("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        socket.create_connection(address, timeout=2).close()
    with bind("127.0.0.1", address[1]):
        assert address[0] == "127.0.0.1"


def test_a_process_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    program = f"""
        import pathlib
        from stand_in.metier import StandIn
        from metier.server import serve
        from metier.site import Site
        serve(StandIn(pathlib.Path({str(tmp_path)!r})), Site(), port={port},
              ready=lambda: __import__("sys").stdout.write("ready\\n") and
              __import__("sys").stdout.flush())
    """
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "PATH": ""},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        process.terminate()
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode in (0, -15)
    assert errors == ""
