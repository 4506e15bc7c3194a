"""The react tool: one warm process that type-checks, lints and mends, and the shared judge.

It knows limits and failures of the process; what TypeScript and the rules of hooks say is explained
elsewhere, and nothing that it is given is executed here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.coding import Behaviour, Checked, Diagnostic, Judged, Mended, SourceFile
from metier.tools.behaviour import Judge
from metier.tools.react.explaining import explained
from metier.tools.scripts import script_files
from metier.tools.warm import Program, Stopped, WarmWorker
from metier.tools.workshop import Workshop

SECONDS = 20.0
"""The longest that one answer may be checked or mended."""
MOST_CHARACTERS = 1_000_000
"""Of all files together; more is not read."""
MOST_FILES = 200
_HERE = Path(__file__).parent
_NAMES = {
    "": "App.jsx",
    "jsx": "App.jsx",
    "js": "App.jsx",
    "javascript": "App.jsx",
    "react": "App.jsx",
    "tsx": "App.tsx",
    "ts": "App.tsx",
    "typescript": "App.tsx",
}


def open_tool(workshop: Workshop) -> ReactTool:
    """The tool over a workshop; nothing is started until it is asked something."""
    return ReactTool(workshop)


class ReactTool:
    """A ``metier.coding.Tool`` for React; safe to use from several threads."""

    def __init__(self, workshop: Workshop) -> None:
        """Start nothing yet."""
        self._workshop = workshop
        self._toolchain = workshop.versions.get("react", "react@19")
        self._judge = Judge(workshop, "react", self._toolchain)
        self._worker = WarmWorker(
            Program(
                node=workshop.toolchains.node,
                script=_HERE / "checking.mjs",
                arguments=lambda: [str(workshop.toolchains.path(self._toolchain))],
                memory_mb=1024,
            )
        )

    @property
    def name(self) -> str:
        """``react``."""
        return "react"

    @property
    def digest(self) -> str:
        """``sha256:…`` over the judge, the toolchain's lock and this package's own files."""
        seen = hashlib.sha256(self._workshop.toolchains.digest(self._toolchain).encode())
        seen.update(self._judge.digest.encode())
        for path in sorted(_HERE.iterdir()):
            if path.suffix in (".py", ".mjs", ".toml"):
                seen.update(path.name.encode() + b"\0" + path.read_bytes())
        return f"sha256:{seen.hexdigest()}"

    def files_of(self, answer: str) -> tuple[SourceFile, ...]:
        """The files in a model's answer; one without a name is ``App.jsx`` or ``App.tsx``."""
        return script_files(answer, _NAMES, "App.jsx")

    def check(self, files: Sequence[SourceFile]) -> Checked:
        """Type-check and lint the files together, without executing them.

        Raises:
            UnavailableError: ``no_toolchain``, ``no_node`` or ``broken_toolchain``.
        """
        started = time.perf_counter()
        found = _refused(files) or self._asked("check", files)
        diagnostics = found if isinstance(found, tuple) else _diagnostics(found)
        return _checked(diagnostics, time.perf_counter() - started)

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        """Deterministic repairs, or ``None`` if no rule leaves less wrong than there was."""
        started = time.perf_counter()
        if not checked.diagnostics or _refused(files):
            return None
        answer = self._asked("mend", files)
        if isinstance(answer, tuple) or not answer.get("applied"):
            return None
        mended = tuple(SourceFile(one["path"], one["text"]) for one in answer["files"])
        applied = tuple((str(name), str(sentence)) for name, sentence in answer["applied"])
        now = _checked(_diagnostics(answer), time.perf_counter() - started)
        return Mended(mended, applied, now)

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """Execute the files once, sandboxed, and say whether they behave.

        Raises:
            InputError: ``bad_task``: the behaviour is not in the language of tasks.
            UnavailableError: ``no_toolchain``, ``no_node`` or ``no_sandbox``.
        """
        return self._judge.judge(files, behaviour)

    def close(self) -> None:
        """End every process it started."""
        self._worker.close()
        self._judge.close()

    def _asked(
        self, operation: str, files: Sequence[SourceFile]
    ) -> dict[str, Any] | tuple[Diagnostic, ...]:
        """The worker's answer, or the diagnostic that says why there is none."""
        asked = [{"path": file.path, "text": file.text} for file in files]
        try:
            answer = self._worker.ask({"op": operation, "files": asked}, seconds=SECONDS)
        except Stopped as stopped:
            reasons = {
                "time": f"The check did not finish within {SECONDS:g} s.",
                "memory": "The check ran out of memory.",
                "died": "The checking process ended.",
            }
            return (_whole(files, f"check_{stopped.why}", reasons[stopped.why]),)
        if failure := answer.get("failure"):
            return (_whole(files, "check_failed", str(failure)),)
        return answer


def _diagnostics(answer: dict[str, Any]) -> tuple[Diagnostic, ...]:
    return tuple(explained(Diagnostic(**one)) for one in answer["diagnostics"])


def _checked(found: tuple[Diagnostic, ...], seconds: float) -> Checked:
    return Checked(not any(one.severity == "error" for one in found), found, seconds)


def _refused(files: Sequence[SourceFile]) -> tuple[Diagnostic, ...]:
    if len(files) > MOST_FILES:
        return (_whole(files, "too_many_files", f"There are more than {MOST_FILES} files."),)
    if sum(len(file.text) for file in files) > MOST_CHARACTERS:
        limit = f"The files have more than {MOST_CHARACTERS} characters."
        return (_whole(files, "file_too_large", limit),)
    return ()


def _whole(files: Sequence[SourceFile], code: str, message: str) -> Diagnostic:
    return Diagnostic(code, message, path=files[0].path if files else "")
