"""A warm Node process that reads code and answers one line of JSON for one line of JSON.

It is for work that only parses, compiles or type-checks: what it is given is never executed. It
is started at the first request, ended when a request takes too long, and started again at the
next. It knows nothing of what is asked. Its environment is empty, so it holds no secret.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.errors import UnavailableError

_CHUNK = 1 << 16
_MOST_BYTES = 64 << 20
_START_SECONDS = 60.0


class Stopped(Exception):  # noqa: N818  it is an outcome of one request, never a person's error
    """The process ended or was ended during a request; ``why`` is ``time``, ``memory`` or ``died``.

    The next request starts a new process.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: ``node <options> <script> <arguments>``.

    Attributes:
        node: Gives the program Node; called at each start.
        script: The worker's file.
        arguments: Gives its arguments; called at each start, may raise UnavailableError.
        memory_mb: The most that its heap may take.
        options: Further options of Node.
    """

    node: Callable[[], Path]
    script: Path
    arguments: Callable[[], Sequence[str]]
    memory_mb: int = 512
    options: tuple[str, ...] = ()


class WarmWorker:
    """One process and its requests, one at a time; safe to use from several threads."""

    def __init__(self, program: Program) -> None:
        """Start nothing yet."""
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._turn = threading.Lock()

    def ask(self, request: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """The answer to one request.

        Args:
            request: JSON-serialisable.
            seconds: The longest that it may take, without the start of the process.

        Raises:
            Stopped: It took longer, or the process died.
            UnavailableError: The process cannot start (``no_node``, ``no_toolchain``,
                ``broken_toolchain``).
        """
        line = json.dumps(request).encode("ascii") + b"\n"
        with self._turn:
            process = self._running()
            try:
                self._send(process, line, deadline := time.monotonic() + seconds)
                answer = json.loads(self._line(process, deadline))
            except (OSError, ValueError) as error:
                raise Stopped(self._end()) from error
            except Stopped as stopped:
                how = self._end()
                raise (Stopped(how) if stopped.why == "died" else stopped) from None
        if not isinstance(answer, dict):
            raise Stopped("died")
        return answer

    def close(self) -> None:
        """End the process; a later request would start a new one."""
        with self._turn:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        """The process, started and greeted if it is not there."""
        process = self._process
        if process is not None and process.poll() is None:
            return process
        self._end()
        program = self._program
        command = [
            str(program.node()),
            f"--max-old-space-size={program.memory_mb}",
            *program.options,
            str(program.script),
            *program.arguments(),
        ]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd=program.script.parent,
            start_new_session=True,
        )
        self._process = process
        try:
            greeting = self._line(process, time.monotonic() + _START_SECONDS)
        except Stopped as error:
            raise UnavailableError(
                f"The worker {program.script.name} did not start: {self._last_words()}",
                code="broken_toolchain",
                remedy="Install the toolchain again: remove its folder, then run "
                "'metier doctor --install NAME'.",
            ) from error
        if greeting != b'{"ready":true}':
            self._end()
            raise UnavailableError(
                f"The worker {program.script.name} greeted with {greeting[:80]!r}.",
                code="broken_toolchain",
            )
        return process

    def _send(self, process: subprocess.Popen[bytes], line: bytes, deadline: float) -> None:
        """Write a line without waiting beyond the deadline for a process that does not read."""
        assert process.stdin is not None
        descriptor = process.stdin.fileno()
        os.set_blocking(descriptor, False)
        view = memoryview(line)
        while view:
            _, ready, _ = select.select([], [descriptor], [], _left(deadline))
            if not ready:
                raise Stopped("time")
            try:
                view = view[os.write(descriptor, view[:_CHUNK]) :]
            except BlockingIOError:
                continue

    def _line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        """The next line of the process, without its end."""
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        parts = [self._rest]
        held = len(self._rest)
        while b"\n" not in parts[-1]:
            ready, _, _ = select.select([descriptor], [], [], _left(deadline))
            if not ready:
                raise Stopped("time")
            part = os.read(descriptor, _CHUNK)
            held += len(part)
            if not part or held > _MOST_BYTES:
                raise Stopped("died")
            parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def _last_words(self) -> str:
        process = self._process
        if process is None or process.stderr is None:
            return "nothing was said."
        self._kill(process)
        said = process.stderr.read(_CHUNK).decode("utf-8", "replace").strip()
        self._end()
        told = [line.strip() for line in said.splitlines() if "Error" in line]
        return (told or said.splitlines() or ["nothing was said."])[0][:300]

    def _end(self) -> str:
        """End the process and say why it was over: ``memory`` or ``died``."""
        process, self._process, self._rest = self._process, None, b""
        if process is None:
            return "died"
        self._kill(process)
        said = b""
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is process.stderr and stream is not None:
                said = stream.read(_CHUNK) or b""
            if stream is not None:
                stream.close()
        return "memory" if b"heap" in said else "died"

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
