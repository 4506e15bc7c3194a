"""What a tree of processes uses, read from ``/proc``.

It knows parents, children, threads and memory; it ends nothing. Where there is no ``/proc`` (macOS)
a tree is its root alone and its use is unknown.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_SPARE = range(2_000_000_000, 2_002_000_000)
"""User numbers that no machine hands out."""
_SPARE_IN_CONTAINERS = range(60_100, 64_900)
"""Numbers left to the administrator, for containers that have only 65,536."""


@dataclass(frozen=True, slots=True)
class Use:
    """What some processes use now.

    Attributes:
        tasks: Processes and threads.
        memory: Bytes of private and shared memory that is resident; what processes share since a
            fork counts for each of them.
    """

    tasks: int
    memory: int


def spare_users(mapped: str | None = None) -> range:
    """User numbers that root may change to and that belong to nobody.

    Args:
        mapped: The numbers that exist here, as ``/proc/self/uid_map`` lists them; else it is read.
    """
    text = (_PROC / "self" / "uid_map").read_text() if mapped is None else mapped
    for line in text.splitlines():
        first, _, count = (int(number) for number in line.split())
        if first <= _SPARE.start and first + count >= _SPARE.stop:
            return _SPARE
    return _SPARE_IN_CONTAINERS


def in_turn(users: range) -> Iterator[int]:
    """Each of ``users`` in turn, for ever, from a place that chance draws; threads may share it.

    Two processes of ours that start sandboxes at once would share numbers if both began with the
    first, and with a number its limit on processes.
    """
    start = secrets.randbelow(len(users))
    return itertools.cycle(itertools.chain(users[start:], users[:start]))


def children(process: int) -> list[int]:
    """The living or unreaped children of a process, of all its threads."""
    found: list[int] = []
    try:
        for task in (_PROC / str(process) / "task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return found  # it ended while we read
    return found


def descendants(process: int) -> list[int]:
    """Children, their children and so on; without the process itself."""
    found: list[int] = []
    waiting = children(process)
    while waiting:
        child = waiting.pop()
        found.append(child)
        waiting += children(child)
    return found


def use(processes: list[int]) -> Use:
    """Tasks and resident memory of the processes; one that has ended counts nothing."""
    tasks = memory = 0
    for process in processes:
        try:
            status = (_PROC / str(process) / "status").read_bytes()
        except OSError:
            continue
        for line in status.splitlines():
            name, _, value = line.partition(b":")
            if name in (b"RssAnon", b"RssShmem"):
                memory += int(value.split()[0]) << 10
            elif name == b"Threads":
                tasks += int(value)
    return Use(tasks, memory)


def proportional(processes: list[int]) -> int:
    """Bytes of resident memory of the processes; what several map counts in proportion.

    Where the kernel does not say the proportion (to another user), all that is resident counts.
    """
    total = 0
    for process in processes:
        for name, key in (("smaps_rollup", b"Pss"), ("status", b"VmRSS")):
            try:
                lines = (_PROC / str(process) / name).read_bytes().splitlines()
            except OSError:
                continue
            found = [line.split()[1] for line in lines if line.partition(b":")[0] == key]
            if found:
                total += int(found[0]) << 10
                break
    return total
