"""Locks between processes and threads: ``flock`` on a file, with a wait that ends.

It knows shared and exclusive, and nothing of what they protect. A lock dies with its process, so
a killed import leaves none behind.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metier.errors import StorageError

_LONGEST_PAUSE = 0.05


@contextmanager
def locked(path: Path, *, exclusive: bool, wait: float, what: str) -> Iterator[None]:
    """Hold the lock ``path`` for the length of the block.

    Args:
        path: A lock file, made if it is not there, or a folder.
        exclusive: Alone, or together with other shared holders.
        wait: Seconds to wait for it; 0 tries once.
        what: What the lock keeps others from, for the message.

    Raises:
        StorageError: Others held it for longer (code ``locked``, retryable).
        OSError: It cannot be opened.
    """
    descriptor = _open(path, exclusive=exclusive)
    try:
        _acquire(descriptor, exclusive=exclusive, wait=wait, what=what)
        try:
            yield
        finally:
            # Explicitly, because a child forked meanwhile may hold a copy of the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _open(path: Path, *, exclusive: bool) -> int:
    if path.is_dir():
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if not exclusive and path.exists():
        # So that a store on a read-only disk can be read and exported.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _acquire(descriptor: int, *, exclusive: bool, wait: float, what: str) -> None:
    operation = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
    deadline = time.monotonic() + wait
    pause = 0.001
    while True:
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise StorageError(
                    f"{what} is busy: another process has held it for {wait:.0f} s.",
                    code="locked",
                    remedy="Wait until the other import, export or gc has ended, then do it again.",
                    retryable=True,
                ) from error
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            return
