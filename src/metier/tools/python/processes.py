"""The two sandboxed processes of a judgement: how each is started, and pools of them.

It knows interpreters, mounts and limits; it knows neither answers nor tests. The answer's process
sees the standard library alone; only the one that runs a task's pytest file sees pytest.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from metier.errors import UnavailableError
from metier.sandbox import Limits, Place, Pool, Running, Sandbox, python

Side = Literal["answer", "tests", "pytest"]

_INSIDE = Path(__file__).parent / "inside"
_RUNNER = "/runner"
_PROGRAM = f"{_RUNNER}/inside/starting.py"
_PACKAGES = "/packages"
_PYTEST = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
READY = b'"ready"'


def limits_of(side: Side, seconds: float) -> Limits:
    """What a process may use; the tests' may use more, so that no answer can end them first."""
    memory = 512 if side == "answer" else 1024
    return Limits(
        seconds=seconds,
        cpu_seconds=max(1, round(seconds) + 1),
        memory_mb=memory,
        processes=16,
        file_mb=16,
        output_bytes=16_000_000,
    )


class Processes:
    """Pools of started processes, one for each side, made when first needed.

    Args:
        sandbox: Makes the sandbox; called at the first judgement.
        size: Processes of each side that wait.
        seconds: The longest that any process may live once it is taken.
    """

    def __init__(self, sandbox: Callable[[], Sandbox], *, size: int, seconds: float) -> None:
        self._sandbox, self._size, self._seconds = sandbox, size, seconds
        self._pools: dict[Side, Pool] = {}
        self._lock = threading.Lock()

    def take(self, side: Side) -> Running:
        """A process that has said it is ready and has done nothing else.

        Raises:
            UnavailableError: ``no_sandbox``, ``no_pytest``, or the process did not start.
        """
        with self._lock:
            pool = self._pools.get(side)
            if pool is None:
                pool = self._pools[side] = self._pool(side)
        return pool.take()

    def close(self) -> None:
        """End every process that waits."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _pool(self, side: Side) -> Pool:
        places = [Place(_INSIDE, f"{_RUNNER}/inside")]
        arguments = [f"{_RUNNER}/inside"]
        command, seen = python()
        places += seen
        if side == "pytest":
            for name in _PYTEST:
                path = _found(name)
                places.append(Place(path, f"{_PACKAGES}/{path.name}"))
                arguments.append(f"{_PACKAGES}/{path.name}")
        return Pool(
            self._sandbox(),
            [command, "-I", "-S", "-B", "-X", "utf8", _PROGRAM, side, *arguments],
            size=1 if side == "pytest" else self._size,
            places=places,
            limits=limits_of(side, self._seconds),
            ready=READY,
        )


def _found(name: str) -> Path:
    """The folder of a package, or the file of a module."""
    specification = importlib.util.find_spec(name)
    if specification is None or specification.origin is None:
        raise UnavailableError(
            f"The package {name!r}, which runs pytest files, is not installed.",
            code="no_pytest",
            remedy="Install Metier again: pip install metier.",
        )
    path = Path(specification.origin)
    return path.parent if path.name == "__init__.py" else path
