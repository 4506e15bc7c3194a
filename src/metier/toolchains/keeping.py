"""The folder of installed toolchains: what is there, what it has, and putting one there.

A toolchain lies in ``<folder>/<name>/<first 12 digits of its lock's digest>``; it is put there by
one rename, so what is there is whole. It knows neither what the packages are for nor who asks.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from metier.errors import UnavailableError
from metier.messages import Report, silent
from metier.toolchains import locked
from metier.toolchains.installing import install
from metier.toolchains.locked import Lock, lock
from metier.toolchains.node import Node, find_node

KNOWN = locked.names()
OLD_SECONDS = 7 * 24 * 3600.0
"""How long another version of a toolchain is kept beside a new one."""


@dataclass(frozen=True, slots=True)
class ToolchainState:
    """One toolchain, for people and for JSON.

    Attributes:
        name: ``svelte@5``.
        installed: Whether it can be used now.
        digest: ``sha256:…`` of its lock file.
        versions: The packages that matter, with their exact versions.
        path: Where it is, or ``None``.
        packages: How many packages it has on this machine.
    """

    name: str
    installed: bool
    digest: str
    versions: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    packages: int = 0


@dataclass(frozen=True)
class Toolchains:
    """What is installed in ``folder``, which need not exist."""

    folder: Path

    def path(self, name: str) -> Path:
        """The folder that holds the toolchain's ``node_modules``.

        Raises:
            NotFoundError: There is no toolchain of this name (``unknown_toolchain``).
            UnavailableError: It is not installed (``no_toolchain``).
        """
        wanted = self._place(lock(name))
        if not _whole(wanted):
            raise UnavailableError(
                f"The toolchain {name} is not installed.",
                code="no_toolchain",
                remedy=f"Run 'metier doctor --install {name}'.",
                details={"toolchain": name},
            )
        return wanted

    def digest(self, name: str) -> str:
        """``sha256:…`` over the toolchain's lock file."""
        return lock(name).digest

    def installed(self, name: str) -> bool:
        """Whether it can be used now."""
        return _whole(self._place(lock(name)))

    def install(
        self, name: str, *, report: Report = silent, cancelled: Callable[[], bool] = lambda: False
    ) -> Path:
        """Put a toolchain in place with npm, unless it is there already.

        Archives come from npm's cache or the registry that npm is configured for, and each must
        have the digest of the lock file; no package's script is run. Two calls at once, also from
        two processes, do the work once. Versions of the same toolchain that another lock asked for
        are removed once they are a week old: an older Metier may still use this folder.

        Returns:
            The folder that holds ``node_modules``.

        Raises:
            NotFoundError: ``unknown_toolchain``.
            InputError: ``cancelled``; nothing was installed.
            UnavailableError: ``no_node``, ``no_npm``, ``offline``, ``npm_failed`` or ``timeout``.
            CorruptError: An archive does not have its digest (``npm_integrity``).
            StorageError: ``disk_full``, or the folder cannot be written.
        """
        wanted = lock(name)
        place = self._place(wanted)
        if not _whole(place):
            install(wanted, place, node=self._node, report=report, cancelled=cancelled)
            _remove_old(place)
        return place

    def list(self) -> list[ToolchainState]:
        """Every toolchain that there is a lock file for, installed or not."""
        states = []
        for name in KNOWN:
            wanted = lock(name)
            place = self._place(wanted)
            here = _whole(place)
            states.append(
                ToolchainState(
                    name=name,
                    installed=here,
                    digest=wanted.digest,
                    versions=wanted.versions,
                    path=place if here else None,
                    packages=len(wanted.packages),
                )
            )
        return states

    def node(self) -> Path:
        """A Node that is new enough; raises UnavailableError (``no_node``)."""
        return self._node.path

    @property
    def node_version(self) -> str:
        """Its version; raises UnavailableError (``no_node``)."""
        return self._node.version

    @cached_property
    def _node(self) -> Node:
        return find_node()

    def _place(self, wanted: Lock) -> Path:
        return self.folder / wanted.name / wanted.digest.removeprefix("sha256:")[:12]


def _remove_old(place: Path) -> None:
    """Remove what another lock installed beside ``place`` more than a week ago."""
    for other in place.parent.iterdir():
        older = other.is_dir() and other != place and not other.name.startswith(".")
        if older and time.time() - other.stat().st_mtime > OLD_SECONDS:
            shutil.rmtree(other, ignore_errors=True)


def _whole(place: Path) -> bool:
    """Whether a toolchain is there: it only ever gets its name when it is complete."""
    return (place / "node_modules").is_dir()
