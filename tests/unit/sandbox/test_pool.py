"""Processes at hand: used once, replaced when they die, gone when the pool closes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from metier.errors import MetierError, UnavailableError
from metier.sandbox import pool as pool_module
from metier.sandbox.plain import plain
from metier.sandbox.pool import Pool
from metier.sandbox.running import Running

READY = "import os, time; os.write(int(os.environ['METIER_REPLIES']), b'{}\\n'); time.sleep(60)"


class Unconfined:
    """Starts without a sandbox: a pool does not know the difference."""

    def __init__(self, script: str = READY.format("ready")) -> None:
        self.script = script
        self.started: list[Running] = []

    def start(self, command: list[str], **_: Any) -> Running:
        self.started.append(plain([sys.executable, "-S", "-c", self.script]))
        return self.started[-1]


def opened(sandbox: Unconfined, size: int = 1, ready: bytes | None = b"ready") -> Pool:
    return Pool(sandbox, ["ignored"], size=size, ready=ready)  # type: ignore[arg-type]


def soon(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    assert condition()


def test_each_is_taken_once_and_replaced() -> None:
    sandbox = Unconfined()
    with opened(sandbox, size=2) as pool:
        soon(lambda: len(sandbox.started) == 2)
        taken = [pool.take() for _ in range(5)]
        assert len({id(running) for running in taken}) == 5
        soon(lambda: len(sandbox.started) >= 7)
        assert all(running.alive for running in taken)
    for running in taken:
        running.close()
    soon(lambda: not any(running.alive for running in sandbox.started))


def test_one_that_died_while_waiting_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "_LOOK_AFTER", 0.05)
    sandbox = Unconfined()
    with opened(sandbox) as pool:
        soon(lambda: len(pool._shelf._waiting) == 1)
        sandbox.started[0].close()
        soon(lambda: len(sandbox.started) >= 2)
        with pool.take() as running:
            assert running.alive


def test_a_dead_one_is_not_handed_out() -> None:
    sandbox = Unconfined()
    with opened(sandbox) as pool:
        soon(lambda: len(pool._shelf._waiting) == 1)
        sandbox.started[0].close()
        with pool.take() as running:
            assert running.alive


def test_nothing_to_wait_for() -> None:
    with opened(Unconfined(), ready=None) as pool, pool.take() as running:
        assert running.alive


def test_one_that_does_not_start_is_the_takers_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "_LOOK_AFTER", 0.05)
    for script, code in (("raise SystemExit(1)", "sandbox_ended"), (READY, "sandbox_reply")):
        sandbox = Unconfined(script)
        with opened(sandbox) as pool:
            soon(lambda: len(sandbox.started) >= 2)  # noqa: B023
            with pytest.raises(MetierError) as caught:
                pool.take()
            assert caught.value.code == code


def test_a_closed_pool_hands_out_nothing() -> None:
    sandbox = Unconfined()
    pool = opened(sandbox, size=2)
    soon(lambda: len(sandbox.started) == 2)
    pool.close()
    pool.close()
    with pytest.raises(UnavailableError) as caught:
        pool.take()
    assert caught.value.code == "sandbox_closed"
    soon(lambda: not any(running.alive for running in sandbox.started))


def test_one_that_is_ready_after_the_end_is_ended() -> None:
    shelf = pool_module._Shelf(1)
    shelf.close()
    running = Unconfined().start([])
    shelf.put(running)
    assert not running.alive
    shelf.rest()
    assert not shelf.wait_for_room()


def test_a_forgotten_pool_closes() -> None:
    sandbox = Unconfined()
    pool = opened(sandbox)
    soon(lambda: len(sandbox.started) == 1)
    del pool
    soon(lambda: not sandbox.started[0].alive)
