"""One at a time: a lock that is waited for, and a waiting that can be stopped."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from metier.assembly.alone import alone
from metier.errors import StorageError, UnavailableError
from metier.messages import Progress, silent


def test_the_second_waits_until_the_first_is_done(tmp_path: Path) -> None:
    path = tmp_path / "a" / "lock"
    heard: list[Progress] = []
    waits, order = threading.Event(), []

    def told(progress: Progress) -> None:
        heard.append(progress)
        waits.set()

    def second() -> None:
        with alone(path, "It", report=told, cancelled=lambda: False):
            order.append("second")

    thread = threading.Thread(target=second)
    with alone(path, "It", report=silent, cancelled=lambda: False):
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert len(heard) == 1


def test_waiting_can_be_stopped_and_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        alone(path, "It", report=silent, cancelled=lambda: False),
        pytest.raises(UnavailableError) as stopped,
        alone(path, "It", report=silent, cancelled=lambda: True),
    ):
        pass
    assert stopped.value.code == "cancelled"
    with alone(path, "It", report=silent, cancelled=lambda: True):
        pass


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError),
        alone(tmp_path / "file" / "lock", "It", report=silent, cancelled=lambda: False),
    ):
        pass
