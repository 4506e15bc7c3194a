"""Shared and exclusive holders, a wait that ends, and release whatever happens."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from metier.errors import StorageError
from metier.store.locks import locked


def test_exclusive_keeps_everybody_out_and_shared_keeps_exclusive_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    for first, second, free in (
        (True, True, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ):
        with locked(path, exclusive=first, wait=0, what="It"):
            if free:
                with locked(path, exclusive=second, wait=0, what="It"):
                    continue
            began = time.monotonic()
            with (
                pytest.raises(StorageError) as caught,
                locked(path, exclusive=second, wait=0.06, what="It"),
            ):
                pytest.fail("two holders")
            assert caught.value.code == "locked"
            assert caught.value.retryable
            assert 0.05 < time.monotonic() - began < 5


def test_it_is_released_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ValueError, match="inside"), locked(path, exclusive=True, wait=0, what="It"):
        raise ValueError("inside")
    with locked(path, exclusive=True, wait=0, what="It"):
        pass


def test_it_waits_for_the_other_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    order = []
    holds = threading.Event()

    def other() -> None:
        with locked(path, exclusive=True, wait=0, what="It"):
            holds.set()
            time.sleep(0.1)
            order.append("first")

    thread = threading.Thread(target=other)
    thread.start()
    holds.wait()
    with locked(path, exclusive=True, wait=30, what="It"):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_a_folder_can_be_the_lock(tmp_path: Path) -> None:
    with (
        locked(tmp_path, exclusive=True, wait=0, what="It"),
        pytest.raises(StorageError),
        locked(tmp_path, exclusive=True, wait=0, what="It"),
    ):
        pytest.fail("two holders")
    assert list(tmp_path.iterdir()) == []


def test_a_shared_lock_needs_no_right_to_write(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_bytes(b"")
    path.chmod(0o444)
    with locked(path, exclusive=False, wait=0, what="It"):
        pass
