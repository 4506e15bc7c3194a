"""Ctrl-C during long work: once asks it to end where nothing is half done, twice ends it at once.

It knows signals and the error by which work says that it was cancelled. What is kept it is told.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from metier.cli.failures import InterruptedWorkError
from metier.errors import MetierError

_NOTICE = "Stopping after this step. Press Ctrl-C again to stop at once."


@contextmanager
def interruptible(
    say: Callable[[str], None], kept: Callable[[], str]
) -> Iterator[Callable[[], bool]]:
    """Hand out whether the person asked to stop.

    Args:
        say: Tells the person that it is stopping.
        kept: A sentence that says what there is now; asked once the work has ended.

    Raises:
        InterruptedWorkError: The work was stopped.
    """
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        say(_NOTICE)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    except KeyboardInterrupt:
        raise InterruptedWorkError(kept()) from None
    except MetierError as error:
        if error.code != "cancelled":
            raise
        raise InterruptedWorkError(kept()) from None
    finally:
        signal.signal(signal.SIGINT, before)
