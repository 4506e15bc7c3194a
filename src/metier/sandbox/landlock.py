"""Landlock: where no namespaces are to be had, a process that restricts itself before it starts.

It knows the interface's versions, what may be read and what must be refused besides; the steps
themselves are taken by :mod:`metier.sandbox.confine` in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from metier.errors import UnavailableError
from metier.sandbox import confine
from metier.sandbox.bubblewrap import environment
from metier.sandbox.confining import Request, Sandbox
from metier.sandbox.launching import Launch, Process, contents
from metier.sandbox.processes import children, descendants, in_turn, spare_users, use
from metier.sandbox.seccomp import OWN_PROCESS, build
from metier.sandbox.values import WORK, Limits, Place

CONTAINS: Final = (
    "files: reads the system's programs and libraries and the given places only",
    "writing: only its working folder, which lies on disk, is watched and removed afterwards",
    "network: no sockets but pairs within itself",
    "processes: signals only its own, which are capped in number and all die with it",
    "kernel: tracing, keyrings, io_uring, BPF, mounts, namespaces and modules are refused",
    "time, processor seconds, memory, file size, output and open files are limited",
    "environment: cleared",
)
DOES_NOT_CONTAIN: Final = (
    "a defect of the kernel in a call that is not refused",
    "side channels: timing, caches, speculation",
    "the load it puts on the machine until a limit ends it",
    "names: it may ask whether a path exists, and for its size and dates",
    "its disk use between two looks, a fraction of a second apart",
    "facts of the machine: processor, kernel version, host name, process numbers",
)

FIRST_VERSION: Final = 3
"""The first that stops truncation (Linux 6.2); below it a place could be emptied."""
_WITH_NETWORK, _WITH_DEVICES, _WITH_SCOPES = 4, 5, 6

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_ALL_FILES: Final = (1 << 15) - 1  # everything up to truncation
_FILE_RIGHTS: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL
_TCP: Final = 0b11  # bind, connect
_SCOPES: Final = 0b11  # abstract sockets, signals

_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_SETTINGS: Final = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_DEVICES: Final = {
    "/dev/null": _READ_FILE | _WRITE_FILE,
    "/dev/zero": _READ_FILE,
    "/dev/random": _READ_FILE,
    "/dev/urandom": _READ_FILE,
}


def end(process: Process) -> None:
    """Kill the command's process group; the supervisor then reaps what is left and ends."""
    signalled = False
    for child in children(process.pid):
        try:
            handle = os.pidfd_open(child)
        except OSError:
            continue
        try:
            # Still a child, so not reaped: its number is its own. Before setsid it has no group.
            if child in children(process.pid):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                signalled = True
                os.killpg(child, signal.SIGKILL)
                return
        except ProcessLookupError:
            continue
        finally:
            os.close(handle)
    if not signalled and not children(process.pid):  # it has not come to start the command
        process.kill()


def members(process: Process) -> list[int]:
    """The confined processes, without the supervisor."""
    return descendants(process.pid)


def written(folder: Path) -> int:
    """Bytes on disk below a folder; more than any limit if part of it cannot be read."""
    total = 0
    hidden: list[OSError] = []
    for _, _, names, here in os.fwalk(folder, onerror=hidden.append):
        for name in names:
            try:
                total += os.stat(name, dir_fd=here, follow_symlinks=False).st_blocks * 512
            except OSError:
                continue  # gone since it was listed
    closed = any(isinstance(error, PermissionError) for error in hidden)
    return sys.maxsize if closed else total


def remove(folder: Path) -> None:
    """Remove a folder of processes that are all dead, whatever modes they left behind."""
    for here, names, _ in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


class Locking:
    """Prepares launches; one for each machine and user.

    Args:
        machine: As ``uname -m`` says it.
        version: Of the Landlock interface, :data:`FIRST_VERSION` or later.
        as_root: Whether we are root.
    """

    def __init__(self, machine: str, version: int, *, as_root: bool) -> None:
        self._machine = machine
        self._version = version
        self._as_root = as_root
        self._filters = {
            listener: build(
                machine, wall="landlock", own_signals=version < _WITH_SCOPES, listener=listener
            )
            for listener in (False, True)
        }
        self._numbers = in_turn(spare_users()[1::2])

    def __call__(self, request: Request) -> Launch:
        """The launch for a request."""
        user = next(self._numbers) if self._as_root else None
        folder = Path(tempfile.mkdtemp(prefix="metier-sandbox-"))
        life, hold = os.pipe()

        def tidy() -> None:
            os.close(hold)
            remove(folder)

        try:
            _fill(folder, request, user)
            plan = contents(json.dumps(self._plan(request, folder, user, life)).encode())
        except BaseException:  # whoever asked closes what the request brought
            os.close(life)
            tidy()
            raise
        return Launch(
            command=(sys.executable, "-I", "-S", "-B", str(confine.__file__), str(plan)),
            end=end,
            members=members,
            inherited=(plan, life, *request.descriptors),
            stdin=request.stdin,
            folder="/",
            written=lambda: written(folder),
            tidy=tidy,
        )

    def _plan(
        self, request: Request, folder: Path, user: int | None, life: int
    ) -> dict[str, object]:
        """What :mod:`metier.sandbox.confine` is told."""
        seen = {WORK: str(folder / "job"), "/tmp": str(folder / "tmp")}  # noqa: S108
        seen |= {place.target: str(place.source) for place in request.places}
        handled = _ALL_FILES | (_DEVICE_CONTROL if self._version >= _WITH_DEVICES else 0)
        named = {
            **environment(request.limits),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            # Node reads this first, and what it may not read it takes for broken.
            "OPENSSL_CONF": "/dev/null",
            **{name: rewritten(value, seen) for name, value in request.environment.items()},
            **({} if request.channel is None else request.channel.environment()),
        }
        return {
            "command": [rewritten(item, seen) for item in request.command],
            "environment": named,
            "folder": str(folder / "job"),
            "user": user,
            "machine": self._machine,
            "limits": _limits(request.command[0], request.limits, counted=user is None),
            "handled": [handled, _TCP, _SCOPES],
            "handled_bytes": _handled_bytes(self._version),
            "rules": list(_rules(folder, request.places, handled)),
            "filter": self._filters[request.listener].hex(),
            "own_process": OWN_PROCESS,
            "keep": list(request.descriptors),
            "life": life,
        }


