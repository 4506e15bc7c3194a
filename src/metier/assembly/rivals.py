"""Whom the name of a rival means that writes: the router's general model, a service, a model here.

It knows names and bases; it asks nobody. What is held against a specialist as "the general model"
is the one that its requests would go to instead, wherever that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metier.assembly.bases import LOCAL, REMOTE, Bases

if TYPE_CHECKING:
    from metier.assembly.candidates import General
    from metier.engines.questioned import WritingSystem

GENERAL = "general"


class Rivals:
    """The rivals of one home that write; threads may share it.

    Args:
        bases: Opens what writes.
        writers: Names of the installed models that write.
        general: The general model that the router turns to.
    """

    def __init__(
        self,
        bases: Callable[[], Bases],
        writers: Callable[[], Sequence[str]],
        general: Callable[[], General],
    ) -> None:
        self._bases = bases
        self._writers = writers
        self._general = general

    def ref(self, name: str) -> str | Path | None:
        """What to open as a base for a rival's name; ``None`` if nothing of it writes."""
        if name == GENERAL:
            return self._general().ref or None
        if name.startswith((REMOTE, LOCAL)):
            return name
        return name if plain(name) in self._writers() else None

    def system(self, name: str, labels: Sequence[str]) -> WritingSystem | None:
        """What writes, put to a closed set of labels; ``None`` if nothing of that name writes.

        Raises:
            InputError: ``services.toml`` is wrong, or the file is no sound model.
            NotFoundError: There is no such service, model or file.
        """
        ref = self.ref(name)
        if ref is None:
            return None
        from metier.engines.questioned import WritingSystem

        bases = self._bases()
        entry = bases.services().get(str(ref).removeprefix(REMOTE))
        return WritingSystem(
            generator=bases.generator(ref),
            labels=tuple(labels),
            parallel=entry.parallel if entry is not None else 1,
        )


def plain(ref: str | Path) -> str:
    """A base's name without what may be left out, to see whether two mean the same."""
    return str(ref).removeprefix(LOCAL).removesuffix(":latest")
