"""The filter, interpreted step by step as the kernel does."""

from __future__ import annotations

import errno
import struct

import pytest

from metier.errors import UnavailableError
from metier.sandbox.seccomp import OWN_PROCESS, Wall, build
from metier.sandbox.syscalls import MACHINES, NUMBERS

ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
MACHINE = pytest.mark.parametrize("machine", sorted(MACHINES))
WALLS: tuple[Wall, ...] = ("namespaces", "landlock")


def verdict(program: bytes, number: int, architecture: int, *arguments: int) -> int:
    """What the program returns for a call."""
    data = struct.pack("<IIQ", number, architecture, 0)
    data += b"".join(struct.pack("<Q", value) for value in (*arguments, *[0] * 6)[:6])
    steps = list(struct.iter_unpack("<HBBI", program))
    at = held = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            held = struct.unpack_from("<I", data, value)[0]
        elif code == 0x54:
            held &= value
        elif code == 0x06:
            return int(value)
        else:
            test = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
            at += yes if test else no


def answer(machine: str, wall: Wall, call: str, *arguments: int, own: bool = False) -> int:
    program = build(machine, wall=wall, own_signals=own)
    return verdict(program, NUMBERS[machine][call], MACHINES[machine], *arguments)


@MACHINE
@pytest.mark.parametrize("wall", WALLS)
def test_what_is_not_named_is_allowed(machine: str, wall: Wall) -> None:
    program = build(machine, wall=wall)
    for number in ({"x86_64": 1, "aarch64": 64}[machine], 449, 60 if machine == "x86_64" else 93):
        assert verdict(program, number, MACHINES[machine]) == ALLOW


@MACHINE
@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize(
    "call", ["ptrace", "keyctl", "io_uring_setup", "bpf", "mount", "setns", "memfd_create"]
)
def test_calls_are_refused(machine: str, wall: Wall, call: str) -> None:
    assert answer(machine, wall, call) == ERROR | errno.EPERM


@MACHINE
def test_clone3_is_not_there_and_clone_makes_no_namespaces(machine: str) -> None:
    assert answer(machine, "namespaces", "clone3") == ERROR | errno.ENOSYS
    assert answer(machine, "namespaces", "clone", 0x01200011) == ALLOW
    for bit in (0x80, 0x20000, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30):
        assert answer(machine, "namespaces", "clone", bit | 17) == ERROR | errno.EPERM


@MACHINE
def test_another_architecture_kills(machine: str) -> None:
    for other in (0x40000003, 0, *(set(MACHINES.values()) - {MACHINES[machine]})):
        assert verdict(build(machine, wall="namespaces"), 1, other) == KILL


def test_the_second_set_of_numbers_kills() -> None:
    program = build("x86_64", wall="landlock")
    assert verdict(program, 0x40000000 | 39, MACHINES["x86_64"]) == KILL
    assert verdict(build("aarch64", wall="landlock"), 5000, MACHINES["aarch64"]) == ALLOW


@MACHINE
@pytest.mark.parametrize(
    ("wall", "call", "arguments", "allowed"),
    [
        ("namespaces", "socket", (1,), True),
        ("namespaces", "socket", (10,), True),
        ("namespaces", "socket", (16,), False),
        ("namespaces", "socket", (40,), False),
        ("landlock", "socket", (1,), False),
        ("landlock", "socketpair", (1, 1 | 0o2000000), True),
        ("landlock", "socketpair", (1, 2), False),
        ("landlock", "sendto", (3, 1, 1, 0, 0), True),
        ("landlock", "sendto", (3, 1, 1, 0, 0x7FFF0000), False),
        ("landlock", "prctl", (1,), False),
        ("namespaces", "prctl", (1,), True),
        ("namespaces", "prctl", (35,), False),
        ("namespaces", "ioctl", (0, 0x5412), False),
        ("namespaces", "ioctl", (0, 0x5401), True),
        # The kernel looks at the low half of the number only, and so does the filter.
        ("namespaces", "ioctl", (0, 0x100005412), False),
        ("namespaces", "personality", (0xFFFFFFFF,), True),
        ("namespaces", "personality", (0x0040000,), False),
        ("namespaces", "prlimit64", (0,), True),
        ("namespaces", "prlimit64", (1,), False),
        ("landlock", "kill", (1,), True),  # Landlock itself refuses it
    ],
)
def test_arguments_decide(
    machine: str, wall: Wall, call: str, arguments: tuple[int, ...], allowed: bool
) -> None:
    expected = ALLOW if allowed else ERROR | errno.EPERM
    assert answer(machine, wall, call, *arguments) == expected


@MACHINE
def test_signals_go_to_oneself_only_where_landlock_does_not_know_signals(machine: str) -> None:
    for target, allowed in ((0, True), (OWN_PROCESS, True), (1, False), (0xFFFFFFFF, False)):
        expected = ALLOW if allowed else ERROR | errno.EPERM
        assert answer(machine, "landlock", "kill", target, own=True) == expected
    for call in ("tkill", "rt_sigqueueinfo", "pidfd_send_signal"):
        assert answer(machine, "landlock", call, own=True) == ERROR | errno.EPERM


@MACHINE
def test_a_listener_has_local_streams_and_calls_nobody(machine: str) -> None:
    program = build(machine, wall="landlock", listener=True)

    def found(call: str, *arguments: int) -> int:
        return verdict(program, NUMBERS[machine][call], MACHINES[machine], *arguments)

    refused = ERROR | errno.EPERM
    for kind in (1, 1 | 0o2000000, 1 | 0o4000):  # SOCK_STREAM, and with SOCK_CLOEXEC, SOCK_NONBLOCK
        assert found("socket", 1, kind) == ALLOW
    for family, kind in ((1, 2), (1, 5), (2, 1), (10, 1), (16, 3), (17, 3), (40, 1)):
        assert found("socket", family, kind) == refused
    assert found("bind", 3) == found("listen", 3) == ALLOW
    assert found("connect", 3) == refused
    assert found("sendto", 3, 0, 0, 0, 1) == refused
    assert answer(machine, "landlock", "socket", 1, 1) == refused
    assert answer(machine, "landlock", "bind", 3) == refused


@MACHINE
@pytest.mark.parametrize("wall", WALLS)
def test_it_fits(machine: str, wall: Wall) -> None:
    program = build(machine, wall=wall, own_signals=True)
    assert len(program) % 8 == 0
    assert len(program) // 8 < 4096  # BPF_MAXINSNS


def test_an_unknown_machine_is_named() -> None:
    with pytest.raises(UnavailableError, match="riscv64") as caught:
        build("riscv64", wall="landlock")
    assert caught.value.code == "no_sandbox"
