"""The javascript tool: Node's parser in a warm process, and the shared judge for modules.

It knows limits and failures of the process; nothing that it is given is executed here. It needs
Node to check; to judge, it needs the toolchain that builds modules too.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.coding import Behaviour, Checked, Diagnostic, Judged, Mended, SourceFile
from metier.tools.behaviour import Judge
from metier.tools.javascript.explaining import explained
from metier.tools.scripts import script_files, without_fences
from metier.tools.warm import Program, Stopped, WarmWorker
from metier.tools.workshop import Workshop

SECONDS = 5.0
"""The longest that one answer may be parsed."""
MOST_CHARACTERS = 1_000_000
_HERE = Path(__file__).parent
_NAMES = {
    "": "main.js",
    "js": "main.js",
    "javascript": "main.js",
    "mjs": "main.js",
    "node": "main.js",
}
_PARSED = (".js", ".mjs", ".cjs")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u200b": None})


def open_tool(workshop: Workshop) -> JavaScriptTool:
    """The tool over a workshop; nothing is started until it is asked something."""
    return JavaScriptTool(workshop)


class JavaScriptTool:
    """A ``metier.coding.Tool`` for JavaScript; safe to use from several threads."""

    def __init__(self, workshop: Workshop) -> None:
        """Start nothing yet."""
        self._workshop = workshop
        self._toolchain = workshop.versions.get("javascript", "react@19")
        self._judge = Judge(workshop, "plain", self._toolchain)
        self._worker = WarmWorker(
            Program(
                node=workshop.toolchains.node,
                script=_HERE / "checking.mjs",
                arguments=list,
                options=("--experimental-vm-modules", "--no-warnings"),
            )
        )

    @property
    def name(self) -> str:
        """``javascript``."""
        return "javascript"

    @property
    def digest(self) -> str:
        """``sha256:…`` over the judge and this package's own files."""
        seen = hashlib.sha256(self._judge.digest.encode())
        for path in sorted(_HERE.iterdir()):
            if path.suffix in (".py", ".mjs"):
                seen.update(path.name.encode() + b"\0" + path.read_bytes())
        return f"sha256:{seen.hexdigest()}"

    def files_of(self, answer: str) -> tuple[SourceFile, ...]:
        """The files in a model's answer; one without a name is ``main.js``."""
        return script_files(answer, _NAMES, "main.js")

    def check(self, files: Sequence[SourceFile]) -> Checked:
        """Parse the JavaScript files; others are passed over.

        Raises:
            UnavailableError: ``no_node``.
        """
        started = time.perf_counter()
        asked = [file for file in files if file.path.endswith(_PARSED)]
        if sum(len(file.text) for file in asked) > MOST_CHARACTERS:
            limit = f"The files have more than {MOST_CHARACTERS} characters."
            found: tuple[Diagnostic, ...] = (
                Diagnostic("file_too_large", limit, path=asked[0].path),
            )
        else:
            found = self._parsed(asked)
        ok = not any(one.severity == "error" for one in found)
        return Checked(ok, found, time.perf_counter() - started)

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        """Deterministic repairs, or ``None`` if they do not make the files parse."""
        if checked.ok:
            return None
        for name, sentence, change in (
            ("fences", "Took out marks of Markdown blocks.", without_fences),
            ("typography", "Replaced typographic quotes and blanks.", _straight),
        ):
            proposed = tuple(SourceFile(file.path, change(file.text)) for file in files)
            if proposed == tuple(files):
                continue
            found = self.check(proposed)
            if found.ok:
                return Mended(proposed, ((name, sentence),), found)
        return None

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """Execute the files once, sandboxed, and say whether they behave (kind ``module``).

        Raises:
            InputError: ``bad_task``: the behaviour is not in the language of tasks.
            UnavailableError: ``no_toolchain``, ``no_node`` or ``no_sandbox``.
        """
        return self._judge.judge(files, behaviour)

    def close(self) -> None:
        """End every process it started."""
        self._worker.close()
        self._judge.close()

    def _parsed(self, files: Sequence[SourceFile]) -> tuple[Diagnostic, ...]:
        if not files:
            return ()
        asked = [{"path": file.path, "text": file.text} for file in files]
        try:
            answer: dict[str, Any] = self._worker.ask({"files": asked}, seconds=SECONDS)
        except Stopped as stopped:
            message = f"Parsing ended the process or took longer than {SECONDS:g} s."
            return (Diagnostic(f"check_{stopped.why}", message, path=files[0].path),)
        return tuple(explained(Diagnostic(**one)) for one in answer["diagnostics"])


def _straight(text: str) -> str:
    return text.translate(_QUOTES)
