"""The svelte tool: one warm compiler, and what it says as diagnostics.

It knows which file is checked by what, limits and failures of the process; the compiler's words are
explained elsewhere, and nothing that it is given is executed here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.coding import Behaviour, Checked, Diagnostic, Judged, Mended, SourceFile
from metier.errors import InputError, UnavailableError
from metier.tools.svelte import answers
from metier.tools.svelte.explaining import explained
from metier.tools.svelte.sveltekit import TOOLCHAIN as KIT
from metier.tools.svelte.sveltekit import KitChecker, is_kit
from metier.tools.warm import Program, Stopped, WarmWorker
from metier.tools.workshop import Workshop

SECONDS_A_FILE = 5.0
"""The longest that one file may be compiled."""
MOST_BYTES = 1_000_000
"""A larger file is not compiled."""
MOST_FILES = 2_000
MOST_TOTAL = 16_000_000
_HERE = Path(__file__).parent
_COMPILERS = ("svelte/compiler/index.js", "svelte/compiler.cjs")


def open_tool(workshop: Workshop) -> SvelteTool:
    """The tool over a workshop; nothing is started until it is asked something."""
    return SvelteTool(workshop)


class SvelteTool:
    """A ``metier.coding.Tool`` for Svelte and SvelteKit; safe to use from several threads."""

    def __init__(self, workshop: Workshop) -> None:
        """Start nothing yet."""
        self._workshop = workshop
        self._toolchain = workshop.versions.get("svelte", "svelte@5")
        self._compiler = WarmWorker(
            Program(
                node=workshop.toolchains.node,
                script=_HERE / "compiling.mjs",
                arguments=lambda: [str(self._compiler_file())],
            )
        )
        self._kit = KitChecker(workshop, _HERE / "typing.mjs")

    @property
    def name(self) -> str:
        """``svelte``."""
        return "svelte"

    @property
    def digest(self) -> str:
        """``sha256:…`` over the toolchain's lock and this package's own files."""
        seen = hashlib.sha256(self._workshop.toolchains.digest(self._toolchain).encode())
        for path in sorted(_HERE.iterdir()):
            if path.suffix in (".py", ".mjs"):
                seen.update(path.name.encode() + b"\0" + path.read_bytes())
        return f"sha256:{seen.hexdigest()}"

    def files_of(self, answer: str) -> tuple[SourceFile, ...]:
        """The files in a model's answer."""
        return answers.files_of(answer)

    def check(self, files: Sequence[SourceFile]) -> Checked:
        """Compile the files without executing them; files of SvelteKit are type-checked too.

        Raises:
            InputError: More than 2,000 files, or more than 16 MB together (``too_many_files``).
            UnavailableError: ``no_toolchain``, ``no_node`` or ``broken_toolchain``.
        """
        started = time.perf_counter()
        _refuse_heaps(files)
        found = [item for file in files for item in self._compiled(file)]
        usable = [file for file in files if not _problem(file)]
        if self._modern and is_kit(usable):
            found.extend(self._kit.check(usable))
        ok = not any(item.severity == "error" for item in found)
        return Checked(ok, tuple(found), time.perf_counter() - started)

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        """Deterministic repairs of components, or ``None`` if no rule applies.

        Rules are chosen by the compiler's first error and kept if it is gone or another; a file is
        changed only if it has fewer errors then. Some rules also change files that compile and
        would not do what they say (a value read as a store).
        """
        del checked
        mended: list[SourceFile] = []
        applied: dict[str, str] = {}
        for file in files:
            answer = self._mended(file)
            mended.append(SourceFile(file.path, answer["text"]) if answer["applied"] else file)
            applied.update(dict(answer["applied"]))
        if not applied:
            return None
        return Mended(tuple(mended), tuple(applied.items()), self.check(mended))

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """Execute the files once, sandboxed, and say whether they behave."""
        raise UnavailableError(
            "This version of the svelte tool judges nothing by execution.",
            code="no_judge",
        )

    def close(self) -> None:
        """End every process it started."""
        self._compiler.close()
        self._kit.close()

    def _compiler_file(self) -> Path:
        toolchains = self._workshop.toolchains
        instead = not toolchains.installed(self._toolchain) and toolchains.installed(KIT)
        modules = toolchains.path(KIT if instead and self._modern else self._toolchain)
        modules = modules / "node_modules"
        return next(
            (modules / name for name in _COMPILERS if (modules / name).is_file()),
            modules / _COMPILERS[0],
        )

    def _compiled(self, file: SourceFile) -> list[Diagnostic]:
        if problem := _problem(file):
            return [problem]
        if not file.path.endswith((".svelte", ".svelte.js", ".svelte.ts")):
            return []
        request = {"op": "compile", "path": file.path, "text": file.text}
        try:
            answer = self._compiler.ask(request, seconds=SECONDS_A_FILE)
        except Stopped as stopped:
            return [_stopped(file, stopped)]
        if failure := answer.get("failure"):
            return [_whole(file, "compiler_failed", str(failure))]
        return [explained(Diagnostic(path=file.path, **item)) for item in answer["diagnostics"]]

    def _mended(self, file: SourceFile) -> dict[str, Any]:
        """The worker's answer, or one that changes nothing."""
        nothing = {"text": file.text, "applied": []}
        if not file.path.endswith(".svelte") or len(file.text) > MOST_BYTES or not self._modern:
            return nothing
        request = {"op": "mend", "path": file.path, "text": file.text}
        try:
            answer = self._compiler.ask(request, seconds=SECONDS_A_FILE)
        except Stopped:
            return nothing
        return nothing if answer.get("failure") else answer

    @property
    def _modern(self) -> bool:
        """Whether the toolchain's Svelte has runes; rules for an older one are not written."""
        return self._toolchain != "svelte@4"


def _refuse_heaps(files: Sequence[SourceFile]) -> None:
    total = sum(len(file.text) for file in files)
    if len(files) > MOST_FILES or total > MOST_TOTAL:
        raise InputError(
            f"{len(files)} files with {total} characters together are too much for one check.",
            code="too_many_files",
            remedy=f"Check at most {MOST_FILES} files and {MOST_TOTAL} characters at once.",
        )


def _problem(file: SourceFile) -> Diagnostic | None:
    """What keeps a file from being looked at, or ``None``."""
    if len(file.text) > MOST_BYTES:
        return _whole(file, "file_too_large", f"It has more than {MOST_BYTES} characters.")
    parts = file.path.replace("\\", "/").split("/")
    if not file.path or "\0" in file.path or file.path.startswith("/") or ".." in parts:
        return _whole(file, "bad_path", "Its path does not lie inside a project.")
    if "\0" in file.text:
        return _whole(file, "not_text", "It has NUL characters in it, so it is no source text.")
    return None


def _stopped(file: SourceFile, stopped: Stopped) -> Diagnostic:
    reasons = {
        "time": f"The compiler did not finish this file within {SECONDS_A_FILE:.0f} s.",
        "memory": "The compiler ran out of memory with this file.",
        "died": "The compiler ended while it read this file.",
    }
    return _whole(file, f"compiler_{stopped.why}", reasons[stopped.why])


def _whole(file: SourceFile, code: str, message: str) -> Diagnostic:
    return Diagnostic(code, message, path=file.path)
