"""Graphics processors by what the system says, in folders like the system's."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

from metier.fitting.accelerators import accelerators, listed


@pytest.fixture(autouse=True)
def no_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(platform, "system", lambda: "Linux")


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert accelerators(nvidia=tmp_path / "no", drm=tmp_path / "no") == ()


def test_the_driver_and_the_kernel_tell_each_card_once(tmp_path: Path) -> None:
    one = tmp_path / "nvidia" / "0000:01:00.0"
    one.mkdir(parents=True)
    (one / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 1\n", "utf-8")
    for name, vendor in (("card0", "0x10de"), ("card1", "0x1002"), ("card1-DP-1", "0x1002")):
        device = tmp_path / "drm" / name / "device"
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n", "utf-8")
        (device / "mem_info_vram_total").write_text("17163091968\n", "utf-8")
    found = accelerators(nvidia=tmp_path / "nvidia", drm=tmp_path / "drm")
    assert [one.name for one in found] == ["NVIDIA H200", "AMD graphics"]
    assert found[1].memory_bytes == 17163091968


def test_the_tools_lines_are_read() -> None:
    found = listed("NVIDIA H200, 143771\nnonsense\n, \n")
    assert [(one.name, one.memory_bytes) for one in found] == [("NVIDIA H200", 143771 << 20)]
