"""A worker of our own that only parses: the same lines and the same end, and no sandbox.

It knows how to start and end such a worker on every system. It must never be given a command that
executes what somebody else wrote: that is what :func:`metier.sandbox.detect` is for.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from metier.sandbox.confining import Request, converse
from metier.sandbox.launching import Launch, Process
from metier.sandbox.processes import descendants
from metier.sandbox.running import Running
from metier.sandbox.values import Limits, checked_command


def plain(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] = {},
    limits: Limits = Limits(),  # noqa: B008
) -> Running:
    """Start a worker for *our own code that only parses*, without a sandbox.

    It speaks the protocol of :class:`metier.sandbox.running.Running`. ``limits.seconds`` counts
    anew from each line that is sent; memory, processes and output are watched from outside (memory
    only where there is ``/proc``). The environment is what is given here and a PATH, nothing else.
    It ends when its pipes do: a worker reads lines until there are no more.

    Args:
        command: Program and arguments.
        folder: Its working folder, ``/`` if not given.
        environment: Names and values.
        limits: What it may use.

    Raises:
        InputError: ``bad_sandbox_command``.
        UnavailableError: ``sandbox_start``.
    """
    request = Request(tuple(checked_command(command)), {}, (), dict(environment), limits)

    def prepare(wish: Request) -> Launch:
        channel = {} if wish.channel is None else wish.channel.environment()
        return Launch(
            command=wish.command,
            end=_end,
            members=_members,
            environment={"PATH": os.defpath, **wish.environment, **channel},
            inherited=wish.descriptors,
            folder=str(folder or "/"),
        )

    return converse(prepare, request, clock=False, renewing=True)


def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _members(process: Process) -> list[int]:
    return [process.pid, *descendants(process.pid)]
