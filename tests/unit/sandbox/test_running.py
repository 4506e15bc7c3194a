"""Lines there and back, and what happens when they do not come."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from metier.errors import InputError, UnavailableError
from metier.sandbox.plain import plain
from metier.sandbox.processes import children
from metier.sandbox.running import Running
from metier.sandbox.values import Limits

HEAD = """
import os, sys, time
requests = os.fdopen(int(os.environ['METIER_REQUESTS']), 'rb', buffering=0)
def reply(line): os.write(int(os.environ['METIER_REPLIES']), line)
"""
ECHO = "for line in requests:\n  print('noise', flush=True); reply(line.upper())"


def started(body: str, **limits: float) -> Running:
    return plain(
        [sys.executable, "-S", "-c", HEAD + body],
        limits=Limits(**{"seconds": 20, **limits}),  # type: ignore[arg-type]
    )


def code_of(running: Running, seconds: float = 10.0) -> str:
    with pytest.raises(UnavailableError) as caught:
        running.receive(seconds=seconds)
    return caught.value.code


def test_lines_go_there_and_back() -> None:
    with started(ECHO) as running:
        assert running.alive
        for line in (b"one", b"", b"x" * 200_000):
            running.send(line)
            assert running.receive(seconds=10) == line.upper()
        assert running.finished is None
    assert running.close().stdout == b"noise\n" * 3
    assert not running.alive


def test_several_replies_in_one_piece() -> None:
    with started("reply(b'a\\nb\\nc\\n'); time.sleep(30)") as running:
        assert [running.receive(seconds=10) for _ in range(3)] == [b"a", b"b", b"c"]


def test_a_line_is_one_line() -> None:
    with started(ECHO) as running, pytest.raises(InputError) as caught:
        running.send(b"a\nb")
    assert caught.value.code == "bad_sandbox_line"


def test_silence_is_ended() -> None:
    with started("time.sleep(30)") as running:
        assert code_of(running, 0.1) == "sandbox_timeout"
        assert not running.alive


def test_the_limit_of_time_is_said_as_such() -> None:
    with started("time.sleep(30)", seconds=0.3) as running:
        running.begin()
        assert code_of(running) == "sandbox_timeout"


def test_an_end_says_how() -> None:
    with started("sys.exit('it broke')") as running:
        with pytest.raises(UnavailableError) as caught:
            running.receive(seconds=10)
        assert caught.value.code == "sandbox_ended"
        assert caught.value.details["stderr"] == "it broke\n"
        with pytest.raises(UnavailableError) as caught:
            running.send(b"x" * 1_000_000)
        assert caught.value.code == "sandbox_ended"


def test_a_limit_is_named() -> None:
    script = "os.write(1, b'x' * 100_000); time.sleep(30)"
    error = pytest.raises(UnavailableError, match="over its limit of output")
    with started(script, output_bytes=1000) as running, error:
        running.receive(seconds=10)


@pytest.mark.parametrize(
    "body",
    [
        "reply(b'x' * 2000 + b'\\n'); time.sleep(30)",
        "while True: reply(b'x' * 1000)",
    ],
)
def test_a_long_line_is_ended(body: str) -> None:
    with started(body, output_bytes=1000) as running:
        assert code_of(running) == "sandbox_reply"
        assert not running.alive


def test_many_lines_are_ended() -> None:
    with started("while True: reply(b'x' * 50_000 + b'\\n')", output_bytes=60_000) as running:
        with pytest.raises(UnavailableError) as caught:
            all(running.receive(seconds=10) for _ in range(100))
        assert caught.value.code == "sandbox_reply"


def test_the_clock_of_a_warm_worker_starts_anew() -> None:
    body = "for line in requests:\n  time.sleep(0.5); reply(b'done\\n')"
    with started(body, seconds=2.0) as running:
        for _ in range(5):
            running.send(b"go")
            assert running.receive(seconds=10) == b"done"


def test_another_thread_may_close() -> None:
    running = started("time.sleep(30)")
    threading.Timer(0.2, running.close).start()
    assert code_of(running) == "sandbox_ended"
    with pytest.raises(UnavailableError):
        running.receive(seconds=1)
    time.sleep(0.1)
    with pytest.raises(UnavailableError):
        running.send(b"x")
    assert code_of(running) == "sandbox_ended"


def test_nothing_is_left_open() -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.collect()
    before, already = opened(), children(os.getpid())
    for _ in range(3):
        with started(ECHO) as running:
            running.send(b"x")
            running.receive(seconds=10)
    forgotten = started("time.sleep(30)")
    del forgotten
    gc.collect()
    assert opened() == before
    assert children(os.getpid()) == already
