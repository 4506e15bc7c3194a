"""Files of a SvelteKit project: which they are, where they stand, and what their types say.

It knows the layout of a project and asks the warm type checker; it compiles nothing itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.coding import Diagnostic, SourceFile
from metier.tools.svelte.explaining import explained
from metier.tools.warm import Program, Stopped, WarmWorker
from metier.tools.workshop import Workshop

TOOLCHAIN = "kit@2"
SECONDS = 60.0
"""The longest that one project may be type-checked; the first check reads all types."""
_ROUTE = re.compile(r"(^|/)\+[^/]+$")
_HOOKS = re.compile(r"(^|/)hooks(\.server|\.client)?\.[jt]s$")
_OF_KIT = re.compile(r"""from\s*['"](\$app/|\$env/|@sveltejs/kit|\./\$types)""")
_SOURCES = (".svelte", ".js", ".ts")


def is_kit(files: Sequence[SourceFile]) -> bool:
    """Whether any file is a route, a hook, or imports from SvelteKit."""
    return any(
        _ROUTE.search(file.path)
        or (
            file.path.endswith(_SOURCES) and (_HOOKS.search(file.path) or _OF_KIT.search(file.text))
        )
        for file in files
    )


def places(files: Sequence[SourceFile]) -> dict[str, str]:
    """Where each file stands in a project, by the path that it was given.

    ``+page.svelte`` alone is the page of ``src/routes``, ``$lib/x.ts`` is ``src/lib/x.ts``, a file
    without a folder stands beside the first route.
    """
    routes = [_placed(file.path, "") for file in files if _ROUTE.search(file.path)]
    beside = routes[0].rpartition("/")[0] if routes else "src/routes"
    return {file.path: _placed(file.path, beside) for file in files}


def _placed(path: str, beside: str) -> str:
    plain = path.replace("\\", "/").removeprefix("./").lstrip("/")
    if plain.startswith("src/"):
        return plain
    if "/src/" in plain:
        return plain[plain.index("/src/") + 1 :]
    if plain.startswith("$lib/"):
        return f"src/lib/{plain[5:]}"
    if plain.startswith(("routes/", "lib/", "params/")) or _HOOKS.fullmatch(plain):
        return f"src/{plain}"
    if _ROUTE.search(plain):
        return f"src/routes/{plain}"
    return f"{beside}/{plain}" if "/" not in plain else f"src/{plain}"


class KitChecker:
    """The warm type checker of SvelteKit files; started at the first project."""

    def __init__(self, workshop: Workshop, script: Path) -> None:
        """Start nothing yet."""
        self._workshop = workshop
        self._worker = WarmWorker(
            Program(
                node=workshop.toolchains.node,
                script=script,
                arguments=lambda: [str(workshop.toolchains.path(TOOLCHAIN))],
                memory_mb=1536,
            )
        )

    def check(self, files: Sequence[SourceFile]) -> list[Diagnostic]:
        """What types and SvelteKit's own rules say; a warning if they cannot be asked."""
        if not self._workshop.toolchains.installed(TOOLCHAIN):
            return [
                _doubt(
                    "kit_not_checked",
                    "Only compiled: the toolchain kit@2, which has SvelteKit's types, is not "
                    "installed. Run 'metier doctor --install kit@2'.",
                )
            ]
        given = {place: path for path, place in places(files).items()}
        texts = {file.path: file.text for file in files}
        request = {"files": [{"path": place, "text": texts[path]} for place, path in given.items()]}
        try:
            answer = self._worker.ask(request, seconds=SECONDS)
        except Stopped as stopped:
            return [_doubt(f"types_{stopped.why}", "The type check did not finish.")]
        if failure := answer.get("failure"):
            return [_doubt("types_failed", f"The type check failed: {str(failure)[:200]}")]
        return _diagnostics(answer["diagnostics"], given)

    def close(self) -> None:
        """End the process."""
        self._worker.close()


def _diagnostics(found: list[dict[str, Any]], given: dict[str, str]) -> list[Diagnostic]:
    seen: dict[tuple[str, str, int], Diagnostic] = {}
    for item in found:
        path = given.get(item["path"], item["path"])
        told = explained(Diagnostic(**{**item, "path": path}))
        seen.setdefault((path, told.code, told.line or 0), told)
    return list(seen.values())


def _doubt(code: str, message: str) -> Diagnostic:
    return explained(Diagnostic(code, message, "warning"))
