"""The filter that a sandboxed process's system calls pass: a small classic BPF program.

It knows which calls are refused and how the kernel wants that said; it refuses to know how the
filter is loaded. Calls that are not named are allowed: this is the second wall, behind namespaces
or Landlock, against what those do not cover (ptrace, keyrings, io_uring, odd socket families).

Format: ``struct sock_filter`` (Documentation/userspace-api/seccomp_filter.rst).
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from typing import Final, Literal

from metier.errors import UnavailableError
from metier.sandbox.syscalls import MACHINES, NUMBERS

Wall = Literal["namespaces", "landlock"]
"""What stands in front of the filter: with Landlock it has to refuse more."""

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_AND: Final = 0x54  # BPF_ALU | BPF_AND | BPF_K
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_KILL: Final = 0x80000000  # the whole process
_X32: Final = 0x40000000  # the bit of x86_64's second, 32-bit set of numbers

# struct seccomp_data: nr, arch, instruction_pointer, args[6]; both machines are little-endian.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16

# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NAMESPACES: Final = 0x80 | 0x20000 | 0x02000000 | 0x04000000 | 0x08000000
_MORE_NAMESPACES: Final = 0x10000000 | 0x20000000 | 0x40000000
_TERMINAL_TRICKS: Final = (0x5412, 0x541C, 0x5423)  # TIOCSTI, TIOCLINUX, TIOCSETD
_LOCAL, _INTERNET, _INTERNET6 = 1, 2, 10  # AF_UNIX, AF_INET, AF_INET6
_DEATH_SIGNAL, _MEMORY_MAP = 1, 35  # PR_SET_PDEATHSIG, PR_SET_MM

OWN_PROCESS: Final = 0x4D455449
"""Stands where the filter compares a signal's target; who loads it puts its own number there."""

_ALWAYS: Final = (
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "kcmp", "pidfd_getfd", "keyctl", "add_key", "request_key", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd",
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree",
    "open_tree_attr", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "statmount", "listmount", "kexec_load", "kexec_file_load",
    "init_module", "finit_module", "delete_module", "create_module", "query_module",
    "get_kernel_syms", "name_to_handle_at", "open_by_handle_at", "fanotify_init",
    "fanotify_mark", "quotactl", "quotactl_fd", "acct", "swapon", "swapoff", "reboot",
    "sethostname", "setdomainname", "iopl", "ioperm", "modify_ldt", "uselib", "ustat",
    "sysfs", "_sysctl", "nfsservctl", "lookup_dcookie", "vhangup", "syslog", "settimeofday",
    "clock_settime", "adjtimex", "clock_adjtime", "move_pages", "migrate_pages", "mbind",
    "set_mempolicy", "set_mempolicy_home_node", "vmsplice", "memfd_create", "memfd_secret",
)  # fmt: skip

# Landlock leaves these to ordinary permissions: metadata of files one owns, the network beyond
# TCP, shared memory and queues of the host, and other processes of the same user.
_WITH_LANDLOCK: Final = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat",
    "utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr",
    "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "mknod",
    "mknodat", "socket", "connect", "bind", "listen", "shmget", "shmat", "shmctl", "semget",
    "msgget", "mq_open", "setsid", "setpgid", "setpriority", "sched_setparam",
    "sched_setscheduler", "sched_setaffinity", "sched_setattr", "ioprio_set",
)  # fmt: skip

_SIGNALS: Final = ("rt_sigqueueinfo", "rt_tgsigqueueinfo", "tkill", "pidfd_send_signal")


@dataclass(frozen=True, slots=True)
class Look:
    """Allows or refuses a call by one of its arguments (its low 32 bits).

    Attributes:
        call: The system call.
        argument: Which argument, 0 to 5.
        values: What it is compared with.
        refuse: Whether a match refuses (else a match allows and all else is refused).
        mask: Applied first; with ``bits`` unset it keeps what is compared.
        bits: Whether a match is "any bit of ``values[0]`` is set".
        also: A second look that a match has to pass as well (only if a match allows).
    """

    call: str
    argument: int
    values: tuple[int, ...]
    refuse: bool
    mask: int | None = None
    bits: bool = False
    also: Look | None = None


