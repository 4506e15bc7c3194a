"""Bubblewrap: new namespaces, our filter, prlimit, and its init killed from outside.

It knows the arguments of ``bwrap`` 0.8 and later, of ``prlimit`` and of ``setpriv``; it knows no
protocol and no limits of time. For an ordinary user the namespaces include a user namespace. Root
needs none, and would otherwise keep owning every file of root: there the command runs under a user
number of its own, so that the limit on processes counts (it never binds root) and no other process
can be signalled.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import select
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from metier.errors import UnavailableError
from metier.sandbox.confining import Request, Sandbox
from metier.sandbox.launching import Launch, Process, contents
from metier.sandbox.processes import descendants, in_turn, spare_users
from metier.sandbox.seccomp import build
from metier.sandbox.values import WORK, Limits

CONTAINS: Final = (
    "files: only the system's programs and libraries and the given places, all of them read-only",
    "writing: only /job and /tmp, which live in memory, are capped and vanish with it",
    "network: none; its own loopback only, no host sockets of any kind",
    "processes: sees and signals only its own, which are capped in number and all die with it",
    "kernel: tracing, keyrings, io_uring, BPF, mounts, namespaces and modules are refused",
    "time, processor seconds, memory, file size, output and open files are limited",
    "environment: cleared",
)
DOES_NOT_CONTAIN: Final = (
    "a defect of the kernel in a call that is not refused",
    "side channels: timing, caches, speculation",
    "the load it puts on the machine until a limit ends it",
    "kernel memory behind pipes and sockets, which only the number of open files bounds",
    "facts of the machine: processor, kernel version, load, memory, installed programs",
)

_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_SETTINGS: Final = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_NOBODY: Final = 65534
_SETTLING: Final = 10.0  # seconds in which the kernel has cleared a namespace


def environment(limits: Limits) -> dict[str, str]:
    """The names that every sandboxed process finds in its environment."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/home",
        "TMPDIR": "/tmp",  # noqa: S108 - a tmpfs of the sandbox's own
        "LANG": "C.UTF-8",
        "USER": "nobody",
        "LOGNAME": "nobody",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NODE_OPTIONS": f"--max-old-space-size={max(limits.memory_mb * 3 // 4, 32)}",
        # Numerical libraries start a thread for each core: too many on a large machine.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def limiting(program: str, limits: Limits) -> list[str]:
    """``prlimit`` with its options for a program."""
    options = {
        "cpu": f"{limits.cpu_seconds}:{limits.cpu_seconds + 1}",
        "fsize": str(limits.file_mb << 20),
        "nofile": str(limits.open_files),
        # The sandbox's own init is one of them.
        "nproc": str(limits.processes + 1),
        "core": "0",
        "memlock": str(1 << 16),
        "msgqueue": "0",
    }
    space = limits.address_bytes(program)
    if space is not None:
        options["as"] = str(space)
    return ["prlimit", *(f"--{name}={value}" for name, value in options.items()), "--"]


class Inside:
    """The process that bubblewrap starts as number 1 of the new namespace, seen from outside.

    Bubblewrap's monitor ends as soon as the command does, before what else lives in the namespace
    is dead. So the command is held back until we have a handle on that first process: killing it
    kills everything in there, and the kernel reports its end only after theirs.
    """

    def __init__(self) -> None:
        self._told, self.tell = os.pipe()  # bubblewrap writes the number here (--info-fd)
        self.hold, self._go = os.pipe()  # and waits here (--block-fd)
        self._process: int | None = None
        self._handle: int | None = None

    def attach(self, _: Process) -> None:
        """Take the handle and let the command start."""
        said = b""
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        while b"}" not in said and poll.poll(_SETTLING * 1000):
            more = os.read(self._told, 4096)
            if not more:
                break
            said += more
        found = re.search(rb'"child-pid": *(\d+)', said)
        if found:  # else bubblewrap has failed and says why on stderr
            self._process = int(found[1])
            with contextlib.suppress(ProcessLookupError):
                self._handle = os.pidfd_open(self._process)
        with contextlib.suppress(BrokenPipeError):
            os.write(self._go, b"x")

    def end(self, process: Process) -> None:
        """Kill everything inside; the monitor then ends by itself."""
        if self._handle is None:
            process.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def members(self, _: Process) -> list[int]:
        """The processes inside, without the first."""
        return [] if self._process is None else descendants(self._process)

    def tidy(self) -> None:
        """Once the monitor has ended: wait until everything inside is dead."""
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            poll = select.poll()
            poll.register(self._handle, select.POLLIN)
            poll.poll(_SETTLING * 1000)
            os.close(self._handle)
        os.close(self._told)
        os.close(self._go)


class Wrapping:
    """Prepares launches; one for each machine and user.

    Args:
        program: Path of ``bwrap``.
        machine: As ``uname -m`` says it.
        as_root: Whether we are root.
    """

    def __init__(self, program: str, machine: str, *, as_root: bool) -> None:
        self._program = program
        self._filter = build(machine, wall="namespaces")
        self._as_root = as_root
        # Every other number; Landlock takes those between.
        self._numbers = in_turn(spare_users()[::2])

    def __call__(self, request: Request) -> Launch:
        """The launch for a request."""
        inside = Inside()
        handed = [inside.tell, inside.hold]
        user = next(self._numbers) if self._as_root else _NOBODY
        try:
            arguments = [
                *self._walls(),
                *_system(),
                *_folders(request.limits),
                *_identity(user, handed),
                *_files(request, handed),
                *_places(request),
                # A user's own processes could else write the memory of bubblewrap's through /proc.
                "--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/",
                *_environment(request),
                "--chdir", WORK,
                "--seccomp", _hand(self._filter, handed),
                "--info-fd", str(inside.tell), "--block-fd", str(inside.hold),
            ]  # fmt: skip
        except BaseException:
            for descriptor in handed:
                os.close(descriptor)
            inside.tidy()
            raise
        command = [*limiting(request.command[0], request.limits), *self._identified(user)]
        return Launch(
            command=(self._program, *arguments, "--", *command, *request.command),
            end=inside.end,
            members=inside.members,
            attach=inside.attach,
            tidy=inside.tidy,
            inherited=(*handed, *request.descriptors),
            stdin=request.stdin,
            folder="/",
        )

    def _walls(self) -> list[str]:
        walls = [
            "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup-try", "--die-with-parent", "--new-session",
            "--hostname", "sandbox", "--cap-drop", "ALL",
        ]  # fmt: skip
        if not self._as_root:
            return [*walls, "--unshare-user", "--uid", str(_NOBODY), "--gid", str(_NOBODY)]
        # For setpriv, which gives them up with everything else.
        for needed in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            walls += ["--cap-add", needed]
        return walls

    def _identified(self, user: int) -> list[str]:
        if not self._as_root:
            return []
        return [
            "setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all", "--",
        ]  # fmt: skip


def _hand(data: bytes, handed: list[int]) -> str:
    """A new descriptor with the data, noted for the launch."""
    handed.append(contents(data))
    return str(handed[-1])


def _system() -> Iterator[str]:
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)
    yield from ("--perms", "0755", "--dir", "/etc")
    for name in _SETTINGS:
        yield from ("--ro-bind-try", name, name)


def _folders(limits: Limits) -> list[str]:
    size = str(limits.disk_mb << 20)
    return [
        "--proc", "/proc", "--dev", "/dev",
        "--size", size, "--perms", "1777", "--tmpfs", "/dev/shm",  # noqa: S108
        "--size", size, "--perms", "1777", "--tmpfs", "/tmp",  # noqa: S108
        "--size", size, "--perms", "0777", "--tmpfs", WORK,
        "--dir", "/home",
    ]  # fmt: skip


def _identity(user: int, handed: list[int]) -> Iterator[str]:
    """The few files below /etc that programs ask for a name of their user and of this host."""
    texts = {
        "passwd": f"nobody:x:{user}:{user}:nobody:/home:/bin/false\n",
        "group": f"nogroup:x:{user}:\n",
        "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    for name, text in texts.items():
        yield from ("--perms", "0444", "--file", _hand(text.encode(), handed), f"/etc/{name}")


def _files(request: Request, handed: list[int]) -> Iterator[str]:
    yield from _parents((f"{WORK}/{name}" for name in request.files), "0777")
    for name, data in request.files.items():
        yield from ("--perms", "0666", "--file", _hand(data, handed), f"{WORK}/{name}")


def _places(request: Request) -> Iterator[str]:
    # Bubblewrap would make missing folders as closed as what they lead to.
    yield from _parents((place.target for place in request.places), "0755")
    for place in request.places:
        yield from ("--ro-bind", str(place.source), place.target)


def _parents(paths: Iterable[str], mode: str) -> Iterator[str]:
    """The folders above the paths, each before what lies in it; not those that are there."""
    found = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    for folder in sorted(found - {"/", WORK, "/tmp", "/etc", "/home"}):  # noqa: S108
        if not any(PurePosixPath(folder).is_relative_to(name) for name in _SYSTEM):
            yield from ("--perms", mode, "--dir", folder)


def _environment(request: Request) -> Iterator[str]:
    channel = {} if request.channel is None else request.channel.environment()
    values = {**environment(request.limits), **request.environment, **channel}
    yield "--clearenv"
    for name, value in values.items():
        yield from ("--setenv", name, value)


def open_bubblewrap(find: Callable[[str], str | None] = shutil.which) -> Sandbox:
    """The sandbox, untried.

    Args:
        find: Finds a program by name.

    Raises:
        UnavailableError: ``no_sandbox``: a program is missing, or the processor is not known.
    """
    as_root = os.geteuid() == 0
    for name in ("bwrap", "prlimit", *(("setpriv",) if as_root else ())):
        if find(name) is None:
            raise UnavailableError(f"The program {name} is not installed.", code="no_sandbox")
    program = find("bwrap")
    assert program is not None
    wrapping = Wrapping(program, platform.machine(), as_root=as_root)
    return Sandbox("bubblewrap", CONTAINS, DOES_NOT_CONTAIN, wrapping)
