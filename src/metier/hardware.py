"""What this machine is: processor, cores that may be used, memory, and its class of processor.

It reads what the system says about itself, without third-party packages, and decides nothing.
Two machines of one class give the same bits for the same arithmetic in one toolchain; across
classes libraries choose other kernels.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import os
import platform
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from metier.card import Machine

_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")

# The levels of the x86-64 psABI, by the names that Linux gives to flags.
_LEVELS = (
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("x86-64-v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    ("x86-64-v2", {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
)
_EXTRAS = {
    "avx512_vnni": "vnni512",
    "avx_vnni": "vnni",
    "avx512_bf16": "bf16",
    "amx_int8": "amx",
    "asimddp": "dotprod",
    "i8mm": "i8mm",
    "sve": "sve",
    "bf16": "bf16",
}
"""Instructions beyond the level for which numeric libraries have kernels of their own."""


def machine() -> Machine:
    """Where something is measured, for a card."""
    return Machine(
        processor=processor_name(),
        cores=usable_cores(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def usable_cores() -> int:
    """Cores that this process may use: its affinity, cut by the quota of its control group."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cpu_quota(_read(_CGROUP / "cpu.max"))
    return max(1, min(cores, math.ceil(quota)) if quota else cores)


def cpu_quota(text: str) -> float | None:
    """Cores that a control group's ``cpu.max`` grants ("200000 100000" is 2), or ``None``."""
    parts = text.split()
    if len(parts) == 2 and all(part.isdigit() for part in parts) and int(parts[1]) > 0:
        return int(parts[0]) / int(parts[1])
    return None


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, cut by its control group."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read(_CGROUP / "memory.max").strip()
    return min(total, int(limit)) if limit.isdigit() else total


def give_back_memory() -> None:
    """Hand memory that was freed back to the system, where the C library can (glibc).

    After work that is done once, so that what runs for days does not hold what that work needed.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def free_memory_bytes() -> int:
    """Memory that can be had without swapping, as the system estimates it."""
    for line in _read(_MEMINFO).splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return memory_bytes()


@lru_cache(maxsize=1)
def processor_name() -> str:
    """The processor's name as people know it."""
    return (
        name_from_cpuinfo(_read(_CPUINFO))
        or _sysctl("machdep.cpu.brand_string")
        or platform.processor()
        or platform.machine()
    )


def name_from_cpuinfo(text: str) -> str:
    """The processor's name in ``/proc/cpuinfo``, or an empty text."""
    return _first(text, "model name", "Model", "Hardware")


@lru_cache(maxsize=1)
def cpu_class() -> str:
    """The class of the processor: its instruction set and what libraries add kernels for.

    For example ``x86-64-v4+vnni512+intel`` or ``arm64+dotprod``. Stands in the toolchain of a
    card: a remake is expected to give the same bytes only on the same class. The vendor is part
    of it because OpenBLAS chooses its kernels by it.
    """
    text = _read(_CPUINFO)
    return class_from_flags(platform.machine(), flags_from_cpuinfo(text), vendor_from_cpuinfo(text))


def flags_from_cpuinfo(text: str) -> frozenset[str]:
    """The flags of the first processor in ``/proc/cpuinfo``."""
    return frozenset(_first(text, "flags", "Features").split())


def vendor_from_cpuinfo(text: str) -> str:
    """``intel``, ``amd`` or another vendor in ``/proc/cpuinfo``, or an empty text."""
    vendor = _first(text, "vendor_id")
    return {"GenuineIntel": "intel", "AuthenticAMD": "amd"}.get(vendor, vendor.lower())


def class_from_flags(architecture: str, flags: frozenset[str], vendor: str = "") -> str:
    """The class for an architecture (as ``platform.machine`` names it), its flags and vendor."""
    family = {"amd64": "x86-64", "x86_64": "x86-64", "aarch64": "arm64"}.get(
        architecture.lower(), architecture.lower()
    )
    if family == "x86-64":
        family = _level(flags)
    extras = sorted({name for flag, name in _EXTRAS.items() if flag in flags})
    return "+".join(part for part in (family, *extras, vendor) if part)


def _first(text: str, *names: str) -> str:
    """The first value that ``/proc/cpuinfo`` gives to one of ``names``, or an empty text."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in names and value.strip():
            return " ".join(value.split())
    return ""


def _level(flags: frozenset[str]) -> str:
    """The highest level all of whose flags, and those of the levels below, are there."""
    reached = "x86-64"
    for name, needed in reversed(_LEVELS):
        if not needed <= flags:
            break
        reached = name
    return reached


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _sysctl(name: str) -> str:
    """A text that macOS knows about itself, or an empty one elsewhere."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
        size = ctypes.c_size_t(256)
        buffer = ctypes.create_string_buffer(size.value)
        if library.sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, 0) == 0:
            return buffer.value.decode("utf-8", "replace")
    return ""
