"""Building: the harness once for each toolchain, the files of an answer for each judgement.

It knows the warm worker that bundles and compiles (``harness/building.mjs``) and where bundles are
kept; nothing of an answer is executed here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from metier.coding import Diagnostic, SourceFile
from metier.errors import UnavailableError
from metier.tools.warm import Program, WarmWorker
from metier.tools.workshop import Workshop

Framework = Literal["svelte", "react", "plain"]
_HERE = Path(__file__).parent
_HARNESS = _HERE / "harness"
_DOM = "svelte@5"
"""The toolchain whose light DOM serves frameworks that bring none."""
_WITH_DOM = frozenset({"svelte@5", "kit@2", "react@19"})
BUILD_SECONDS = 10.0
_BUNDLE_SECONDS = 120.0
_REALMS = {
    "svelte": ("page", "server"),
    "svelte4": ("page",),
    "react": ("page", "server"),
    "plain": ("page",),
}


@dataclass(frozen=True, slots=True)
class Built:
    """Files of an answer as modules, or why they are none.

    Attributes:
        modules: Path and CommonJS text of each file.
        diagnostics: Errors of the compilers.
    """

    modules: list[Any]
    diagnostics: tuple[Diagnostic, ...]


class Builder:
    """Builds for one framework and toolchain; safe to use from several threads."""

    def __init__(self, workshop: Workshop, framework: Framework, toolchain: str) -> None:
        self._workshop = workshop
        self._toolchain = toolchain
        self._framework = "svelte4" if toolchain == "svelte@4" else framework
        self._turn = threading.Lock()
        self._worker = WarmWorker(
            Program(
                node=workshop.toolchains.node,
                script=_HARNESS / "building.mjs",
                arguments=self._folders,
                memory_mb=1024,
            )
        )

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` over the locks, the harness and this package."""
        seen = hashlib.sha256(self._framework.encode())
        for name in self._toolchains():
            seen.update(self._workshop.toolchains.digest(name).encode())
        for path in sorted([*_HARNESS.iterdir(), *_HERE.glob("*.py")]):
            if path.is_file():
                seen.update(path.name.encode() + b"\0" + path.read_bytes())
        return f"sha256:{seen.hexdigest()}"

    def build(self, files: Sequence[SourceFile], realm: str, options: Mapping[str, Any]) -> Built:
        """Compile files to modules; ``realm`` is ``page`` or ``server``.

        Raises:
            Stopped: The compiler took too long, too much memory, or died.
            UnavailableError: ``no_toolchain``, ``no_node`` or ``broken_toolchain``.
        """
        request = {
            "op": "compile",
            "framework": self._framework,
            "realm": realm,
            "files": [{"path": file.path, "text": file.text} for file in files],
            "options": {key: options[key] for key in ("runes", "async", "dev") if key in options},
        }
        answer = self._worker.ask(request, seconds=BUILD_SECONDS)
        if "failure" in answer:
            raise UnavailableError(
                f"The builder failed: {answer['failure'][:300]}", code="broken_toolchain"
            )
        found = tuple(Diagnostic(**item) for item in answer["diagnostics"])
        return Built(answer["modules"], found)

    def harness(self, flags: Sequence[str]) -> Path:
        """The folder of the bundled harness with its code caches, made if it is not there.

        Args:
            flags: Node's flags that it will run with; V8 refuses a cache made with others.
        """
        version = self._workshop.toolchains.node_version
        name = hashlib.sha256(f"{self.digest} {version} {' '.join(flags)}".encode()).hexdigest()
        folder = self._workshop.scratch / "behaviour" / name[:16]
        with self._turn:
            if not folder.is_dir():
                self._bundle(folder, flags)
        return folder

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _bundle(self, folder: Path, flags: Sequence[str]) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            answer = self._worker.ask(
                {"op": "bundle", "out": str(made), "framework": self._framework},
                seconds=_BUNDLE_SECONDS,
            )
            if "failure" in answer:
                raise UnavailableError(
                    f"The harness could not be bundled: {answer['failure'][:500]}",
                    code="broken_toolchain",
                )
            for realm in _REALMS[self._framework]:
                self._cache(made, realm, flags)
            made.chmod(0o755)
            with contextlib.suppress(OSError):  # another process was faster: its bundle is the same
                made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def _cache(self, folder: Path, realm: str, flags: Sequence[str]) -> None:
        """Start the harness once, so that it writes V8's code caches; only our own code runs."""
        node = str(self._workshop.toolchains.node())
        done = subprocess.run(
            [node, *flags, str(folder / "boot.cjs"), str(folder), realm, "cache"],
            env={"PATH": os.defpath},
            capture_output=True,
            timeout=_BUNDLE_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise UnavailableError(
                f"The harness does not start: {said[-500:]}", code="broken_toolchain"
            )

    def _toolchains(self) -> tuple[str, ...]:
        return (self._toolchain,) if self._toolchain in _WITH_DOM else (self._toolchain, _DOM)

    def _folders(self) -> list[str]:
        return [str(self._workshop.toolchains.path(name)) for name in self._toolchains()]
