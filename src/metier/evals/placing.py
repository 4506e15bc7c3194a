"""Which file of a task a file of an answer is meant to be.

It knows names and fenced blocks; it knows no language. Nobody fails because a model left out the
name of the one file that it was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from metier.coding import SourceFile

_FENCE = re.compile(r"^([`~]{3,})[^\n]*\n(.*?)^\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)


def placed(files: Sequence[SourceFile], text: str, writes: Sequence[str]) -> tuple[SourceFile, ...]:
    """The files of an answer under the names that the task asks for.

    A file goes where its path says, or the longest tail of it (``src/lib/A.svelte`` for
    ``A.svelte``, and the other way round). Then files of other names take the first free name
    with their ending, in their order. Where one file was asked for and no file has its ending,
    the longest fenced block of the answer is it. What fits nowhere keeps its name.

    Args:
        files: As the tool found them.
        text: The whole answer.
        writes: Paths that the task asks for.
    """
    free = list(writes)
    found: dict[int, str] = {}
    for number, file in enumerate(files):
        path = _fitting(file.path, free)
        if path is not None:
            free.remove(path)
            found[number] = path
    for number, file in enumerate(files):
        if number in found:
            continue
        ending = PurePosixPath(file.path).suffix
        path = next((one for one in free if PurePosixPath(one).suffix == ending), None)
        if path is not None:
            free.remove(path)
            found[number] = path
    if not found and len(writes) == 1:
        longest = max((match[2] for match in _FENCE.finditer(text)), key=len, default="")
        return (SourceFile(writes[0], longest),) if longest.strip() else ()
    return tuple(
        SourceFile(found.get(number, file.path), file.text) for number, file in enumerate(files)
    )


def _fitting(path: str, free: Sequence[str]) -> str | None:
    """The free name that shares the longest tail with a path, at least the file's name."""
    parts = PurePosixPath(path).parts
    best: tuple[int, str] | None = None
    for name in free:
        other = PurePosixPath(name).parts
        shared = 0
        for one, two in zip(reversed(parts), reversed(other), strict=False):
            if one != two:
                break
            shared += 1
        whole = shared == min(len(parts), len(other))
        if shared and whole and (best is None or shared > best[0]):
            best = (shared, name)
    return best[1] if best else None
