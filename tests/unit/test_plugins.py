"""Plugins are found by name, imported only when asked for, and a broken one is named."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from metier import plugins
from metier.errors import InputError, NotFoundError, UnavailableError

Bring = Callable[[str, str], None]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bring:
    """Install a package, as a wheel's files would lie, that has entry points."""

    def install(package: str, points: str) -> None:
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(points)
        importlib.invalidate_caches()

    (tmp_path / "sound_plugin.py").write_text('"""A plugin."""\ndef run():\n    return 42\n')
    (tmp_path / "broken_plugin.py").write_text("import a_package_that_is_not_there\n")
    (tmp_path / "wrong_plugin.py").write_text("def run(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return install


def test_a_plugin_is_loaded_by_name_and_not_before(bring: Bring) -> None:
    bring("sound", "[metier.tools]\nlute = sound_plugin:run\n")
    assert {"lute", "svelte"} <= set(plugins.names("tools"))
    assert "lute" not in plugins.names("engines")
    assert "sound_plugin" not in sys.modules
    assert plugins.load("tools", "lute")() == 42
    del sys.modules["sound_plugin"]


def test_a_missing_one_is_named_with_those_that_are_near(bring: Bring) -> None:
    bring("sound", "[metier.tools]\nsvelte = sound_plugin:run\n")
    with pytest.raises(NotFoundError, match="Did you mean svelte") as caught:
        plugins.load("tools", "svelt")
    assert caught.value.code == "no_plugin"
    with pytest.raises(NotFoundError):
        plugins.load("rungs", "nothing-like-it")


@pytest.mark.parametrize("target", ["broken_plugin:run", "wrong_plugin:run", "sound_plugin:gone"])
def test_a_broken_one_names_its_package(bring: Bring, target: str) -> None:
    bring("faulty", f"[metier.scorers]\nbad = {target}\n")
    with pytest.raises(UnavailableError, match="faulty") as caught:
        plugins.load("scorers", "bad")
    assert caught.value.code == "broken_plugin"
    sys.modules.pop("sound_plugin", None)


def test_two_packages_cannot_bring_one_name(bring: Bring) -> None:
    bring("first", "[metier.tools]\nsame = sound_plugin:run\n")
    bring("second", "[metier.tools]\nsame = sound_plugin:other\n")
    with pytest.raises(InputError, match="Two packages") as caught:
        plugins.load("tools", "same")
    assert caught.value.code == "two_plugins"
