"""Where the files of an answer go in the project that a task describes.

It knows names and endings; it reads no source.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from metier.coding import Behaviour, SourceFile


def expected_paths(behaviour: Behaviour) -> tuple[str, ...]:
    """The files that the answer provides, as the task names them (option ``answer``)."""
    named = tuple(behaviour.options.get("answer", ()))
    return named or (() if behaviour.entry in behaviour.given else (behaviour.entry,))


def place(files: Sequence[SourceFile], behaviour: Behaviour) -> tuple[SourceFile, ...]:
    """The answer's files under the names that the task expects; given files are not among them.

    A file whose path ends like an expected one goes there, the longest tail first; one that is left
    takes the first free expected name with its ending; others keep their names. A file that would
    overwrite a given one is left out.
    """
    free = list(expected_paths(behaviour))
    placed: dict[int, str] = {}
    order = sorted(
        (
            (-_tail(file.path, path), at, path)
            for at, file in enumerate(files)
            for path in free
            if _tail(file.path, path) > 0
        ),
    )
    for _, at, path in order:
        if at not in placed and path in free:
            placed[at] = path
            free.remove(path)
    for at, file in enumerate(files):
        if at in placed:
            continue
        match = next((path for path in free if _ending(path) == _ending(file.path)), None)
        if match is None and len(files) == 1 and len(free) == 1:
            match = free[0] if _family(free[0]) == _family(file.path) else None
        if match is not None:
            placed[at] = match
            free.remove(match)
    named = {placed.get(at, _clean(file.path)): file.text for at, file in enumerate(files)}
    return tuple(
        SourceFile(path, text) for path, text in named.items() if path not in behaviour.given
    )


def _clean(path: str) -> str:
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..", ".")]
    return "/".join(parts) or "answer"


def _tail(one: str, other: str) -> int:
    """How many last parts of two paths agree."""
    count = 0
    for left, right in zip(
        reversed(_clean(one).split("/")), reversed(_clean(other).split("/")), strict=False
    ):
        if left != right:
            break
        count += 1
    return count


def _ending(path: str) -> str:
    name = PurePosixPath(path).name
    return next(
        (end for end in (".svelte.js", ".svelte.ts") if name.endswith(end)),
        PurePosixPath(name).suffix,
    )


def _family(path: str) -> str:
    """Endings that may stand for each other when there is one file and one place for it."""
    ending = _ending(path)
    scripts = {".js", ".ts", ".jsx", ".tsx", ".mjs", ".svelte.js", ".svelte.ts"}
    return "script" if ending in scripts else ending
