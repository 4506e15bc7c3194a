"""What a machine says about itself, on this one and from recorded texts."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from metier import hardware
from metier.card import Machine

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R)   Processor
flags\t\t: fpu sse pni ssse3 cx16 sse4_1 sse4_2 movbe popcnt xsave avx f16c lahf_lm abm bmi1 avx2 \
bmi2 fma avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni
"""
ARM = """processor\t: 0
BogoMIPS\t: 50.00
Features\t: fp asimd aes crc32 atomics asimddp i8mm
"""
V3 = frozenset(["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"])
V2 = frozenset(["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"])


def test_this_machine() -> None:
    here = hardware.machine()
    assert isinstance(here, Machine)
    assert here.processor
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert here.python == platform.python_version()
    assert platform.system() in here.system


def test_memory_is_plausible() -> None:
    total = hardware.memory_bytes()
    assert 1 << 28 < total < 1 << 46
    assert 0 < hardware.free_memory_bytes() < 1 << 46


def test_cores_follow_the_affinity() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert hardware.usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("200000 100000\n", 2.0),
        ("50000 100000", 0.5),
        ("max 100000", None),
        ("", None),
        ("1 0", None),
    ],
)
def test_a_quota_counts_cores(text: str, cores: float | None) -> None:
    assert hardware.cpu_quota(text) == cores


def test_names_and_flags_of_recorded_machines() -> None:
    assert hardware.name_from_cpuinfo(INTEL) == "Intel(R) Xeon(R) Processor"
    assert hardware.name_from_cpuinfo(ARM) == ""
    assert hardware.vendor_from_cpuinfo(INTEL) == "intel"
    assert hardware.vendor_from_cpuinfo("vendor_id : AuthenticAMD") == "amd"
    assert hardware.vendor_from_cpuinfo(ARM) == ""
    assert "asimddp" in hardware.flags_from_cpuinfo(ARM)
    assert hardware.flags_from_cpuinfo("") == frozenset()


@pytest.mark.parametrize(
    ("architecture", "flags", "vendor", "expected"),
    [
        ("x86_64", frozenset(), "", "x86-64"),
        ("AMD64", V2, "", "x86-64-v2"),
        ("x86_64", V2 | V3, "amd", "x86-64-v3+amd"),
        ("x86_64", V3, "amd", "x86-64+amd"),
        ("x86_64", V2 | V3 | {"avx512f"}, "intel", "x86-64-v3+intel"),
        ("aarch64", frozenset({"asimddp", "i8mm"}), "", "arm64+dotprod+i8mm"),
        ("arm64", frozenset(), "", "arm64"),
        ("riscv64", frozenset(), "", "riscv64"),
    ],
)
def test_the_class_is_the_highest_level_that_is_complete(
    architecture: str, flags: frozenset[str], vendor: str, expected: str
) -> None:
    assert hardware.class_from_flags(architecture, flags, vendor) == expected


def test_the_class_of_a_recorded_machine() -> None:
    flags = hardware.flags_from_cpuinfo(INTEL)
    vendor = hardware.vendor_from_cpuinfo(INTEL)
    assert hardware.class_from_flags("x86_64", flags, vendor) == "x86-64-v4+vnni512+intel"


def test_the_class_of_this_machine_is_stable() -> None:
    assert hardware.cpu_class() == hardware.cpu_class()
    assert hardware.cpu_class().split("+")[0].startswith(("x86-64", "arm64", platform.machine()))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives memory back")
def test_freed_memory_goes_back_to_the_system() -> None:
    def resident() -> int:
        pages = Path("/proc/self/statm").read_text("ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    # Small pieces with one that stays at the end: the heap cannot shrink by itself.
    pieces = [b"x" * 5000 + bytes([number % 256]) for number in range(10_000)]
    last = pieces[-1]
    del pieces
    before = resident()
    hardware.give_back_memory()
    assert last
    assert before - resident() > 10_000_000
