"""The workshop: toolchains, a sandbox that is made when asked for, a scratch folder."""

from __future__ import annotations

from pathlib import Path

from metier.toolchains import Toolchains
from metier.tools import Workshop


def test_making_one_calls_nothing(tmp_path: Path) -> None:
    def sandbox() -> object:
        raise AssertionError("nobody executes yet")

    workshop = Workshop(Toolchains(tmp_path), sandbox, tmp_path)
    assert workshop.pool_size == 2
    assert workshop.versions == {}
