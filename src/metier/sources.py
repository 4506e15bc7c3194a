"""Where local sources lie on this machine: digest to path, kept beside the store.

A recipe that travels names a local file by name and digest; this private table lets the machine
that made it find the file again. It reads and writes one small JSON file and opens no source.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metier.errors import StorageError
from metier.recipe import DataPart, Recipe


@dataclass(frozen=True, slots=True)
class Sources:
    """The table in one file; a missing or damaged one is empty, since it is only a convenience."""

    path: Path

    def add(self, located: Mapping[str, str]) -> None:
        """Remember paths by digest; raises StorageError if the file cannot be written."""
        if not located:
            return
        table = {**self._table(), **located}
        temporary = self.path.with_suffix(f".{os.getpid()}.part")
        try:
            temporary.write_text(json.dumps(table, indent=1, sort_keys=True), "utf-8")
            temporary.replace(self.path)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error.strerror}.") from error

    def find(self, recipe: Recipe) -> Recipe:
        """The recipe with the paths of its local sources, where they are known."""
        table = self._table()
        data = tuple(_placed(part, table) for part in recipe.data)
        return recipe.model_copy(update={"data": data})

    def where(self, digest: str | None) -> str | None:
        """The path of a local source by its digest, where it is known."""
        return self._table().get(digest or "")

    def _table(self) -> dict[str, str]:
        try:
            table = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(table, dict):
            return {}
        return {digest: path for digest, path in table.items() if isinstance(path, str)}


def _placed(part: DataPart, table: Mapping[str, str]) -> DataPart:
    path = table.get(part.rows_sha256 or "")
    if part.kind == "git" or path is None:
        return part
    return part.model_copy(update={"path": path})
