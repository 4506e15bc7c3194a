"""The sandbox as its users see it: run a command to its end, or start one and talk to it.

It knows the order of things that every kind shares; the kinds themselves are handed to it as a
function that prepares a launch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from metier.errors import UnavailableError
from metier.sandbox.keeping import Keeper
from metier.sandbox.launching import Channel, Launch, contents, open_channel
from metier.sandbox.running import Running
from metier.sandbox.talking import Talking
from metier.sandbox.values import (
    Finished,
    Kind,
    Limits,
    Place,
    checked_command,
    checked_files,
    checked_place,
)


@dataclass(frozen=True, slots=True)
class Request:
    """One checked wish to run something.

    Attributes:
        command: Program and arguments as the process sees them.
        files: What lies in the working folder, by relative path.
        places: What may be read besides the system's own folders.
        environment: The whole environment beside the few names that every sandbox sets.
        limits: What it may use.
        stdin: A descriptor to read from, or ``None``.
        channel: Pipes whose child's ends are handed over, or ``None``.
        listener: Whether it may listen on a local socket of its own.
    """

    command: tuple[str, ...]
    files: Mapping[str, bytes]
    places: tuple[Place, ...]
    environment: Mapping[str, str]
    limits: Limits
    stdin: int | None = None
    channel: Channel | None = None
    listener: bool = False

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The child's ends of the channel."""
        return () if self.channel is None else (self.channel.requests, self.channel.replies)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A way to run untrusted code on this machine; made by :func:`metier.sandbox.detect`.

    Attributes:
        kind: ``bubblewrap`` or ``landlock``.
        contains: What the code cannot do, a sentence each.
        does_not_contain: What it still can do, a sentence each.
        prepare: Turns a request into a launch, which takes over ``stdin`` and the channel's
            child ends.
    """

    kind: Kind
    contains: tuple[str, ...]
    does_not_contain: tuple[str, ...]
    prepare: Callable[[Request], Launch]

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        files: Mapping[str, str | bytes] = {},
        places: Sequence[Place] = (),
        environment: Mapping[str, str] = {},
        limits: Limits = Limits(),  # noqa: B008
    ) -> Finished:
        """Run a command to its end, or to its limits.

        Args:
            command: Program and arguments; a program without ``/`` is looked up in the sandbox.
            stdin: What it can read.
            files: What lies in its working folder, by relative path.
            places: What else it may read.
            environment: Names and values beside PATH, HOME, TMPDIR, LANG, USER and a few more.
            limits: What it may use.

        Raises:
            InputError: ``bad_sandbox_command``, ``bad_sandbox_file``, ``bad_sandbox_place``.
            UnavailableError: ``sandbox_start``: the system refused another process.
        """
        request = _request(command, files, places, environment, limits)
        source = contents(stdin) if stdin else None
        keeper = Keeper(_prepared(self.prepare, request, stdin=source), limits, clock=True)
        keeper.start()
        return keeper.wait()

    def start(
        self,
        command: Sequence[str],
        *,
        files: Mapping[str, str | bytes] = {},
        places: Sequence[Place] = (),
        environment: Mapping[str, str] = {},
        limits: Limits = Limits(),  # noqa: B008
        clock: bool = True,
    ) -> Running:
        """Start a command that answers lines; see :class:`metier.sandbox.running.Running`.

        Args:
            command: As for :meth:`run`.
            files: As for :meth:`run`.
            places: As for :meth:`run`.
            environment: As for :meth:`run`.
            limits: As for :meth:`run`.
            clock: Whether the wall clock runs at once; else from :meth:`Running.begin`.

        Raises:
            InputError: As :meth:`run`.
            UnavailableError: As :meth:`run`.
        """
        request = _request(command, files, places, environment, limits)
        return converse(self.prepare, request, clock=clock)

    def attend(
        self,
        command: Sequence[str],
        *,
        places: Sequence[Place] = (),
        environment: Mapping[str, str] = {},
        limits: Limits = Limits(),  # noqa: B008
        listener: bool = False,
    ) -> Talking:
        """Start a command that lives until it is closed: :class:`metier.sandbox.talking.Talking`.

        Neither wall clock nor output ends it, and nobody looks at its memory; the other limits
        hold, so ``limits`` has to be generous.

        Args:
            command: As for :meth:`run`.
            places: As for :meth:`run`.
            environment: As for :meth:`run`.
            limits: What it may use; of its output the last ``output_bytes`` are kept.
            listener: Whether it may listen on a local stream socket of its own, as some libraries
                insist to; it still can call nobody and reaches no network.

        Raises:
            InputError: As :meth:`run`.
            UnavailableError: As :meth:`run`.
        """
        request = _request(command, {}, places, environment, limits)
        channel = open_channel()
        try:
            whole = replace(request, listener=listener)
            keeper = Keeper(
                _prepared(self.prepare, whole, channel=channel), limits, clock=False, tail=True
            )
            keeper.start()
        except BaseException:
            os.close(channel.send)
            os.close(channel.receive)
            raise
        return Talking(keeper, channel)


def converse(
    prepare: Callable[[Request], Launch], request: Request, *, clock: bool, renewing: bool = False
) -> Running:
    """Start what a request asks for, with a channel.

    Raises:
        UnavailableError: ``sandbox_start``.
    """
    channel = open_channel()
    try:
        launch = _prepared(prepare, request, channel=channel)
        keeper = Keeper(launch, request.limits, clock=clock)
        keeper.start()
    except BaseException:
        os.close(channel.send)
        os.close(channel.receive)
        raise
    return Running(keeper, channel, request.limits, renewing=renewing)


def _request(
    command: Sequence[str],
    files: Mapping[str, str | bytes],
    places: Sequence[Place],
    environment: Mapping[str, str],
    limits: Limits,
) -> Request:
    return Request(
        tuple(checked_command(command)),
        checked_files(files),
        tuple(checked_place(place) for place in places),
        dict(environment),
        limits,
    )


def _prepared(
    prepare: Callable[[Request], Launch],
    request: Request,
    *,
    stdin: int | None = None,
    channel: Channel | None = None,
) -> Launch:
    """The launch for a request with its descriptors, which are closed if there is none.

    Raises:
        UnavailableError: ``sandbox_start``: no folder, no descriptor, no memory.
    """
    whole = replace(request, stdin=stdin, channel=channel)
    try:
        return prepare(whole)
    except BaseException as failure:
        for descriptor in (*whole.descriptors, *(() if stdin is None else (stdin,))):
            os.close(descriptor)
        if isinstance(failure, OSError):
            raise UnavailableError(
                f"A process could not be prepared: {failure}.", code="sandbox_start", retryable=True
            ) from failure
        raise
