"""The warm compiler: one file in, diagnostics, a repaired or a migrated text out.

It knows the compiler's process, its limits and its failures; which files belong together it does
not know, and nothing that it is given is executed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from metier.coding import Diagnostic, SourceFile
from metier.tools.svelte.explaining import explained
from metier.tools.svelte.sveltekit import TOOLCHAIN as KIT
from metier.tools.warm import Program, Stopped, WarmWorker
from metier.tools.workshop import Workshop

SECONDS_A_FILE = 5.0
"""The longest that one file may be compiled."""
MOST_CHARACTERS = 1_000_000
"""A longer file is not compiled."""
COMPILED = (".svelte", ".svelte.js", ".svelte.ts")
_FILES = ("svelte/compiler/index.js", "svelte/compiler.cjs")
_RUNE = re.compile(r"(?<![\w$.'\"`])\$(?:state|derived|effect|props|inspect)\b\s*(?=[(.])")
_SCRIPT = re.compile(r"(?<!\.svelte)\.[cm]?[jt]s$")
_TASK = re.compile(r"@migration-task\s*(.*?)\s*(?:-->|\*/|$)", re.MULTILINE)
_STOPPED = {
    "time": f"The compiler did not finish this file within {SECONDS_A_FILE:.0f} s.",
    "memory": "The compiler ran out of memory with this file.",
    "died": "The compiler ended while it read this file.",
}


class Compiler:
    """The compiler of one toolchain; safe to use from several threads."""

    def __init__(self, workshop: Workshop, toolchain: str, script: Path) -> None:
        """Start nothing yet."""
        self._workshop = workshop
        self._toolchain = toolchain
        self._worker = WarmWorker(
            Program(node=workshop.toolchains.node, script=script, arguments=self._arguments)
        )

    @property
    def modern(self) -> bool:
        """Whether its Svelte has runes."""
        return self._toolchain != "svelte@4"

    def diagnostics(self, file: SourceFile) -> list[Diagnostic]:
        """Errors and warnings of one file, explained."""
        if problem := unusable(file):
            return [problem]
        if _SCRIPT.search(file.path):
            return _runes_elsewhere(file)
        if not file.path.endswith(COMPILED):
            return []
        try:
            answer = self._ask("compile", file)
        except Stopped as stopped:
            return [whole(file, f"compiler_{stopped.why}", _STOPPED[stopped.why])]
        if failure := answer.get("failure"):
            return [whole(file, "compiler_failed", str(failure))]
        return [explained(Diagnostic(path=file.path, **item)) for item in answer["diagnostics"]]

    def mended(self, file: SourceFile) -> tuple[SourceFile, list[tuple[str, str]]]:
        """The file after repairs, and the rules that changed it with a sentence each."""
        answer = self._changed("mend", file)
        if answer is None or not answer["applied"]:
            return file, []
        return SourceFile(file.path, answer["text"]), [(n, says) for n, says in answer["applied"]]

    def migrated(self, file: SourceFile) -> tuple[SourceFile, list[Diagnostic]]:
        """The file in the syntax of Svelte 5, and what is left to do by hand."""
        answer = self._changed("migrate", file)
        if answer is None:
            return file, []
        if failure := answer.get("refused"):
            return file, [_left(file, str(failure), None)]
        made = SourceFile(file.path, answer["text"])
        tasks = [
            _left(
                made, found[1] or "It was left as it is.", made.text.count("\n", 0, found.start())
            )
            for found in _TASK.finditer(made.text)
        ]
        return made, tasks

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def _changed(self, act: str, file: SourceFile) -> dict[str, Any] | None:
        """The worker's answer, or ``None`` if it has none for this file."""
        if not file.path.endswith(".svelte") or unusable(file) or not self.modern:
            return None
        try:
            answer = self._ask(act, file)
        except Stopped:
            return None
        return None if answer.get("failure") else answer

    def _ask(self, act: str, file: SourceFile) -> dict[str, Any]:
        request = {"op": act, "path": file.path, "text": file.text}
        return self._worker.ask(request, seconds=SECONDS_A_FILE)

    def _arguments(self) -> list[str]:
        """The compiler's file: of the toolchain, or of SvelteKit's if only that is here."""
        toolchains = self._workshop.toolchains
        instead = not toolchains.installed(self._toolchain) and toolchains.installed(KIT)
        name = KIT if instead and self.modern else self._toolchain
        modules = toolchains.path(name) / "node_modules"
        here = [modules / file for file in _FILES if (modules / file).is_file()]
        return [str(here[0] if here else modules / _FILES[0])]


def unusable(file: SourceFile) -> Diagnostic | None:
    """What keeps a file from being looked at, or ``None``."""
    if len(file.text) > MOST_CHARACTERS:
        return whole(file, "file_too_large", f"It has more than {MOST_CHARACTERS} characters.")
    parts = file.path.replace("\\", "/").split("/")
    if not file.path or "\0" in file.path or file.path.startswith("/") or ".." in parts:
        return whole(file, "bad_path", "Its path does not lie inside a project.")
    if "\0" in file.text:
        return whole(file, "not_text", "It has NUL characters in it, so it is no source text.")
    return None


def whole(file: SourceFile, code: str, message: str) -> Diagnostic:
    """An error that is about the whole file."""
    return explained(Diagnostic(code, message, path=file.path))


def _left(file: SourceFile, task: str, line: int | None) -> Diagnostic:
    """Work that the migration leaves to a person."""
    return explained(
        Diagnostic(
            "migration_task",
            task,
            "warning",
            path=file.path,
            line=None if line is None else line + 1,
        )
    )


def _runes_elsewhere(file: SourceFile) -> list[Diagnostic]:
    """Runes in a file that the compiler of Svelte never sees."""
    for number, line in enumerate(file.text.split("\n"), 1):
        found = _RUNE.search(line.split("//")[0])
        if found:
            name = file.path.rpartition("/")[2].rpartition(".")
            return [
                explained(
                    Diagnostic(
                        "rune_outside_svelte",
                        f"Svelte does not compile {file.path}, so {found[0].strip()} is unknown "
                        f"there; call the file {name[0]}.svelte.{name[2]}.",
                        path=file.path,
                        line=number,
                        column=found.start() + 1,
                        end_line=number,
                        end_column=found.end() + 1,
                    )
                )
            ]
    return []
