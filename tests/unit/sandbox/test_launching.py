"""Descriptors that are handed over: sealed, at their beginning, and closed on our side."""

from __future__ import annotations

import os
import sys

import pytest

from metier.sandbox.launching import (
    REPLIES,
    REQUESTS,
    Launch,
    contents,
    nothing,
    open_channel,
    unattached,
)


def launch(*command: str, **more: object) -> Launch:
    return Launch(command, end=lambda _: None, members=lambda _: [], **more)  # type: ignore[arg-type]


def test_contents_are_sealed() -> None:
    descriptor = contents(b"text")
    assert os.read(descriptor, 10) == b"text"
    with pytest.raises(PermissionError):
        os.write(descriptor, b"more")
    os.close(descriptor)


def test_contents_without_memory_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    descriptor = contents(b"text")
    assert os.read(descriptor, 10) == b"text"
    os.close(descriptor)


SCRIPT = """
import os, sys
print(sys.stdin.read(), sorted(int(name) for name in os.listdir('/proc/self/fd')), os.getcwd())
print(dict(os.environ).get('A'), len(os.environ))
os.write(int(sys.argv[1]), b'reply')
"""


def test_a_process_gets_what_it_is_given_and_nothing_else() -> None:
    channel = open_channel()
    stray, other = os.pipe()
    os.set_inheritable(stray, True)
    started = launch(
        sys.executable,
        "-I",
        "-c",
        SCRIPT,
        str(channel.replies),
        environment={"A": "b"},
        inherited=(channel.requests, channel.replies),
        stdin=contents(b"given"),
        folder="/",
    )
    process = started.start()
    started.close()
    out, err = process.communicate()
    assert os.read(channel.receive, 10) == b"reply"
    assert err == b""
    listed = sorted({0, 1, 2, channel.requests, channel.replies})
    first, second = out.decode().splitlines()
    assert first.startswith("given [")
    assert first.endswith("] /")
    seen = {int(item) for item in first[len("given [") : -len("] /")].split(",")}
    assert set(listed) <= seen
    assert stray not in seen
    assert second.split()[0] == "b"
    for descriptor in (stray, other, channel.send, channel.receive):
        os.close(descriptor)


def test_a_channel_says_its_numbers() -> None:
    channel = open_channel()
    assert channel.environment() == {REQUESTS: str(channel.requests), REPLIES: str(channel.replies)}
    for descriptor in (channel.send, channel.receive, channel.requests, channel.replies):
        os.close(descriptor)


def test_nothing_is_nothing() -> None:
    started = launch("/bin/true")
    assert (started.tidy, started.attach) == (nothing, unattached)
    process = started.start()
    started.attach(process)
    started.close()
    process.communicate()
    started.tidy()
