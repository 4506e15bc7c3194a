"""A long-lived process: both directions at once, however much it says, and a clear end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from metier.errors import UnavailableError
from metier.sandbox.confining import Request, Sandbox
from metier.sandbox.launching import Launch
from metier.sandbox.talking import Talking
from metier.sandbox.values import Limits

HEAD = """
import os, sys, time
requests = os.fdopen(int(os.environ['METIER_REQUESTS']), 'rb', buffering=0)
replies = int(os.environ['METIER_REPLIES'])
"""
ECHO = "for line in requests:\n  os.write(replies, line.upper())"


def prepare(request: Request) -> Launch:
    """Without confinement."""
    channel = {} if request.channel is None else request.channel.environment()
    return Launch(
        request.command,
        end=lambda process: process.kill(),
        members=lambda process: [process.pid],
        environment={**request.environment, **channel},
        inherited=request.descriptors,
    )


def started(body: str, **limits: float) -> Talking:
    return Sandbox("landlock", (), (), prepare).attend(
        [sys.executable, "-S", "-c", HEAD + body],
        limits=Limits(**{"seconds": 0.01, **limits}),  # type: ignore[arg-type]
    )


def test_replies_come_while_requests_go() -> None:
    talking = started(ECHO)
    sent = b"abcdefg\n" * 200_000
    sender = threading.Thread(target=talking.send, args=(sent,))
    sender.start()
    found = bytearray()
    while len(found) < len(sent):
        found += talking.receive()
    sender.join()
    assert found == sent.upper()
    assert talking.alive
    assert talking.memory_bytes > 1 << 20
    finished = talking.close()
    assert finished.stopped is None
    assert talking.finished == finished
    assert talking.memory_bytes == 0


def test_neither_its_clock_nor_its_output_ends_it_and_the_end_of_that_is_kept() -> None:
    body = "sys.stderr.write('x' * 300_000 + 'last words\\n'); sys.stderr.flush()\n" + ECHO
    talking = started(body, output_bytes=1000)
    talking.send(b"a\n")
    assert talking.receive() == b"A\n"
    until = time.monotonic() + 10
    while not talking.said.endswith(b"last words\n") and time.monotonic() < until:
        time.sleep(0.01)
    assert len(talking.said) == 1000
    assert talking.close().stderr == talking.said != b""


def test_the_end_is_seen_by_who_reads_and_by_who_sends() -> None:
    talking = started("os.write(replies, b'%d' % os.getpid()); time.sleep(60)")
    os.kill(int(talking.receive()), signal.SIGKILL)
    assert talking.receive() == b""
    assert talking.receive() == b""
    with pytest.raises(UnavailableError) as caught:
        talking.send(b"x" * 1_000_000)
    assert caught.value.code == "sandbox_ended"
    assert talking.close().status == 128 + signal.SIGKILL
    with pytest.raises(UnavailableError):
        talking.send(b"x")


def test_closing_ends_who_reads() -> None:
    talking = started("time.sleep(60)")
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(talking.receive()))
    reader.start()
    talking.end()
    talking.close()
    reader.join(5)
    assert found == [b""]
    assert not talking.alive
    talking.close()
