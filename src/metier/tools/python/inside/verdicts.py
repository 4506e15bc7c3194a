"""What a judgement says: the verdict as data, and values and errors as short text.

It knows how much of a value a person can read; it knows no test.
"""

from __future__ import annotations

import reprlib
from typing import Any

from .peers import Caught, GoneError

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = 12
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 160


def verdict(stage: str | None, why: str = "", step: int | None = None) -> dict[str, Any]:
    """A verdict: passed without a stage, unscored at the stage ``tests``."""
    standing = "passed" if stage is None else "unscored" if stage == "tests" else "failed"
    shown = None if stage == "tests" else stage
    return {"standing": standing, "stage": shown, "why": why[:2000], "step": step}


def shown(value: Any) -> str:
    """A value in at most about 200 characters."""
    caught = Caught()
    text = ""
    try:
        with caught:
            text = _SHORT.repr(value)
    except GoneError:
        return "(its process ended)"
    return text[:400] if caught.error is None else f"(repr raised {type(caught.error).__name__})"


def told(error: BaseException) -> str:
    """An error in a line: its type, its text, and where in the answer it came from."""
    caught = Caught()
    text = ""
    try:
        with caught:
            text = str(error)
    except GoneError:
        text = ""
    notes = [note for note in getattr(error, "__notes__", []) if note]
    place = f" ({notes[-1]})" if notes else ""
    return f"{type(error).__name__}{': ' if text else ''}{text[:600]}{place}"