_LOOKS: Final = (
    Look("clone", 0, (_NAMESPACES | _MORE_NAMESPACES,), refuse=True, bits=True),
    Look("ioctl", 1, _TERMINAL_TRICKS, refuse=True),
    Look("personality", 0, (0, 0xFFFFFFFF), refuse=False),
    Look("prlimit64", 0, (0,), refuse=False),
)
_LOOKS_BY_WALL: Final[dict[Wall, tuple[Look, ...]]] = {
    "namespaces": (
        Look("socket", 0, (_LOCAL, _INTERNET, _INTERNET6), refuse=False),
        Look("socketpair", 0, (_LOCAL,), refuse=False),
        Look("prctl", 0, (_MEMORY_MAP,), refuse=True),
    ),
    "landlock": (
        # Only SOCK_STREAM: a datagram socket could be sent to any address.
        Look("socketpair", 1, (1,), refuse=False, mask=0xFF),
        Look("sendto", 4, (0,), refuse=False),
        Look("prctl", 0, (_MEMORY_MAP, _DEATH_SIGNAL), refuse=True),
    ),
}
# A library that insists on listening may have stream sockets of this machine: never of a network,
# and it can call nobody.
_LISTENING: Final = ("socket", "bind", "listen")
_OWN_LISTENER: Final = (
    Look("socket", 0, (_LOCAL,), refuse=False, also=Look("socket", 1, (1,), False, mask=0xFF)),
)
_OWN_SIGNALS: Final = (
    Look("kill", 0, (0, OWN_PROCESS), refuse=False),
    Look("tgkill", 0, (OWN_PROCESS,), refuse=False),
)


def build(machine: str, *, wall: Wall, own_signals: bool = False, listener: bool = False) -> bytes:
    """The filter for a machine, ready for ``bwrap --seccomp`` or ``prctl``.

    Args:
        machine: As ``uname -m`` says it.
        wall: What else confines the process.
        own_signals: Whether signals to other processes are refused here (Landlock does it
            itself since ABI 6); :data:`OWN_PROCESS` must then be replaced.
        listener: Whether, behind Landlock, it may listen on a local stream socket. It still can
            call nobody and reaches no network. Namespaces allow it anyway: nobody is there.

    Raises:
        UnavailableError: ``no_sandbox``: no filter is known for the machine.
    """
    if machine not in MACHINES:
        raise UnavailableError(
            f"No system call filter is known for a processor of the kind {machine!r}.",
            code="no_sandbox",
            remedy="Run on x86_64 or aarch64.",
            details={"machine": machine},
        )
    numbers = NUMBERS[machine]
    refused = list(_ALWAYS)
    looks = [*_LOOKS, *_LOOKS_BY_WALL[wall]]
    if wall == "landlock":
        refused += [name for name in _WITH_LANDLOCK if not listener or name not in _LISTENING]
        looks += _OWN_LISTENER if listener else ()
        refused += _SIGNALS if own_signals else ()
        looks += _OWN_SIGNALS if own_signals else ()
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, MACHINES[machine], skip_if=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        program += [_step(_AT_LEAST, _X32, skip_if_not=1), _step(_RETURN, _KILL)]
    # ENOSYS makes the C library fall back to clone, whose flags can be looked at.
    program += _refuse(numbers["clone3"], errno.ENOSYS)
    for name in refused:
        if name in numbers:
            program += _refuse(numbers[name], errno.EPERM)
    for look in looks:
        program += _look(numbers[look.call], look)
    return b"".join([*program, _step(_RETURN, _ALLOW)])


def _step(code: int, value: int, *, skip_if: int = 0, skip_if_not: int = 0) -> bytes:
    return struct.pack("<HBBI", code, skip_if, skip_if_not, value)


def _refuse(number: int, error: int) -> list[bytes]:
    return [_step(_EQUAL, number, skip_if_not=1), _step(_RETURN, _ERRNO | error)]


def _look(number: int, look: Look) -> list[bytes]:
    """Steps for one look; they end in a verdict, so the number need not be loaded again."""
    steps = _verdict(look)
    return [_step(_EQUAL, number, skip_if_not=len(steps)), *steps]


def _verdict(look: Look) -> list[bytes]:
    match, other = (_ERRNO | errno.EPERM, _ALLOW) if look.refuse else (_ALLOW, _ERRNO | errno.EPERM)
    steps = [_step(_LOAD, _ARGUMENTS + 8 * look.argument)]
    if look.mask is not None:
        steps.append(_step(_AND, look.mask))
    test = _ANY_BIT if look.bits else _EQUAL
    if look.also is not None:
        (value,) = look.values
        return [
            *steps,
            _step(test, value, skip_if=1),
            _step(_RETURN, other),
            *_verdict(look.also),
        ]
    for value in look.values:
        steps += [_step(test, value, skip_if_not=1), _step(_RETURN, match)]
    return [*steps, _step(_RETURN, other)]
