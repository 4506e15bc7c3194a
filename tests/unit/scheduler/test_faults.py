"""Crash loops: five failures in a row pause starting, one answer forgets them."""

from __future__ import annotations

import pytest

from metier.errors import UnavailableError
from metier.scheduler.faults import Faults


def failed(*times: float) -> Faults:
    faults = Faults()
    for time in times:
        faults.count("a", time, f"words at {time}")
    return faults


def test_five_in_a_row_pause() -> None:
    faults = failed(0.0, 0.5, 1.0, 1.5, 2.0)
    with pytest.raises(
        UnavailableError, match=r"5 times in 2 s.*another 4 s.*words at 2.0"
    ) as told:
        faults.check("a", 3.0)
    assert told.value.details == {"retry_after": 4.0}
    faults.check("b", 3.0)
    faults.check("a", 7.1)
    faults.count("a", 8.0, "again")
    with pytest.raises(UnavailableError):
        faults.check("a", 9.0)


def test_an_answer_forgets() -> None:
    faults = failed(0.0, 0.5, 1.0, 1.5, 2.0)
    faults.clear("a")
    faults.count("a", 3.0, "once more")
    faults.check("a", 3.0)


def test_far_apart_is_no_loop() -> None:
    failed(0.0, 20.0, 40.0, 60.0, 80.0).check("a", 81.0)
    failed(0.0, 1.0, 2.0, 3.0).check("a", 3.5)
    faults = failed(0.0, 0.5, 1.0, 1.5, 2.0)
    faults.check("a", 100.0)
    faults.check("a", 3.0)  # forgotten meanwhile