def rewritten(text: str, seen: Mapping[str, str]) -> str:
    """The text with every path that stands for a place replaced by where it really lies.

    Args:
        text: An argument or a value of the environment: a path, several joined by ``:`` or ``,``,
            an ``--option=path`` or a ``file://`` address.
        seen: Real path by the path that the process is told of.
    """
    longest_first = sorted(seen, key=len, reverse=True)
    paths = "|".join(re.escape(path) for path in longest_first)
    pattern = rf"(^|[=:,]|file://)({paths})(?=$|[/:,])"
    return re.sub(pattern, lambda match: match[1] + seen[match[2]], text)


def _handled_bytes(version: int) -> int:
    if version >= _WITH_SCOPES:
        return 24
    return 16 if version >= _WITH_NETWORK else 8


def _rules(folder: Path, places: tuple[Place, ...], handled: int) -> Iterator[tuple[str, int]]:
    reading = _EXECUTE | _READ_FILE | _READ_FOLDER
    for name in (*_SYSTEM, *_SETTINGS, *(str(place.source) for place in places)):
        if Path(name).exists():
            yield name, reading if Path(name).is_dir() else reading & _FILE_RIGHTS
    for name, access in _DEVICES.items():
        yield name, access
    for name in ("job", "tmp"):
        yield str(folder / name), handled & ~_DEVICE_CONTROL
    yield str(folder / "home"), _READ_FOLDER


def _limits(program: str, limits: Limits, *, counted: bool) -> dict[str, tuple[int, int]]:
    """Values for ``setrlimit`` by name.

    Args:
        program: Its address space may be capped.
        limits: What was asked for.
        counted: Whether the processes of the whole user count, as they do for an ordinary one
            without a user namespace: those that run already are added then.
    """
    processes = limits.processes + (tasks_of(os.getuid()) if counted else 0)
    values = {
        "RLIMIT_CPU": (limits.cpu_seconds, limits.cpu_seconds + 1),
        "RLIMIT_FSIZE": (limits.file_mb << 20,) * 2,
        "RLIMIT_NOFILE": (limits.open_files,) * 2,
        "RLIMIT_NPROC": (processes,) * 2,
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_MEMLOCK": (1 << 16,) * 2,
    }
    space = limits.address_bytes(program)
    if space is not None:
        values["RLIMIT_AS"] = (space, space)
    return values


def tasks_of(user: int) -> int:
    """Processes and threads of a user."""
    mine = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and entry.stat().st_uid == user:
                mine.append(int(entry.name))
    return use(mine).tasks


def _fill(folder: Path, request: Request, user: int | None) -> None:
    """Make the working folder: files, links to places inside it, and whose they are."""
    for name in ("job", "tmp", "home"):
        (folder / name).mkdir()
    job = folder / "job"
    for name, data in request.files.items():
        path = job / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for place in request.places:
        target = Path(place.target)
        if target.is_relative_to(WORK) and target != Path(WORK):
            link = job / target.relative_to(WORK)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(place.source)
    if user is not None:
        for here, folders, files in os.walk(folder):
            for name in (".", *folders, *files):
                os.chown(Path(here, name), user, user, follow_symlinks=False)


def open_landlock(version: Callable[[], int] = confine.landlock_version) -> Sandbox:
    """The sandbox, untried.

    Args:
        version: Says the version of the kernel's interface.

    Raises:
        UnavailableError: ``no_sandbox``: the kernel has none or too old a one, or the processor
            is not known.
    """
    if platform.system() != "Linux":
        raise UnavailableError("Landlock is a part of Linux.", code="no_sandbox")
    found = version()
    if found < FIRST_VERSION:
        raise UnavailableError(
            f"This kernel's Landlock is of version {found}; {FIRST_VERSION} (Linux 6.2) is needed.",
            code="no_sandbox",
            details={"version": found},
        )
    locking = Locking(platform.machine(), found, as_root=os.geteuid() == 0)
    return Sandbox("landlock", CONTAINS, DOES_NOT_CONTAIN, locking)
