"""Who listens on a port of this machine.

It looks into /proc, or asks lsof where there is none. It opens no socket.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path


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
