"""Ports of this machine: which one is free, and who holds one that is not.

It opens sockets for a moment and looks into /proc (or asks lsof). It serves nothing.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

from metier.errors import InputError, UnavailableError

_NEIGHBOURS = 20


def free_port(host: str, wanted: int) -> int:
    """``wanted`` if nothing listens there, else the next free port, else any.

    Raises:
        InputError: The host is not an address of this machine (code ``bad_host``).
        UnavailableError: No port could be had (code ``no_port``).
    """
    nearby = [wanted + step for step in range(_NEIGHBOURS + 1) if wanted + step < 65_536]
    for port in [*nearby, 0]:
        found = _try(host, port)
        if found is not None:
            return found
    raise UnavailableError(f"No port of {host} is free.", code="no_port")


def _try(host: str, port: int) -> int | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
            return int(trial.getsockname()[1])
    except socket.gaierror as error:
        raise _bad_host(host) from error
    except PermissionError:
        return None
    except OSError as error:
        if error.errno in _NOT_HERE:
            raise _bad_host(host) from error
        return None


_NOT_HERE = (99, 49)
"""EADDRNOTAVAIL on Linux and macOS."""


def _bad_host(host: str) -> InputError:
    return InputError(
        f"{host!r} is not an address of this machine.",
        code="bad_host",
        remedy="Use --host 127.0.0.1, or 0.0.0.0 with --api-key-file.",
    )


def holder(port: int) -> str | None:
    """Who listens on ``port``, as ``name (process 123)``, or ``None`` if that cannot be seen."""
    if Path("/proc/net/tcp").exists():
        return _holder_in_proc(port)
    lsof = shutil.which("lsof")
    return None if lsof is None else _holder_by_lsof(lsof, port)


def _holder_in_proc(port: int) -> str | None:
    inodes = _listening(Path("/proc/net/tcp"), port) | _listening(Path("/proc/net/tcp6"), port)
    wanted = {f"socket:[{inode}]" for inode in inodes}
    if not wanted:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if _holds(process, wanted):
            return f"{_name(process)} (process {process.name})"
    return None


def _listening(table: Path, port: int) -> set[str]:
    """Inodes of the sockets that listen on ``port``; state 0A is LISTEN (proc_net_tcp(5))."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return set()
    return {
        row[9]
        for row in rows
        if len(row) > 9 and row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port
    }


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in wanted for link in (process / "fd").iterdir())
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"


def _holder_by_lsof(lsof: str, port: int) -> str | None:
    try:
        found = subprocess.run(
            [lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"^p(\d+)\nc(.+)$", found, re.MULTILINE)
    return f"{match.group(2)} (process {match.group(1)})" if match else None
