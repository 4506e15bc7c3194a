"""What every kind of sandbox shares: checked wishes, and nothing left behind by a failure."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from metier.errors import InputError, UnavailableError
from metier.sandbox.confining import Request, Sandbox
from metier.sandbox.launching import Launch
from metier.sandbox.values import Limits, Place


def prepare(request: Request) -> Launch:
    """Without confinement: the command, its environment and its channel."""
    channel = {} if request.channel is None else request.channel.environment()
    return Launch(
        request.command,
        end=lambda process: process.kill(),
        members=lambda process: [process.pid],
        environment={**request.environment, **channel},
        inherited=request.descriptors,
        stdin=request.stdin,
    )


OPEN = Sandbox("landlock", (), (), prepare)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_command_runs_to_its_end() -> None:
    finished = OPEN.run(["/bin/cat"], stdin=b"in", limits=Limits(seconds=10))
    assert (finished.status, finished.stdout) == (0, b"in")
    assert OPEN.run(["/bin/true"]).status == 0


ECHO = """
import os
for line in os.fdopen(int(os.environ['METIER_REQUESTS']), 'rb', buffering=0):
    os.write(int(os.environ['METIER_REPLIES']), line)
"""


def test_a_command_answers_and_its_clock_runs_once() -> None:
    command = [sys.executable, "-S", "-c", ECHO]
    with OPEN.start(command, limits=Limits(seconds=1.0)) as running:
        for _ in range(3):
            running.send(b"x")
            assert running.receive(seconds=10) == b"x"
        with pytest.raises(UnavailableError) as caught:
            running.receive(seconds=30)
        assert caught.value.code == "sandbox_timeout"


@pytest.mark.parametrize("way", ["run", "start"])
def test_wishes_are_checked(way: str, tmp_path: Path) -> None:
    act = getattr(OPEN, way)
    for wish in (
        {"command": []},
        {"command": ["true"], "files": {"../x": ""}},
        {"command": ["true"], "places": [Place(tmp_path / "no", "/x")]},
    ):
        with pytest.raises(InputError):
            act(**wish)


@pytest.mark.parametrize("failure", [OSError("no space"), InputError("no")])
def test_a_failure_leaves_no_descriptor(failure: Exception) -> None:
    def fail(_: Request) -> Launch:
        raise failure

    broken = dataclasses.replace(OPEN, prepare=fail)
    before = descriptors()
    expected = UnavailableError if isinstance(failure, OSError) else InputError
    with pytest.raises(expected):
        broken.run(["true"], stdin=b"x")
    with pytest.raises(expected):
        broken.run(["true"])
    with pytest.raises(expected):
        broken.start(["true"])
    assert descriptors() == before


def test_what_cannot_start_leaves_no_descriptor() -> None:
    before = descriptors()
    with pytest.raises(UnavailableError):
        OPEN.start(["/does/not/exist"])
    assert descriptors() == before


def test_a_request_without_a_channel_hands_over_nothing() -> None:
    request = Request(("true",), {}, (), {}, Limits())
    assert request.descriptors == ()
