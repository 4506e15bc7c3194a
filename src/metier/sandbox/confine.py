"""A program of its own: confines one command with Landlock and our filter, and outlives it.

Run as ``python -I -S -B confine.py DESCRIPTOR`` with a plan in JSON behind the descriptor; it
imports nothing of Metier, so that it starts in milliseconds. It knows the kernel's numbers for
Landlock, capabilities and filters; which folders and which filter is decided by whoever wrote the
plan (:mod:`metier.sandbox.landlock`).

Two processes: the first stays outside, adopts orphans and, when the command ends or the plan's
``life`` pipe closes (whoever started us is gone), kills the command's process group and waits until
nothing is left. The second gives up everything and becomes the command. The filter refuses
``setsid`` and ``setpgid``, so no process can leave that group.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys
from typing import Any, NoReturn

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_VERSION_QUESTION = 1
_PATH_BENEATH = 1
_SET_DEATH_SIGNAL, _SET_KEEP_CAPABILITIES, _DROP_BOUNDING = 1, 8, 24  # PR_…
_SET_FILTER, _SUBREAPER, _NO_NEW_PRIVILEGES, _AMBIENT = 22, 36, 38, 47
_FILTER_MODE = 2
_RAISE_AMBIENT = 2
_READ_ANYTHING = 2  # CAP_DAC_READ_SEARCH
_MOST_CAPABILITIES = 64
_CAPABILITY_FORMAT = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_CAPABILITY_CALL = {"x86_64": 126, "aarch64": 91}  # capset

_library = ctypes.CDLL(None, use_errno=True)


def landlock_version() -> int:
    """The version of the kernel's Landlock interface; 0 without one."""
    return max(int(_library.syscall(_CREATE_RULESET, None, 0, _VERSION_QUESTION)), 0)


def main() -> NoReturn:
    """Read the plan, start the command, wait for its end and for the end of all it started."""
    source = int(sys.argv[1])
    with os.fdopen(source, "rb") as file:
        plan = json.load(file)
    _checked("prctl", _library.prctl(_SUBREAPER, 1, 0, 0, 0))
    keep = set(plan["keep"])
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        become(plan, keep, supervisor)
    for descriptor in keep:
        os.close(descriptor)
    sys.exit(supervise(child, plan["life"]))


def supervise(child: int, life: int) -> int:
    """Wait for the child or for the end of ``life``; then kill its group and reap everything.

    Returns:
        The child's status as a shell says it.
    """
    handle = os.pidfd_open(child)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(life, select.POLLIN)
    poll.poll()
    # The child is not reaped yet, so nobody else can have its number.
    os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):  # before setsid there is no such group
        os.killpg(child, signal.SIGKILL)
    status = 0
    while True:
        try:
            found, code = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if found == child:
            ended = os.waitstatus_to_exitcode(code)
            status = ended if ended >= 0 else 128 - ended


def become(plan: dict[str, Any], keep: set[int], supervisor: int) -> NoReturn:
    """Give up everything that the plan does not grant and become the command."""
    try:
        os.setsid()
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
            if int(name) > 2 and int(name) not in keep:
                with contextlib.suppress(OSError):  # the listing's own is closed already
                    os.close(int(name))
        os.chdir(plan["folder"])
        if plan["user"] is not None:
            _change_user(plan["user"], plan["machine"])
        for name, (soft, hard) in plan["limits"].items():
            resource.setrlimit(getattr(resource, name), (soft, hard))
        _checked("prctl", _library.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0))
        if os.getppid() != supervisor:
            os._exit(137)  # it died before the kernel knew that we want to die with it
        _checked("prctl", _library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _restrict(plan)
        _filter(bytes.fromhex(plan["filter"]), plan["own_process"])
        os.execvpe(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606
    except OSError as failure:
        os.write(2, f"{plan['command'][0]}: {failure}\n".encode())
    os._exit(126)


def _change_user(user: int, machine: str) -> None:
    """From root to a user of its own who may read what Landlock lets it, and nothing else."""
    for number in range(_MOST_CAPABILITIES):
        if number != _READ_ANYTHING:
            _library.prctl(_DROP_BOUNDING, number, 0, 0, 0)  # beyond the last one it fails
    _checked("prctl", _library.prctl(_SET_KEEP_CAPABILITIES, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    only = 1 << _READ_ANYTHING
    header = struct.pack("<Ii", _CAPABILITY_FORMAT, 0)
    data = struct.pack("<6I", only, only, only, 0, 0, 0)  # effective, permitted, inheritable
    _checked("capset", _library.syscall(_CAPABILITY_CALL[machine], header, data))
    _checked("prctl", _library.prctl(_AMBIENT, _RAISE_AMBIENT, _READ_ANYTHING, 0, 0))


def _restrict(plan: dict[str, Any]) -> None:
    """Landlock: the plan's rules are all that is left of the file system."""
    handled = struct.pack("<3Q", *plan["handled"])[: plan["handled_bytes"]]
    ruleset = _checked(
        "landlock_create_ruleset", _library.syscall(_CREATE_RULESET, handled, len(handled), 0)
    )
    for path, access in plan["rules"]:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("<Qi", access, descriptor)
        _checked("landlock_add_rule", _library.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
        os.close(descriptor)
    _checked("landlock_restrict_self", _library.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _filter(program: bytes, own_process: int) -> None:
    """Load the filter, with our number where it compares a signal's target."""
    program = program.replace(struct.pack("<I", own_process), struct.pack("<I", os.getpid()))
    steps = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("@HP", len(program) // 8, ctypes.addressof(steps))
    _checked("prctl", _library.prctl(_SET_FILTER, _FILTER_MODE, whole, 0, 0))


def _checked(call: str, result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{call}: {os.strerror(error)}")
    return result


if __name__ == "__main__":
    sys.path.clear()
    main()
