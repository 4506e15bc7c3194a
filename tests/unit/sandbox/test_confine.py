"""The confining program, run as one: what it grants, what it reports, when it ends.

It runs in processes of its own; attacks on it stand in ``tests/contract``.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from metier.sandbox import confine
from metier.sandbox.confining import Request
from metier.sandbox.landlock import FIRST_VERSION, Locking, _fill
from metier.sandbox.launching import contents
from metier.sandbox.values import Limits

NEEDS = pytest.mark.skipif(
    confine.landlock_version() < FIRST_VERSION, reason="this kernel has no Landlock of version 3"
)


def plan_for(folder: Path, command: list[str], life: int, version: int) -> dict[str, Any]:
    request = Request(tuple(command), {}, (), {}, Limits())
    _fill(folder, request, None)
    return Locking(os.uname().machine, version, as_root=False)._plan(request, folder, None, life)


def confined(plan: dict[str, Any], life: int) -> subprocess.Popen[bytes]:
    source = contents(json.dumps(plan).encode())
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(confine.__file__), str(source)],
        pass_fds=[source, life],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(source)
    os.close(life)
    return process


def run(folder: Path, *command: str, version: int = 7, **changes: Any) -> tuple[int, str, str]:
    life, hold = os.pipe()
    process = confined({**plan_for(folder, list(command), life, version), **changes}, life)
    out, err = process.communicate(timeout=60)
    os.close(hold)
    return process.returncode, out.decode(), err.decode()


@NEEDS
@pytest.mark.parametrize("version", range(3, max(confine.landlock_version(), 3) + 1))
def test_every_version_confines(version: int, tmp_path: Path) -> None:
    script = "echo in > file; cat file; cat /etc/passwd; kill -0 $PPID; exit 5"
    status, out, err = run(tmp_path, "/bin/sh", "-c", script, version=version)
    assert (status, out) == (5, "in\n")
    assert "cat: /etc/passwd: Permission denied" in err
    assert "kill" in err


@NEEDS
def test_signals_are_said_as_a_shell_does(tmp_path: Path) -> None:
    assert run(tmp_path, "/bin/sh", "-c", "kill -TERM $$")[0] == 143


@NEEDS
def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    status, _, err = run(tmp_path, "/usr/bin/does-not-exist")
    assert status == 126
    assert "does-not-exist" in err


@NEEDS
def test_what_the_kernel_refuses_is_said(tmp_path: Path) -> None:
    status, out, err = run(tmp_path, "/bin/echo", "never", handled=[1 << 60, 0, 0])
    assert (status, out) == (126, "")
    assert "landlock_create_ruleset: Invalid argument" in err


@NEEDS
def test_everything_ends_when_life_does(tmp_path: Path) -> None:
    life, hold = os.pipe()
    script = "sleep 60 & echo ready; wait"
    process = confined(plan_for(tmp_path, ["/bin/sh", "-c", script], life, 7), life)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.close(hold)
    assert process.wait(20) == 137
    process.communicate()


def test_a_refusal_becomes_an_error() -> None:
    confine.ctypes.set_errno(errno.EPERM)
    with pytest.raises(PermissionError, match="prctl"):
        confine._checked("prctl", -1)
    assert confine._checked("prctl", 3) == 3
