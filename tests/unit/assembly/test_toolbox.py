"""Tools are opened once for each set of toolchains, and closed together."""

from __future__ import annotations

from pathlib import Path

import pytest

import talking
from metier.assembly.toolbox import Toolbox
from metier.coding import SourceFile
from metier.errors import NotFoundError, UnavailableError
from metier.settings import Settings
from metier.toolchains import Toolchains


@pytest.fixture
def toolbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toolbox:
    talking.bring_plugins(tmp_path / "points", monkeypatch)
    return Toolbox(Settings(home=tmp_path), Toolchains(tmp_path / "toolchains"), threads=1)


def test_a_tool_is_opened_once_for_its_toolchains(toolbox: Toolbox) -> None:
    python = toolbox.open("python", {})
    assert toolbox.open("python", {}) is python
    assert toolbox.on("python", None) is python
    assert toolbox.open("python", {"python": "python@3"}) is not python
    assert python.check([SourceFile("a.py", "x = 1\n")]).ok
    toolbox.close()
    assert toolbox.open("python", {}) is not python
    toolbox.close()


def test_a_toolchain_that_is_not_installed_is_said_before(toolbox: Toolbox) -> None:
    with pytest.raises(UnavailableError) as caught:
        toolbox.on("svelte", "svelte@5")
    assert caught.value.code == "no_toolchain"


def test_a_tool_that_nobody_brings_is_named(toolbox: Toolbox) -> None:
    with pytest.raises(NotFoundError) as caught:
        toolbox.open("cobol", {})
    assert caught.value.code == "no_plugin"
