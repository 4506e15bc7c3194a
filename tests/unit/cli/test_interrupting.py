"""Ctrl-C: the first asks, the second ends, and the handler of before is back afterwards."""

from __future__ import annotations

import signal

import pytest

from metier.cli.failures import InterruptedWorkError
from metier.cli.interrupting import interruptible
from metier.errors import InputError


def press(times: int = 1) -> None:
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


def kept() -> str:
    return "Nothing was saved."


def test_the_first_press_asks_and_is_said() -> None:
    said: list[str] = []
    with interruptible(said.append, kept) as cancelled:
        assert not cancelled()
        press()
        assert cancelled()
    assert said == ["Stopping after this step. Press Ctrl-C again to stop at once."]


def test_the_second_press_ends() -> None:
    with pytest.raises(InterruptedWorkError, match="Nothing was saved"), interruptible(str, kept):
        press(2)


def test_work_that_says_cancelled_was_interrupted() -> None:
    with pytest.raises(InterruptedWorkError), interruptible(str, kept):
        raise InputError("Stopped.", code="cancelled")


def test_other_errors_pass() -> None:
    with pytest.raises(InputError, match="Row 3"), interruptible(str, kept):
        raise InputError("Row 3 is empty.")


def test_the_handler_of_before_is_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible(str, kept):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
