"""The machine's clock: it goes forward, and a wait ends."""

from __future__ import annotations

import threading
import time

from metier.scheduler import SystemClock


def test_it_goes_forward() -> None:
    clock = SystemClock()
    assert clock.now() <= clock.now()
    assert abs(clock.unix() - time.time()) < 60


def test_a_wait_ends_after_its_time_or_when_notified() -> None:
    clock, condition = SystemClock(), threading.Condition()
    with condition:
        began = clock.now()
        clock.wait(condition, 0.01)
        clock.wait(condition, -5.0)
        assert 0.005 < clock.now() - began < 5
    threading.Timer(0.02, notify, [condition]).start()
    with condition:
        clock.wait(condition, 1e12)  # longer than the system can wait
    assert clock.now() - began < 5


def notify(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()
