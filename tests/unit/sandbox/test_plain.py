"""A worker of our own: started, answered, ended; on every system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from metier.errors import InputError, UnavailableError
from metier.sandbox.plain import plain
from metier.sandbox.values import Limits

SCRIPT = """
import os
for _ in os.fdopen(int(os.environ['METIER_REQUESTS'])):
    names = ' '.join(sorted(set(os.environ) - {'METIER_REQUESTS', 'METIER_REPLIES', 'LC_CTYPE'}))
    os.write(int(os.environ['METIER_REPLIES']), f'{os.getcwd()} {names}\\n'.encode())
"""


def test_it_gets_its_folder_and_its_environment(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT]
    with plain(command, folder=tmp_path, environment={"A": "b"}) as running:
        running.send(b"go")
        assert running.receive(seconds=10) == f"{tmp_path} A PATH".encode()


def test_it_ends_with_its_children() -> None:
    script = "import os, time; os.fork(); time.sleep(60)"
    running = plain([sys.executable, "-c", script], limits=Limits(seconds=0.3))
    running.send(b"never read")
    with pytest.raises(UnavailableError) as caught:
        running.receive(seconds=20)
    assert caught.value.code == "sandbox_timeout"
    assert running.close().status == 137


def test_errors() -> None:
    with pytest.raises(InputError):
        plain([])
    with pytest.raises(UnavailableError) as caught:
        plain(["/does/not/exist"])
    assert caught.value.code == "sandbox_start"
