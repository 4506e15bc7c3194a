"""One at a time: a lock file that work on a home waits for, and gives up waiting when told to.

It knows the store's locks, which die with their process, and nothing of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from metier.errors import StorageError, UnavailableError
from metier.messages import Progress, Report
from metier.store.disk import storage_errors
from metier.store.locks import locked

_PAUSE = 0.1
"""Seconds between two questions whether to go on waiting."""


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
    with ExitStack() as held:
        with storage_errors(what):
            path.parent.mkdir(parents=True, exist_ok=True)
            _enter(held, path, what, report, cancelled)
        yield


def _enter(
    held: ExitStack, path: Path, what: str, report: Report, cancelled: Callable[[], bool]
) -> None:
    told = False
    while True:
        try:
            held.enter_context(locked(path, exclusive=True, wait=_PAUSE, what=what))
            return
        except StorageError as error:
            if not told:
                report(Progress("wait", f"{what} runs already; waiting for it to end."))
                told = True
            if cancelled():
                raise UnavailableError(
                    f"{what} was stopped while it waited.",
                    code="cancelled",
                    remedy="Run the same command again.",
                    retryable=True,
                ) from error
