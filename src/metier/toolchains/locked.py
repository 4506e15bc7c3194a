"""The lock files that come with the package: which packages a toolchain has, at which digests.

It reads ``locks/<name>/package.json`` and ``package-lock.json`` and says what they ask for on this
machine. It opens no network and writes nothing; no lock file names a registry.
"""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from metier.errors import NotFoundError

FILES = ("package.json", "package-lock.json")
_FOLDER = Path(__file__).parent / "locks"
_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "win32"}
_PROCESSORS = {
    "x86_64": "x64",
    "amd64": "x64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "arm",
    "riscv64": "riscv64",
    "ppc64le": "ppc64",
    "s390x": "s390x",
    "i686": "ia32",
}


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a lock file.

    Attributes:
        place: Its folder below the toolchain's (``node_modules/esbuild``).
        name: Its name, without the folders around it.
        version: Its exact version.
        integrity: Its digest as npm writes it (``sha512-…``).
        needed: Whether the toolchain is broken without it. npm leaves out optional packages that
            do not fit (an older Node); the one that must be there is esbuild's program.
    """

    place: str
    name: str
    version: str
    integrity: str
    needed: bool = True

    def content_in(self, cache: Path) -> Path:
        """Where npm's cache keeps the package's archive, if it has it."""
        kind, _, encoded = self.integrity.partition("-")
        digits = base64.b64decode(encoded).hex()
        return cache / "_cacache" / "content-v2" / kind / digits[:2] / digits[2:4] / digits[4:]


@dataclass(frozen=True)
class Lock:
    """One toolchain's two files."""

    name: str
    folder: Path

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` over the lock file, which fixes every package by its own digest."""
        data = (self.folder / "package-lock.json").read_bytes()
        return f"sha256:{hashlib.sha256(data).hexdigest()}"

    @cached_property
    def packages(self) -> tuple[Package, ...]:
        """The packages that this machine needs; those for other systems are left out."""
        table = json.loads((self.folder / "package-lock.json").read_text("utf-8"))["packages"]
        return tuple(
            _package(place, facts)
            for place, facts in table.items()
            if place and _for_this_machine(facts)
        )

    @cached_property
    def versions(self) -> dict[str, str]:
        """The packages that were asked for by name, with their exact versions."""
        asked = json.loads((self.folder / "package.json").read_text("utf-8"))["dependencies"]
        return {str(name): str(version) for name, version in asked.items()}

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The only files that stay of what npm installs; empty: all of them stay."""
        facts = json.loads((self.folder / "package.json").read_text("utf-8"))
        return tuple(map(str, facts.get("kept", ())))


def names() -> tuple[str, ...]:
    """The toolchains that there are lock files for, the newest Svelte first, pages' last."""
    return ("svelte@5", "svelte@4", "kit@2", "react@19", "browser")


@lru_cache(maxsize=8)
def lock(name: str) -> Lock:
    """The lock of one toolchain.

    Raises:
        NotFoundError: There is none of this name (code ``unknown_toolchain``).
    """
    if name not in names():
        raise NotFoundError(
            f"There is no toolchain {name[:80]!r}.",
            code="unknown_toolchain",
            remedy=f"The toolchains are {', '.join(names())}.",
        )
    return Lock(name, _FOLDER / name)


def _package(place: str, facts: dict[str, Any]) -> Package:
    name = place.rpartition("node_modules/")[2]
    needed = not facts.get("optional") or name.startswith("@esbuild/")
    return Package(place, name, str(facts["version"]), str(facts["integrity"]), needed)


def _for_this_machine(facts: dict[str, Any]) -> bool:
    """Whether npm installs it here: a package may name systems, processors and C libraries."""
    system = _SYSTEMS.get(sys.platform, sys.platform)
    processor = _PROCESSORS.get(platform.machine().lower(), platform.machine().lower())
    library = "glibc" if platform.libc_ver()[0] == "glibc" else "musl"
    return (
        _allows(facts.get("os"), system)
        and _allows(facts.get("cpu"), processor)
        and (system != "linux" or _allows(facts.get("libc"), library))
    )


def _allows(rule: Sequence[str] | None, value: str) -> bool:
    """Whether npm's list allows ``value``: ``["linux"]`` or ``["!win32"]``."""
    if not rule:
        return True
    refused = [item[1:] for item in rule if item.startswith("!")]
    wanted = [item for item in rule if not item.startswith("!")]
    return value not in refused and (not wanted or value in wanted)
