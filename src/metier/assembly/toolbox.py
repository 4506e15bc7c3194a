"""Opened tools: each plugin is opened once for each set of toolchains, and closed together.

It knows what a tool is given to work with; what a tool finds is its own matter.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from metier import plugins
from metier.coding import Tool
from metier.settings import Settings
from metier.toolchains import Toolchains
from metier.tools import Workshop


class Toolbox:
    """The tools of one process; threads may share it."""

    def __init__(self, settings: Settings, toolchains: Toolchains, threads: int) -> None:
        self._settings = settings
        self._toolchains = toolchains
        self._threads = threads
        self._lock = threading.Lock()
        self._open: dict[tuple[str, tuple[tuple[str, str], ...]], Tool] = {}

    def open(self, name: str, versions: Mapping[str, str]) -> Tool:
        """A tool on some toolchains, by kind: ``{"svelte": "svelte@5"}``.

        Raises:
            NotFoundError: No package brings it (``no_plugin``).
            UnavailableError: It cannot be imported (``broken_plugin``).
        """
        key = (name, tuple(sorted(versions.items())))
        with self._lock:
            opened = self._open.get(key)
            if opened is None:
                opened = plugins.load("tools", name)(self._workshop(dict(versions)))
                self._open[key] = opened
            return opened

    def on(self, name: str, toolchain: str | None) -> Tool:
        """A tool on one toolchain, or with none.

        Raises:
            UnavailableError: The toolchain is not installed (``no_toolchain``).
        """
        if toolchain is None:
            return self.open(name, {})
        self._toolchains.path(toolchain)
        # Under the tool's name and its own: kit@2 holds Svelte too.
        return self.open(name, {name: toolchain, toolchain.partition("@")[0]: toolchain})

    def close(self) -> None:
        """End every process that a tool started."""
        with self._lock:
            opened, self._open = list(self._open.values()), {}
        for tool in opened:
            tool.close()

    def _workshop(self, versions: dict[str, str]) -> Workshop:
        scratch = self._settings.home / "work"
        scratch.mkdir(parents=True, exist_ok=True)
        return Workshop(
            toolchains=self._toolchains,
            sandbox=_sandbox,
            scratch=scratch,
            pool_size=self._threads,
            versions=versions,
        )


def _sandbox() -> Any:
    """The sandbox of this machine; looked for only when code is executed."""
    from metier.sandbox import detect

    return detect()
