"""The svelte tool: checks by compiling, repairs by rules, migrates, renders and judges.

It knows which of its parts answers for which files; the compiler, the type checker and the sandbox
are known to those parts. Only ``judge`` and ``render`` execute what they are given, sandboxed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from metier.coding import Behaviour, Checked, Diagnostic, Judged, Mended, SourceFile
from metier.errors import InputError
from metier.tools.behaviour import Judge
from metier.tools.svelte import answers
from metier.tools.svelte.compiling import Compiler, unusable
from metier.tools.svelte.explaining import explained
from metier.tools.svelte.rendering import Rendered, Renderer
from metier.tools.svelte.sveltekit import TOOLCHAIN as KIT
from metier.tools.svelte.sveltekit import KitChecker, is_kit
from metier.tools.workshop import Workshop

MOST_FILES = 2_000
MOST_CHARACTERS = 16_000_000
"""The most that all files of one check may have together."""
_HERE = Path(__file__).parent


def open_tool(workshop: Workshop) -> SvelteTool:
    """The tool over a workshop; nothing is started until it is asked something."""
    return SvelteTool(workshop)


class SvelteTool:
    """A ``metier.coding.Tool`` for Svelte and SvelteKit; safe to use from several threads."""

    def __init__(self, workshop: Workshop) -> None:
        """Start nothing yet."""
        self._workshop = workshop
        self._toolchain = workshop.versions.get("svelte", "svelte@5")
        self._compiler = Compiler(workshop, self._toolchain, _HERE / "compiling.mjs")
        self._kit = KitChecker(workshop, _HERE / "typing.mjs")
        self._judges = {name: Judge(workshop, "svelte", name) for name in (self._toolchain, KIT)}
        self._renderer = Renderer(workshop, self._toolchain)

    @property
    def name(self) -> str:
        """``svelte``."""
        return "svelte"

    @property
    def digest(self) -> str:
        """``sha256:…`` over toolchains, compiler, rules and judge: what can change a verdict."""
        seen = hashlib.sha256()
        for name, judge in sorted(self._judges.items()):
            lock = self._workshop.toolchains.digest(name)
            seen.update(f"{name} {lock} {judge.digest}\n".encode())
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
            InputError: More than 2,000 files, or 16 million characters (``too_many_files``).
            UnavailableError: ``no_toolchain``, ``no_node`` or ``broken_toolchain``.
        """
        started = time.perf_counter()
        _refuse_heaps(files)
        found = [item for file in files for item in self._compiler.diagnostics(file)]
        usable = [file for file in files if unusable(file) is None]
        if self._compiler.modern and is_kit(usable):
            found.extend(self._kit.check(usable))
        return _checked(found, started)

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        """Deterministic repairs of components, or ``None`` if no rule applies.

        Rules are chosen by the compiler's first error and kept if it is gone or another; a file is
        changed only if it has fewer errors then. Three rules also change files that compile and
        would not do what they say (state that is not declared as such, a value read as a store, a
        ``$derived`` of a function), so it is worth asking even if ``checked`` is ok.
        """
        del checked
        _refuse_heaps(files)
        mended: list[SourceFile] = []
        applied: dict[str, str] = {}
        for file in files:
            made, rules = self._compiler.mended(file)
            mended.append(made)
            applied.update(rules)
        if not applied:
            return None
        return Mended(tuple(mended), tuple(applied.items()), self.check(mended))

    def migrate(self, files: Sequence[SourceFile]) -> Mended | None:
        """Components of Svelte 4 in the syntax of Svelte 5, or ``None`` if nothing changes.

        The compiler's own migration, then the rules of ``repair`` on what does not compile after
        it. What is left to do by hand stands in ``checked`` as warnings ``migration_task``.

        Raises:
            InputError: ``too_many_files``.
            UnavailableError: ``no_toolchain``, ``no_node`` or ``broken_toolchain``.
        """
        started = time.perf_counter()
        _refuse_heaps(files)
        made: list[SourceFile] = []
        tasks: list[Diagnostic] = []
        for file in files:
            migrated, left = self._compiler.migrated(file)
            made.append(migrated)
            tasks.extend(left)
        if not tasks and all(one.text == file.text for one, file in zip(made, files, strict=True)):
            return None
        applied: tuple[tuple[str, str], ...] = (
            ("migrate", "Wrote the syntax of Svelte 4 as that of Svelte 5."),
        )
        checked = self.check(made)
        if not checked.ok and (mended := self.repair(made, checked)) is not None:
            made, checked = list(mended.files), mended.checked
            applied = (*applied, *mended.applied)
        found = [*checked.diagnostics, *tasks]
        return Mended(tuple(made), applied, _checked(found, started))

    def render(
        self, files: Sequence[SourceFile], props: Mapping[str, Any] | None = None
    ) -> Rendered:
        """HTML of the first component as a server would send it, executed in the sandbox.

        Raises:
            InputError: ``no_component``.
            UnavailableError: No toolchain, no Node or no sandbox.
        """
        return self._renderer.render(files, props or {})

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """Execute the files once, sandboxed, and say whether they behave.

        Raises:
            InputError: ``bad_task``.
            UnavailableError: No toolchain, no Node or no sandbox.
        """
        judge = self._judges[KIT if behaviour.kind == "kit" else self._toolchain]
        judged = judge.judge(files, behaviour)
        return replace(judged, diagnostics=tuple(explained(item) for item in judged.diagnostics))

    def close(self) -> None:
        """End every process it started."""
        self._compiler.close()
        self._kit.close()
        self._renderer.close()
        for judge in self._judges.values():
            judge.close()


def _checked(found: Sequence[Diagnostic], started: float) -> Checked:
    ok = not any(item.severity == "error" for item in found)
    return Checked(ok, tuple(found), time.perf_counter() - started)


def _refuse_heaps(files: Sequence[SourceFile]) -> None:
    total = sum(len(file.text) for file in files)
    if len(files) > MOST_FILES or total > MOST_CHARACTERS:
        raise InputError(
            f"{len(files)} files with {total} characters together are too much for one check.",
            code="too_many_files",
            remedy=f"Check at most {MOST_FILES} files and {MOST_CHARACTERS} characters at once.",
        )
