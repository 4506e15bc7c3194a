"""Graphics processors that the system shows, without packages of their makers.

It reads what Linux and macOS say; of NVIDIA's it asks their tool where there is one. Whether an
engine uses them is the engine's to say.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

from metier.fitting.values import Accelerator
from metier.hardware import memory_bytes, processor_name

_NVIDIA = Path("/proc/driver/nvidia/gpus")
_DRM = Path("/sys/class/drm")
_MAKERS = {"0x1002": "AMD", "0x8086": "Intel", "0x10de": "NVIDIA"}
_SECONDS = 5.0


def accelerators(*, nvidia: Path = _NVIDIA, drm: Path = _DRM) -> tuple[Accelerator, ...]:
    """What there is, each once.

    Args:
        nvidia: Where NVIDIA's driver tells of its processors.
        drm: Where Linux lists graphics cards.
    """
    found = list(_by_tool() or _of_driver(nvidia))
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        # Apple's processors share all memory with the graphics part.
        found.append(Accelerator(f"{processor_name()} graphics", memory_bytes()))
    seen_nvidia = bool(found)
    for card in sorted(drm.glob("card[0-9]*")):
        maker = _MAKERS.get(_read(card / "device" / "vendor"), "")
        if "-" in card.name or not maker or (maker == "NVIDIA" and seen_nvidia):
            continue
        memory = _read(card / "device" / "mem_info_vram_total")
        found.append(Accelerator(f"{maker} graphics", int(memory) if memory.isdigit() else 0))
    return tuple(found)


def _by_tool() -> tuple[Accelerator, ...]:
    """What ``nvidia-smi`` lists, or nothing."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return listed(done.stdout)


def listed(text: str) -> tuple[Accelerator, ...]:
    """Names and memory (in MiB) of the tool's lines: ``NVIDIA H200, 143771``."""
    found = []
    for line in text.splitlines():
        name, _, memory = line.rpartition(",")
        if name.strip() and memory.strip().isdigit():
            found.append(Accelerator(name.strip(), int(memory) << 20))
    return tuple(found)


def _of_driver(folder: Path) -> tuple[Accelerator, ...]:
    """What the driver's own files say: a name each, no memory."""
    found = []
    for file in sorted(folder.glob("*/information")):
        for line in _read(file).splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Model" and value.strip():
                found.append(Accelerator(f"NVIDIA {value.strip().removeprefix('NVIDIA ')}"))
    return tuple(found)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
