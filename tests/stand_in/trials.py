"""A search by eval where nobody can answer; real searches are tested over a real home."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from metier.errors import InputError


class NoTrials:
    """Satisfies ``metier.server.tries.Tries``."""

    def field(self, source: Path) -> NoReturn:
        raise InputError(f"Nothing here can answer {source.name}.", code="no_candidates")

    def find_by_eval(self, source: Path, **told: Any) -> NoReturn:
        del told
        self.field(source)
