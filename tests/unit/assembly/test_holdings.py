"""What the fleet takes of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import workshop


def test_memory_and_disk_are_told_in_bytes(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", METIER_MEMORY="1GB")
    found = metier.holdings.machine()
    memory, disk = found["memory"], found["disk"]
    assert memory["used"] == 0
    assert memory["limited"]
    assert memory["room"] == metier.settings.memory
    assert 0 < memory["free"] <= memory["total"]
    assert disk["problem"] is None
    assert disk["store"] > 0
    assert disk["free"] <= shutil.disk_usage(tmp_path).total


def test_what_was_removed_is_seen_at_once_after_forgetting(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home")
    assert metier.holdings.machine()["disk"]["reclaimable"] == 0
    metier.remove(workshop.BASE)
    assert metier.holdings.machine()["disk"]["reclaimable"] == 0, "remembered for a moment"
    metier.holdings.forget()
    assert metier.holdings.machine()["disk"]["reclaimable"] > 0


def test_a_store_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    metier = workshop.opened(tmp_path / "home", base=False)
    shutil.rmtree(tmp_path / "home" / "store" / "blobs")
    disk = metier.holdings.machine()["disk"]
    assert disk["problem"]
    assert disk["store"] is None
