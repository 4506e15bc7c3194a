"""Children, their children, and what they use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from metier.sandbox.processes import (
    Use,
    children,
    descendants,
    in_turn,
    proportional,
    spare_users,
    use,
)

TREE = """
import os, threading, time
if os.fork() == 0:
    if os.fork() == 0:
        x = b"x" * (40 << 20)
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        print("ready", flush=True)
    time.sleep(60)
time.sleep(60)
"""


@pytest.fixture
def tree() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", TREE], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    os.killpg(process.pid, 9)
    process.wait()
    process.stdout.close()


def test_a_tree_is_walked(tree: int) -> None:
    (child,) = children(tree)
    (grandchild,) = children(child)
    assert descendants(tree) == [child, grandchild]
    assert use([tree, child, grandchild]).tasks == 4
    assert use([grandchild]).memory > 40 << 20
    assert use([child]).memory < 40 << 20


def test_what_several_share_counts_in_proportion(tree: int) -> None:
    (child,) = children(tree)
    whole = sum(proportional([process]) for process in (tree, child))
    assert proportional([tree, child]) == pytest.approx(whole, rel=0.1)
    assert 1 << 20 < proportional([tree]) < 60 << 20
    assert proportional([2**31 - 1]) == 0


def test_what_has_ended_counts_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert children(process.pid) == []
    assert use([process.pid]) == Use(0, 0)


@pytest.mark.parametrize(
    ("mapped", "first"),
    [
        ("         0          0 4294967295\n", 2_000_000_000),
        ("         0       1000          1\n         1     100000      65536\n", 60_100),
        ("", 60_100),
    ],
)
def test_user_numbers_of_nobody(mapped: str, first: int) -> None:
    assert spare_users(mapped)[0] == first
    assert len(spare_users()) > 1000


def test_two_that_start_at_once_do_not_begin_with_the_same_user() -> None:
    users = range(2_000_000_000, 2_002_000_000)[::2]
    starts = {next(in_turn(users)) for _ in range(20)}
    assert len(starts) > 10
    few = range(60_100, 60_104)
    numbers = in_turn(few)
    assert sorted(next(numbers) for _ in range(4)) == list(few)
    assert next(numbers) in few
