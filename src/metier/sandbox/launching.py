"""How a kind of sandbox starts, measures and ends a process, said as values.

It knows what the keeper of a process needs from a kind of sandbox; it knows no kind.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Process = subprocess.Popen[bytes]

REQUESTS = "METIER_REQUESTS"
"""The environment variable that names the descriptor on which a process reads lines."""
REPLIES = "METIER_REPLIES"
"""The environment variable that names the descriptor on which a process writes lines."""


def nothing() -> None:
    """Nothing to tidy."""


def unattached(_: Process) -> None:
    """Nothing to attach to."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One process that is ready to be started.

    Attributes:
        command: Program and arguments as the operating system gets them.
        end: Kills the process and everything it started; may be called again.
        members: The numbers of the processes that count as the sandboxed ones.
        environment: The environment of the program itself (a launcher's, not the command's).
        inherited: Descriptors that the child keeps; ours are closed once it has started.
        stdin: A descriptor, closed likewise; ``None`` for the null device.
        folder: Working folder of the program, or ``None``.
        written: Bytes written into the working folder, where nothing else limits them.
        attach: Called once after the start, before anything else.
        tidy: Called once after the end, or if it could not be started.
    """

    command: tuple[str, ...]
    end: Callable[[Process], None]
    members: Callable[[Process], list[int]]
    environment: Mapping[str, str] = field(default_factory=dict)
    inherited: tuple[int, ...] = ()
    stdin: int | None = None
    folder: str | None = None
    written: Callable[[], int] | None = None
    attach: Callable[[Process], None] = unattached
    tidy: Callable[[], None] = nothing

    def close(self) -> None:
        """Close our copies of the descriptors."""
        for descriptor in (*self.inherited, *(() if self.stdin is None else (self.stdin,))):
            os.close(descriptor)

    def start(self) -> Process:
        """Start it; our descriptors stay open.

        Raises:
            OSError: The program is not there, or the system refuses another process.
        """
        return subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL if self.stdin is None else self.stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self.folder,
            env=dict(self.environment),
            pass_fds=self.inherited,
            start_new_session=True,
        )


@dataclass(frozen=True, slots=True)
class Channel:
    """The two pipes of a line protocol: the parent's ends and the child's ends."""

    send: int
    receive: int
    requests: int
    replies: int

    def environment(self) -> dict[str, str]:
        """How the process finds its ends."""
        return {REQUESTS: str(self.requests), REPLIES: str(self.replies)}


def open_channel() -> Channel:
    """Two new pipes."""
    requests, send = os.pipe()
    receive, replies = os.pipe()
    return Channel(send, receive, requests, replies)


def contents(data: bytes) -> int:
    """A descriptor from which the bytes can be read, at its beginning; the caller closes it."""
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            return os.dup(file.fileno())
    descriptor = os.memfd_create("metier", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
