"""One at a time: a lock file that work on a home waits for, and gives up waiting when told to.

It knows ``flock`` and nothing of the work. A lock dies with its process.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from metier.errors import StorageError, UnavailableError
from metier.messages import Progress, Report

_PAUSE = 0.1


@contextmanager
def alone(
    path: Path, what: str, *, report: Report, cancelled: Callable[[], bool]
) -> Iterator[None]:
    """Hold ``path`` for the length of the block; wait while another process or thread holds it.

    Args:
        path: The lock file; its folder is made.
        what: What waits, for people: "The watch".
        report: Told once that it waits.
        cancelled: Ends the waiting.

    Raises:
        UnavailableError: ``cancelled``.
        StorageError: The file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be made: {error.strerror}.",
            code="not_writable",
            remedy="Check that its folder can be written and has space left.",
        ) from error
    try:
        _wait(descriptor, what, report, cancelled)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _wait(descriptor: int, what: str, report: Report, cancelled: Callable[[], bool]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                report(Progress("wait", f"{what} runs already; waiting for it to end."))
                told = True
            if cancelled():
                raise UnavailableError(
                    f"{what} was stopped while it waited.",
                    code="cancelled",
                    remedy="Run the same command again.",
                    retryable=True,
                ) from None
            time.sleep(_PAUSE)
        else:
            return
